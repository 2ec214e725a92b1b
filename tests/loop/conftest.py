"""A renderer of one-word programs, and a rollout of them to branch from."""
from painting import painter, played, red  # noqa: F401  (fixtures)
