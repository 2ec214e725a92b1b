"""A renderer of one-word programs and rollouts of them; the smallest training there is."""
from painting import painter, played, red  # noqa: F401  (fixtures)
