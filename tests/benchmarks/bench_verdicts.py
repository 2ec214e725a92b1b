"""Is the judge still the same, and how much CPU does a pair take? For a change that may alter neither.

    python tests/benchmarks/bench_verdicts.py --pairs /tmp/pairs --write /tmp/before.json
    ... change the judge ...
    python tests/benchmarks/bench_verdicts.py --pairs /tmp/pairs --against /tmp/before.json

The pairs are those of `bench_judge`: spoilt pictures and traps of charts in matplotlib and plotly, pages and
drawings, at least 300 of each; they are drawn once and kept in the folder. Compared are the score, every
part, the reason and the sentences in both registers. Ends with status 1 where a number differs by more than
1e-6 or a sentence at all.

Left out: whether the verdicts are right (`bench_judge`, `bench_feedback`).
"""
import argparse
import json
import pickle
import statistics
import sys
import time
from pathlib import Path

from bench_judge import DOMAINS, traps

from rrvf_lab.judge import PixelJudge
from rrvf_lab.judge.sentences import REGISTERS
from rrvf_lab.render import Renderer

KINDS = {"charts": ("train", "charts"), "matplotlib": ("test", "matplotlib"), "plotly": ("test", "plotly"),
         "pages": ("test", "pages"), "drawings": ("test", "drawings")}
LEAST = 300
ALLOWED = 1e-6


def pairs(kind, folder, renderer):
    """[(target, its spoilt pictures)] of a kind, LEAST pictures in all, drawn where the folder lacks them."""
    path = Path(folder) / f"{kind}.pickle"
    if not path.exists():
        split, domain = KINDS[kind]
        found, amount = [], 0
        for i, ladder in enumerate(DOMAINS[split][domain][0](LEAST, split, renderer)):
            target = ladder[0][2]
            found.append((target, [rung[2] for rung in ladder] + [trap for _, trap in traps(target, i)]))
            amount += len(found[-1][1])
            if amount >= LEAST:
                break
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(found))
    return pickle.loads(path.read_bytes())


def judged(ladders, register):
    """([score, sentences, parts, reason] of each pair, CPU ms of each, CPU ms of each new target)."""
    pixel, verdicts, cost, fresh = PixelJudge(register=register), [], [], []
    for target, images in ladders:
        start = time.process_time()
        pixel.remembered(target)
        fresh.append(1000 * (time.process_time() - start))
        for image in images:
            start = time.process_time()
            verdict = pixel(target, image)
            cost.append(1000 * (time.process_time() - start))
            verdicts.append([verdict.score, verdict.feedback, verdict.parts, verdict.reason])
    return verdicts, cost, fresh


def differing(before, after):
    """What differs between two verdicts, in words; empty where nothing does."""
    (score, said, parts, why), (other_score, other_said, other_parts, other_why) = before, after
    off = [abs(score - other_score)] + [abs(parts[name] - other_parts.get(name, 9)) for name in parts]
    words = [f"{one!r}, now {other!r}" for one, other in ((said, other_said), (why, other_why))
             if one != other]
    return [f"by {max(off):.2g}"] * (max(off) > ALLOWED) + words


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pairs", required=True, help="a folder for the pictures")
    parser.add_argument("--write", type=Path, help="a file for the verdicts")
    parser.add_argument("--against", type=Path, help="a file of verdicts to compare with")
    parser.add_argument("--only", nargs="*", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    before = json.loads(options.against.read_text()) if options.against else {}
    found, wrong = {}, 0
    with Renderer(timeout=60) as renderer:
        ladders = {kind: pairs(kind, options.pairs, renderer) for kind in options.only}
    for kind, those in ladders.items():
        for register in REGISTERS:
            name = f"{kind} {register}"
            verdicts, cost, fresh = judged(those, register)
            found[name] = json.loads(json.dumps(verdicts))
            print(f"{name:22} {len(verdicts)} pairs, {statistics.median(cost):5.1f} CPU ms a pair (mean "
                  f"{statistics.mean(cost):.1f}), {statistics.median(fresh):5.1f} a new target", flush=True)
            both = zip(before.get(name, found[name]), found[name], strict=True)
            apart = enumerate(differing(one, other) for one, other in both)
            said = [f"  pair {i}: {'; '.join(why)}" for i, why in apart if why]
            same = sum(a == b for a, b in zip(before.get(name, []), found[name], strict=False))
            said += [f"  {same} of {len(verdicts)} the same to the last bit"] * bool(before)
            print("\n".join(said), end="\n" * bool(said))
            wrong += len(said) - bool(before)
    if options.write:
        options.write.write_text(json.dumps(found))
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
