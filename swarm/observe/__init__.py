"""What is: hosts and swarms, looked at over SSH."""
