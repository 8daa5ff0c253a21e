"""Erasure, retention and subject access."""
