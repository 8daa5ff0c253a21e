"""What an operator does from the command line: one module a subject, all arguments in `command_line`."""
