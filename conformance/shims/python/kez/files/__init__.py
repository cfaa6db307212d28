"""Files: encryption, verified streaming, requests and tickets (files.md)."""
