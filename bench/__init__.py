"""Benchmarks of Waymark against hand-written SQL and other GraphQL servers. Run `scripts/bench`.

The bench starts each server as a process and sends requests over sockets. The product imports nothing from it.
"""
