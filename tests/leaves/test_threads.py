"""Importing the package decides how torch's threads wait, before anything can load torch; a user's word
counts."""
import os
import subprocess
import sys

import pytest

SHOW = "import os, sys, rrvf_lab; print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize(("said", "first", "spins"), [
    ({}, "", "1000"), ({"GOMP_SPINCOUNT": "7"}, "", "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "", "None"),
    ({}, "sys.modules['torch'] = None; ", "None")])
def test_waiting_threads_sleep_soon_unless_somebody_said_otherwise_or_it_is_too_late(said, first, spins):
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    printed = subprocess.run([sys.executable, "-c", f"import sys; {first}{SHOW}"], env=clean | said,
                             check=True, capture_output=True, text=True).stdout
    assert printed.strip() == spins
