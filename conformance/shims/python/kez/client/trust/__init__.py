"""Contacts: what is kept of them, who moves their states, and the block list (messages.md, Trust)."""
