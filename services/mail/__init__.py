"""E-mail: the texts, the sender of the outbox, and the transports."""
