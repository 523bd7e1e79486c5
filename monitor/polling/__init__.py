"""Bringing items in: fetch, parse, decide, store; and the manners and pace with which sites are visited."""
