"""Does a policy listen? Its second turn with all that the reply says, with parts of it, and with lies.

    python data/nano/listening.py nano nano-base            # data/charts/test, 160 charts, greedy

A first turn is played once; every control goes on from the same draft, so that all differences are paired:

    feedback     as the loop plays it: pictures and sentences
    blind        white pictures, no text                  text only    white pictures
    pictures     no text                                  foreign      the sentences on another chart

Gains count drafts that ran, and are differences of scores with one standard error. `followed` compares each
draft with the next by the sentences between them (`rrvf_lab.nano.told`): per kind of sentence, how often the
next draft has what was told, `digits` for the single entries of lists; `redrawn` is how often there was a
next draft at all where a sentence asked for one. `rule` obeys every sentence to
the letter: what perfect obedience would bring.

Left out: whether the sentences are true (tests/benchmarks/bench_sentences.py), and what sampling does.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import defaultdict
from dataclasses import replace

import numpy as np

from rrvf_lab.data import load_images
from rrvf_lab.evaluate import evaluate
from rrvf_lab.judge import PixelJudge
from rrvf_lab.leaves.pictures import rgb
from rrvf_lab.nano.dialect import basic, parse_program, program
from rrvf_lab.nano.fields import load_truths, shown
from rrvf_lab.nano.told import Told
from rrvf_lab.policy import Drafted, load_policy
from rrvf_lab.records.report import score_after
from rrvf_lab.render import shared

OBEYED = {  # what of a draft a sentence is about, as far as its words go
    "kind": lambda chart: chart.kind, "colours": lambda chart: tuple(map(basic, chart.colours)),
    "grid": lambda chart: bool(chart.grid), "list": lambda chart: chart.series}
CONTROLS = {"blind": {"blind": True}, "text only": {"blind": "pictures"}, "pictures": {"blind": "text"}}


class Foreign:
    """A judge with another chart's sentences: the score is the target's own, the words are the next one's."""

    def __init__(self, judge, targets):
        self._judge = judge
        following = [*targets[1:], targets[0]]
        self._next = {_key(one): other for one, other in zip(targets, following, strict=True)}

    def __call__(self, target, image, error=None):
        verdict = self._judge(target, image, error)
        if image is None:
            return verdict
        return replace(verdict, feedback=self._judge.feedback(self._next[_key(target)], image))


def _key(image):
    return hashlib.sha256(rgb(image).tobytes()).digest()


def listening(policy, rows, register: str = "pointing", controls=tuple(CONTROLS), max_turns: int = 3):
    """({name: (mean, standard error, n)} of everything above, the rollouts) for one register of sentences.

    `rows` are rows of images with an id. Example: `listening(load_policy("nano"), rows)[0]["turn 2 gain"]`.
    """
    judge = PixelJudge(register=register)
    played = evaluate(policy, rows, max_turns=max_turns, judge=judge).rollouts
    out = {f"after turn {k}": [score_after(r, k) for r in played] for k in range(1, max_turns + 1)}
    ran = np.array([r.turns[0].ran for r in played])
    steps = {f"turn {k + 1} gain": np.subtract(out[f"after turn {k + 1}"], out[f"after turn {k}"])[ran]
             for k in range(1, max_turns)}
    out |= steps
    drafted = Drafted([r.turns[0].text for r in played], policy)
    options = {name: {"judge": judge} | CONTROLS[name] for name in controls}
    options["foreign"] = {"judge": Foreign(judge, [row["image"] for row in rows])}
    for name, settings in options.items():
        again = evaluate(drafted, rows, max_turns=2, batch=len(rows), **settings).rollouts
        gain = np.array([r.reward.vision - r.turns[0].score for r in again])[ran]
        out |= {f"{name} gain": gain, f"over {name}": steps["turn 2 gain"] - gain}
    out["rule gain"] = [_obeyed(r.target, r.turns[0], judge) for r in played if r.turns[0].ran]
    out |= _form(played) | followed(played)
    return {name: _mean(values) for name, values in out.items()}, played


def _mean(values):
    values = np.asarray(values, float)
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan
    return (float(values.mean()) if len(values) else np.nan), float(error), len(values)


def _form(played):
    return {"executes": [r.ran for r in played], "answers": [r.answer is not None for r in played],
            "renders": [len(r.drafts) for r in played],
            "malformed": [float((turn.error or "").startswith("parse:")) for r in played for turn in r.turns]}


def _obeyed(target, turn, judge):
    """What a rule gains that edits a draft as it is told."""
    draft = parse_program(turn.code)
    told = Told.parse(turn.verdict.feedback)
    if draft is None or not told.named:
        return 0.0
    try:
        image = shared().render(program(told.follow(draft)), size=(target.width, None)).image
    except ValueError:
        return 0.0
    return judge(target, image).score - turn.score


def followed(played) -> dict[str, list[float]]:
    """For each kind of sentence, whether the next draft has what was told."""
    found = defaultdict(list)
    for rollout in played:
        for turn, after in zip(rollout.turns, rollout.turns[1:], strict=False):
            draft = parse_program(turn.code or "") if turn.ran else None
            told = Told.parse(turn.verdict.feedback) if draft else Told()
            if not told.named:
                continue
            found["redrawn"].append(float(after.code is not None))
            if after.code is None:
                continue
            wanted, drawn = told.follow(draft), parse_program(after.code)
            for name in told.named:
                same = drawn is not None and OBEYED[name](drawn) == OBEYED[name](wanted)
                found[f"followed {name}"].append(float(same))
            if "list" in told.named and drawn is not None:
                pairs = [pair for rows in zip(wanted.series, drawn.series, strict=False)
                         for pair in zip(*rows, strict=False)]
                found["followed digits"] += [float(a == b) for a, b in pairs]
                found["followed count"].append(float(list(map(len, wanted.series)) ==
                                                     list(map(len, drawn.series))))
    return dict(found)


def fields_right(rollouts, truths, turn: int) -> dict[str, tuple]:
    """What the draft that counts after a turn shows of the truth: {field: (mean, standard error, n)}."""
    found = defaultdict(list)
    for rollout in rollouts:
        drafts = [one.code for one in rollout.turns[:turn] if one.code is not None]
        for name, right in shown(drafts[-1] if drafts else None, truths[rollout.id]).items():
            found[name].append(right)
    return {name: _mean([v for v in values if not np.isnan(v)]) for name, values in found.items()}


def report(name: str, n: int = 160, start: int = 0, registers=("pointing", "telling")) -> None:
    """Print everything for one policy on the first charts of data/charts/test."""
    images, truths, policy = load_images("data/charts/test"), load_truths("test"), load_policy(name)
    rows = [images[i] for i in range(start, start + n)]
    for register in registers:
        controls = tuple(CONTROLS) if register == "pointing" else ("text only",)
        lines, played = listening(policy, rows, register, controls)
        for turn in (1, 2):
            fields = fields_right(played, truths, turn)
            lines |= {f"{field} right, turn {turn}": numbers for field, numbers in fields.items()}
        print(f"\n{name}, {register}, {n} charts")
        for what, (mean, error, count) in lines.items():
            print(f"  {what:28} {mean:+.3f} +- {error:.3f}  (n = {count})", flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("policies", nargs="*", default=["nano", "nano-base"])
    parser.add_argument("--n", type=int, default=160)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--registers", nargs="*", default=["pointing", "telling"])
    args = parser.parse_args(argv)
    for name in args.policies:
        report(name, args.n, args.start, args.registers)


if __name__ == "__main__":
    main()
