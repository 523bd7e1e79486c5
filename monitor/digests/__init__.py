"""Digests: when one is due, what it holds, and how it reads."""
