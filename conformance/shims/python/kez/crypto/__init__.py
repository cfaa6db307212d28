"""Primitives: Ed25519 and its admission of keys, X25519, BIP-340, HKDF and HPKE."""
