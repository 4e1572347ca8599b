"""What is: hosts and swarms, probed over SSH."""
