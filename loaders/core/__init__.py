"""What every loader is made of: the dataloader base, the read session, pagination, the registry, the qualification cache."""
