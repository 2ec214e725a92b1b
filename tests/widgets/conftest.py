"""A renderer of one-word programs, and a rollout of them to look into."""
from painting import painter, played, red  # noqa: F401  (fixtures)
