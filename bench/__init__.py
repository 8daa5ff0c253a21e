"""Measures Waymark beside what one would write without a graph, and beside its peers; `scripts/bench` runs it.

A room of its own: it starts servers and asks them over sockets as anybody would. The product imports nothing of it.
"""
