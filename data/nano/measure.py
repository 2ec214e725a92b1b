"""How well a model reads the charts it was taught, from a random stream that no cold start uses.

Left out: the raw charts of data/charts, which `rrvf_lab.evaluate` and `rrvf_lab.nano.fields` measure; second
turns, which `listening` measures.
"""

from __future__ import annotations

import numpy as np
from lessons import sample
from paint import paint

from rrvf_lab.evaluate import evaluate
from rrvf_lab.nano.dialect import basic, parse_program

FIELDS = {
    "title": lambda chart: chart.title, "labels": lambda chart: (chart.xlabel, chart.ylabel),
    "kind": lambda chart: chart.kind, "colours": lambda chart: tuple(map(basic, chart.colours)),
    "count": lambda chart: [(len(row), sum(value > 0 for value in row)) for row in chart.series],
    "grid": lambda chart: chart.grid, "ticks": lambda chart: chart.ticks, "top": lambda chart: chart.top,
    "aspect": lambda chart: chart.look.aspect, "font": lambda chart: chart.look.font,
    "paper": lambda chart: chart.look.paper, "spines": lambda chart: chart.look.spines,
    "edge": lambda chart: chart.look.edge, "marker": lambda chart: chart.look.marker,
}


def check(policy, n: int = 200, seed: int = 10**6) -> dict[str, float]:
    """How well a policy reads its own distribution in one turn: accuracies, execution rate, vision score.

    `value` counts single values, right to the tenth; a wrong number of them makes all of a chart's wrong.
    """
    rng = np.random.default_rng(seed)
    charts = [sample(rng) for _ in range(n)]
    rows = [{"image": paint(chart, rng), "id": str(i)} for i, chart in enumerate(charts)]
    rollouts = evaluate(policy, rows, max_turns=1).rollouts
    found, values = [], []
    for truth, rollout in zip(charts, rollouts, strict=True):
        drawn = parse_program(rollout.code or "")
        right = {name: drawn is not None and field(drawn) == field(truth) for name, field in FIELDS.items()}
        found.append(right | {"exec": rollout.ran, "vision": rollout.reward.vision})
        values += [right["count"] and a == b for row, other in
                   zip(truth.series, drawn.series if right["count"] else truth.series, strict=True)
                   for a, b in zip(row, other, strict=True) if a or b]
    return {name: float(np.mean([row[name] for row in found])) for name in found[0]} | {
        "value": float(np.mean(values)), "n": n}
