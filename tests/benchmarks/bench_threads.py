"""What a training step costs on a quiet machine and beside four busy loops, by how torch's threads wait.

    python tests/benchmarks/bench_threads.py --steps 3
    python tests/benchmarks/bench_threads.py --ways "the default" "1000 spins"

OpenMP's threads spin while they wait for each other. That saves a little where they have the cores to
themselves; beside other work a spinning thread burns the time slice that the thread it waits for would
need. The first step of each run (warming up) is left out; the last column is the mean of the two situations
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


def steps(environment, number):
    """Seconds of each training step but the first."""
    clean = {k: v for k, v in os.environ.items() if k not in UNSET}
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "rrvf_lab.train", "demo", "--set", f"steps={number}",
                   "test_images=null", f"output={run}"]
        subprocess.run(command, env=clean | environment, check=True, capture_output=True)
        rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [row["step_time"] for row in rows if "step_time" in row][1:]


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
        found[way] = np.mean(quiet), np.mean(busy)
        print(f"{way:14} quiet {found[way][0]:6.1f} s {np.round(quiet, 1)}, beside {args.busy} busy loops "
              f"{found[way][1]:6.1f} s {np.round(busy, 1)}", flush=True)
    least = np.min(list(found.values()), axis=0)
    print(f"\n{'way':14} {'quiet':>8} {'busy':>8} {'both':>8}   as multiples of the best in each column")
    for way, seconds in found.items():
        ratios = seconds / least
        print(f"{way:14} {ratios[0]:8.2f} {ratios[1]:8.2f} {np.sqrt(ratios.prod()):8.2f}")


if __name__ == "__main__":
    main()
