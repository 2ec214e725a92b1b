"""A small recorded run of hostile rollouts, and looks hung on the records."""
from recorded import run  # noqa: F401  (a fixture)

from rrvf_lab.show import install

install()
