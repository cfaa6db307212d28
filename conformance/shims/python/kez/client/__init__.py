"""A whole client: its store, its connection, and what it does with messages, contacts and shared files."""
