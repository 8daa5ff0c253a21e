"""Subscriptions over server-sent events and WebSockets."""
