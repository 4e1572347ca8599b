"""What this computer runs to have hosts: commands, packages, locks, images."""
