"""What a client and a home server say to each other through the broker (broker.md)."""
