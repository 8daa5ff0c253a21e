"""E-mail: the messages, the outbox sender, the transports."""
