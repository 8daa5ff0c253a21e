"""HTTP: the GraphQL endpoint, event streams and WebSockets, files, pages, logs and metrics."""
