"""The two ways to run the same tasks, and how an installation is put together from its settings."""
