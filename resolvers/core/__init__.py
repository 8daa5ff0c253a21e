"""What every resolver uses: the context, write transactions, the unit of work, idempotency and validation."""
