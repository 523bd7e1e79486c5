"""Finding the watches that are true of an item: query language, compiled watchlist, evidence and score.

Everything here is pure: it takes documents and watches and returns what matched.
"""
