"""What a training step costs on a quiet machine, beside four busy loops and beside a second training, by how
torch's threads wait.

    python tests/benchmarks/bench_threads.py --steps 3
    python tests/benchmarks/bench_threads.py --ways "the default" "1000 spins"

OpenMP's threads spin while they wait for each other. That saves a little where they have the cores to
themselves; beside other work a spinning thread burns the time slice that the thread it waits for would
need. The first step of each run (warming up) is left out; the last column is the mean of the three situations
relative to the best way's.

Left out: how the four busy loops are hurt, other machines, GPUs (where torch's threads hardly matter).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WAYS = {
    "as we set it": {},
    "the default": {
        "GOMP_SPINCOUNT": "unset"
    },  # said, so that we leave it alone; libgomp skips what is no number
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "100 spins": {"GOMP_SPINCOUNT": "100"},
    "1000 spins": {"GOMP_SPINCOUNT": "1000"},
    "3000 spins": {"GOMP_SPINCOUNT": "3000"},
    "10000 spins": {"GOMP_SPINCOUNT": "10000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
UNSET = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")


def steps(environment, number, at_once=1):
    """Seconds of each training step but the first, of so many trainings at once."""
    clean = {k: v for k, v in os.environ.items() if k not in UNSET}
    with tempfile.TemporaryDirectory() as folder:
        runs = [Path(folder) / f"run-{i}" for i in range(at_once)]
        command = [sys.executable, "-m", "rrvf_lab.train", "demo", "--set", f"steps={number}",
                   "test_images=null", "preflight=false"]
        started = [subprocess.Popen([*command, f"output={run}"], env=clean | environment,
                                    stdout=subprocess.DEVNULL) for run in runs]
        assert [one.wait() for one in started] == [0] * at_once
        rows = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in runs]
    return [row["step_time"] for some in rows for row in [row for row in some if "step_time" in row][1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--steps", type=int, default=3, help="steps of each run, the first not counted")
    parser.add_argument("--busy", type=int, default=4, help="busy loops beside the second run")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    args = parser.parse_args()
    found = {}
    for way in args.ways:
        quiet = steps(WAYS[way], args.steps)
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(args.busy)]
        try:
            busy = steps(WAYS[way], args.steps)
        finally:
            for loop in loops:
                loop.kill()
        both = steps(WAYS[way], args.steps, at_once=2)
        found[way] = [np.mean(some) for some in (quiet, busy, both)]
        print(f"{way:14} quiet {np.round(quiet, 1)} s, beside {args.busy} busy loops {np.round(busy, 1)} s, "
              f"two trainings at once {np.round(both, 1)} s", flush=True)
    least = np.min(list(found.values()), axis=0)
    print(f"\n{'way':14} {'quiet':>8} {'busy':>8} {'two':>8} {'all':>8}   as multiples of the column's best")
    for way, seconds in found.items():
        ratios = seconds / least
        print(f"{way:14} " + " ".join(f"{r:8.2f}" for r in (*ratios, ratios.prod() ** (1 / len(ratios)))))


if __name__ == "__main__":
    main()
