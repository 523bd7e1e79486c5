"""The history of the schema, one file per step; ``monitor.store.migrate`` runs it."""
