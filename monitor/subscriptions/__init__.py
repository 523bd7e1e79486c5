"""Subscribing, the signed links in mails, and unsubscribing."""
