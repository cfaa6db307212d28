"""Messages: encryption, sealing, receiving, bodies and trust (messages.md)."""
