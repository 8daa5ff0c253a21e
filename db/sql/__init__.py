"""SQL expressions that several statements share."""
