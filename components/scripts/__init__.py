"""The shell texts that run on hosts and managers."""
