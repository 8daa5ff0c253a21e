"""What every resolver works with: the context, the unit of work, idempotency, validation."""
