"""The kez-chat protocol, version 0.1, as its specification describes it."""
