"""How much faster is ChartMimic's colour score with an assignment than with the official enumeration?

Both get the same colours and find the same value. The enumeration here is a kind one: it looks up one
matrix of similarities, where the official code works each of them out again for every permutation (k * k!
times). `--honest` does that too, on seven colours at most, as it takes minutes for eight. Ours is the
whole score, with grouping and thinning.

    python tests/benchmarks/bench_metrics.py --colours 6 7 8 9

Left out: running the programs, and the official code's process pool (which costs more than it saves below
eight colours).
"""
import argparse
import itertools
import os
import sys
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import numpy as np

from rrvf_lab.benchmarks.chartmimic import color_f1, similarities


def enumerated(first, second):
    alike = similarities(first, second).tolist()
    places = range(len(second))
    return max(sum(alike[i][j] for i, j in enumerate(order)) for order in itertools.permutations(places))


def enumerated_anew(first, second):
    return max(sum(similarities([a], [b])[0, 0] for a, b in zip(first, order, strict=True))
               for order in itertools.permutations(second))


def cpu_of(work, repeats=1):
    """(CPU seconds of one call, its result)."""
    start = time.process_time()
    for _ in range(repeats):
        result = work()
    return (time.process_time() - start) / repeats, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--colours", type=int, nargs="+", default=[6, 7, 8, 9])
    parser.add_argument("--honest", action="store_true")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    print("colours  assignment   enumeration   ratio   (CPU ms; the official way, similarities anew)")
    for k in args.colours:
        first, second = (["#{:02X}{:02X}{:02X}".format(*rng.integers(0, 256, 3)) for _ in range(k)]
                         for _ in range(2))
        sides = [("bar", c) for c in first], [("bar", c) for c in second]
        color_f1(*sides)  # warm
        fast, score = cpu_of(partial(color_f1, *sides), 50)
        slow, best = cpu_of(partial(enumerated, first, second))
        assert abs(score.recall * k - best) < 1e-9, (score, best)
        line = f"{k:7d}  {1e3 * fast:10.2f}  {1e3 * slow:12.1f}  {slow / fast:6.0f}x"
        if args.honest and k <= 7:
            anew, _ = cpu_of(partial(enumerated_anew, first, second))
            line += f"   ({1e3 * anew:.0f} ms, {anew / fast:.0f}x)"
        print(line, flush=True)


if __name__ == "__main__":
    main()
