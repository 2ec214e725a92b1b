"""Four judges of somebody's own, each with a fault, and the way to it by following only what the tools say.

    python tests/benchmarks/walk.py                       # about 20 CPU seconds each
    python tests/benchmarks/walk.py --only last_feedback

The way of each: `rl.audit` before one trains, then a small real training (nano-base, 6 steps of 4 images x 4
rollouts) and `rl.diagnose` of what it recorded. Printed is what each of the two says first, and with `--all`
everything. The faults are those that people make: arguments in the wrong order, a scale that ends too early,
a variable that outlives a call, a measure that does not look at the target's shapes.

Left out: a person. How long one takes to read this is not measured here.
"""
import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import rrvf_lab as rl
from rrvf_lab.judge import PixelJudge, Verdict
from rrvf_lab.training.process import prepare

PIXEL = PixelJudge()
TINY = {"steps": 6, "prompts": 4, "group": 4, "micro_batch": 16, "save_steps": 1000, "test_images": None,
        "preflight": False}


def swapped(target, image, error=None) -> Verdict:
    """The pictures in the wrong order."""
    return PIXEL(target, image, error) if image is None else PIXEL(image, target)


def saturated(target, image, error=None) -> Verdict:
    """A scale that ends at 0.9, which most drafts reach."""
    verdict = PIXEL(target, image, error)
    return replace(verdict, score=min(0.9, 6 * verdict.score))


class LastFeedback:
    """The right score with the sentences on the picture before."""

    __name__ = "last_feedback"

    def __init__(self):
        self.last = ""

    def __call__(self, target, image, error=None) -> Verdict:
        verdict = PIXEL(target, image, error)
        last, self.last = self.last, verdict.feedback
        return replace(verdict, feedback=last)


def ink(target, image):
    """One minus the difference of the shares of ink, wherever that lies."""
    def share(picture):
        return float((np.asarray(picture.convert("L")) < 250).mean())

    return 1 - abs(share(target) - share(image))


JUDGES = {"swapped": swapped, "saturated": saturated, "last_feedback": LastFeedback(), "ink": ink}


def walked(name, output):
    """(what the audit says, the diagnosis of a tiny training, CPU seconds of audit, training, diagnosis)."""
    judge, marks = JUDGES[name], [time.process_time()]
    audit = rl.audit(judge, rl.load_images("data/charts/test").select(range(4)), name=name)
    marks.append(time.process_time())
    config = rl.TrainConfig.load("demo", output=str(output / name), **TINY)
    prepare(config)
    rl.make_trainer(config, judge=judge).train()
    marks.append(time.process_time())
    found = rl.diagnose(output / name)
    marks.append(time.process_time())
    return audit, found, np.diff(marks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=JUDGES, default=list(JUDGES))
    parser.add_argument("--output", type=Path, default=Path("runs/walk"))
    parser.add_argument("--all", action="store_true", help="print all that is said")
    options = parser.parse_args()
    for name in options.only:
        audit, found, seconds = walked(name, options.output)
        print(f"\n== {name}: {JUDGES[name].__doc__.splitlines()[0]}")
        print("CPU seconds of audit, training, diagnosis: " + ", ".join(f"{one:.0f}" for one in seconds))
        print(audit if options.all else audit.summary)
        print(found.text() if options.all else found.text().partition("\n2. ")[0])


if __name__ == "__main__":
    main()
