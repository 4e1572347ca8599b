"""What is declared: the configuration and the stacks' Compose files, read and checked."""
