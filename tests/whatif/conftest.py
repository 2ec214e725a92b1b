"""A renderer of one-word programs and rollouts of them; the smallest training there is."""
import sys
from pathlib import Path

from painting import painter, played, red  # noqa: F401  (fixtures)

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))  # where tiny is
