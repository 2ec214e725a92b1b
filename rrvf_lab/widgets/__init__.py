"""Views to touch."""
