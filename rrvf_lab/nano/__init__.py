"""The embedded model and its language."""
