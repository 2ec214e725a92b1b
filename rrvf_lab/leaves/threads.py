"""How torch's threads wait for each other, set before torch is loaded.

PyTorch computes with OpenMP threads, which by default spin while they wait: on a quiet machine that saves a
little, and beside other work, be it a second training or a rollout in a notebook, a step of training takes
several times as long (measured in `tests/benchmarks/bench_threads.py`).

Left out: how many threads there are (OMP_NUM_THREADS), which is the user's.
"""

from __future__ import annotations

import os
import sys

SPINS = "1000"  # turns of the waiting loop before a thread sleeps


def calm_threads() -> None:
    """Let waiting threads sleep soon, unless the user has said how they wait; without effect once torch is
    loaded."""
    said = "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ
    if not said and "torch" not in sys.modules:
        os.environ["GOMP_SPINCOUNT"] = SPINS
