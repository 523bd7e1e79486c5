"""From a letter to the mail server: MIME messages, the ways to send them, and when to try again."""
