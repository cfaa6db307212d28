"""Words, names, identifiers and safety numbers of accounts (identity.md)."""
