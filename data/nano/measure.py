"""How well a model reads the charts it was taught, and what its second turn makes of a wrong draft.

Left out: the wide charts of data/charts, which `rrvf_lab.evaluate` and `rrvf_lab.nano.fields` measure.
"""

from __future__ import annotations

import numpy as np
from lessons import corrupt, sample
from paint import Painter
from PIL import Image

from rrvf_lab.evaluate import evaluate
from rrvf_lab.nano.dialect import Chart, parse_program, program, reading
from rrvf_lab.policy import Drafted
from rrvf_lab.talk import write_turn


def held_out(n: int = 200, seed: int = 10**6) -> list[tuple[Chart, Image.Image]]:
    """Charts of the narrow distribution with their pictures, from a random stream that no cold start uses."""
    rng, painter = np.random.default_rng(seed), Painter()
    charts = [sample(rng) for _ in range(n)]
    return [(chart, Image.fromarray(painter.paint(chart))) for chart in charts]


def check(policy, n: int = 200, seed: int = 10**6) -> dict[str, float]:
    """How well a policy reads its own distribution in one turn: accuracies, execution rate, vision score.

    `value` counts single values (of a scatter: places with a point in the chart or in the draft); a wrong
    number of them makes all of a chart's values wrong. n charts, none trained on.
    """
    pairs = held_out(n, seed)
    rollouts = evaluate(policy, _rows(pairs), max_turns=1).rollouts
    rows, hits = [], []
    for (truth, _), rollout in zip(pairs, rollouts, strict=True):
        drawn = parse_program(rollout.code or "")
        row = {field: drawn is not None and getattr(drawn, field) == getattr(truth, field)
               for field in ("title", "xlabel", "ylabel", "kind", "colours", "grid")}
        values = _values_right(drawn, truth)
        hits += values
        row["exact"] = all(row.values()) and all(values)
        rows.append(row | {"exec": rollout.ran, "vision": rollout.reward.vision})
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {"value": float(np.mean(hits))} | means | {"n": n}


def _rows(pairs):
    return [{"image": image, "id": str(i)} for i, (_, image) in enumerate(pairs)]


def _values_right(drawn, truth):
    """For each value of the truth, whether it was drawn."""
    same = drawn is not None and [len(row) for row in drawn.series] == [len(row) for row in truth.series]
    shown = drawn.series if same else truth.series
    return [same and a == b for row, other in zip(truth.series, shown, strict=True)
            for a, b in zip(row, other, strict=True) if a or b]


def check_repair(policy, n: int = 200, seed: int = 2 * 10**6, own: bool = False) -> dict[str, float]:
    """What the second turn does to wrong drafts, with feedback and blind (blank pictures, no text).

    Drafts are corrupted truths, or the policy's `own` first turns that ran. Only wrong drafts count. `gain`
    is turn 2 minus turn 1, `blind_gain` the same without feedback, `over_blind` their paired difference; each
    with its `_se`.
    """
    pairs = held_out(n, seed)
    drafts = _drafts(policy, pairs, seed, own)
    drafted, rows = Drafted(drafts, policy), _rows(pairs)
    seen, unseen = (evaluate(drafted, rows, max_turns=2, batch=n, blind=blind).rollouts
                    for blind in (False, True))
    truths = [truth for truth, _ in pairs]
    right = [parse_program(r.turns[0].code or "") == truth for truth, r in zip(truths, seen, strict=True)]
    wrong = [i for i, r in enumerate(seen) if r.turns[0].ran and not right[i]]
    gain, blind = (np.array([rollouts[i].reward.vision - rollouts[i].turns[0].score for i in wrong])
                   for rollouts in (seen, unseen))
    fixed, fixed_blind = ([parse_program(rollouts[i].code) == truths[i] for i in wrong]
                          for rollouts in (seen, unseen))
    kept = [r.code == r.turns[0].code for r, correct in zip(seen, right, strict=True) if correct]
    out = {"n_wrong": len(wrong)}
    for name, values in (("gain", gain), ("blind_gain", blind), ("over_blind", gain - blind)):
        out |= {name: float(values.mean()), f"{name}_se": float(values.std(ddof=1) / len(values) ** 0.5)}
    return out | {"fixed": float(np.mean(fixed)), "fixed_blind": float(np.mean(fixed_blind)),
                  "n_right": len(kept), "right_kept": float(np.mean(kept)) if kept else float("nan")}


def _drafts(policy, pairs, seed, own):
    """The texts of first turns: the policy's own, or those of corrupted truths."""
    if own:
        return [rollout.turns[0].text for rollout in evaluate(policy, _rows(pairs), max_turns=1).rollouts]
    rng = np.random.default_rng(seed)
    spoilt = [corrupt(chart, rng) for chart, _ in pairs]
    return [write_turn(reading(chart), program(chart)) for chart in spoilt]
