"""Keys, words, names and safety numbers (identity.md)."""
