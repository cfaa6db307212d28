"""Signed statements and where they are found: envelopes, proofs, sigchains, registrations, hosts."""
