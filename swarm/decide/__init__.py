"""What is to be done: pure functions from what is declared, known and observed to a plan."""
