"""What an operator does with a stack beside `pulumi up`: recover, verify, bench."""
