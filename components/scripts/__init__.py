"""The scripts that run on hosts and managers."""
