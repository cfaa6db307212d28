"""Manifests of shared files (manifest.md)."""
