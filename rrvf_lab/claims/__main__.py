"""python -m rrvf_lab.claims: the paper's claims as recorded arms bear them out, or train those arms again.

    python -m rrvf_lab.claims                         # the table, from data/claims
    python -m rrvf_lab.claims --run --quick           # one seed, short runs, a third of the images
    python -m rrvf_lab.claims --run                   # everything, three seeds; stop it and go on at any time
    python -m rrvf_lab.claims --run --only rl sft     # some arms
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from .arms import ARMS
from .table import SHIPPED, claims
from .work import jobs, one, place, work


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rrvf_lab.claims", description=__doc__.split("\n")[0])
    parser.add_argument("--run", action="store_true", help="train and measure what is missing")
    parser.add_argument("--quick", action="store_true", help="one seed, short runs, a third of the images")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=(), metavar="ARM", help=", ".join(ARMS))
    parser.add_argument("--output", help="where arms are trained and read (runs/claims; without --run: "
                                         "data/claims)")
    parser.add_argument("--jobs", type=int, default=2, help="arms at once, one thread each")
    parser.add_argument("--ship", action="store_true", help=f"copy the results to {SHIPPED}")
    parser.add_argument("--job", nargs=2, metavar=("ARM", "SEED"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if unknown := [name for name in args.only if name not in ARMS]:
        parser.error(f"unknown arm {unknown[0]!r}; known: {', '.join(ARMS)}")
    folder = Path(args.output or ("runs/claims-quick" if args.quick else "runs/claims"))
    if args.job:
        one(folder, args.job[0], int(args.job[1]), args.quick)
        return 0
    failed = {}
    if args.run:
        failed = work(folder, jobs(args.quick, args.seeds, args.only), args.quick, args.jobs)
        for (name, seed), words in failed.items():
            print(f"{name}, seed {seed} failed: {words}\nIts log: {place(folder, name, seed) / 'log.txt'}",
                  file=sys.stderr)
    if args.ship:
        for path in folder.glob("*/result.json"):
            Path(SHIPPED).mkdir(exist_ok=True)
            shutil.copyfile(path, Path(SHIPPED) / f"{path.parent.name}.json")
    try:
        print(claims(folder if args.run or args.output else SHIPPED))
    except FileNotFoundError as error:
        parser.error(str(error))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
