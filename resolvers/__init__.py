"""What happens: one function a query or mutation, plain arguments in, rows or refusals out."""
