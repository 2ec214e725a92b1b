"""A diagnosis to look at: each finding in words, with the pictures of the rollouts that show it.

Left out: finding anything (`diagnose`).
"""

from __future__ import annotations

import math

from ..diagnose import Diagnosis
from .html import card, drawn, folded, number, picture, row, says, table, text_html

SHOWN = 3   # rollouts pictured beside a finding
SMALL = 130


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """The findings, ranked, each with three of its rollouts; below them what the gain is made of."""
    run, count = diagnosis.evidence, len(diagnosis.findings)
    head = f"{len(run):,} rollouts: {count or 'no'} finding{'s' * (count != 1)}"
    parts = [says(head)]
    for place, finding in enumerate(diagnosis.findings, 1):
        said = [("evidence", finding.evidence), ("costs", finding.costs), ("try", finding.remedy)]
        parts += [says(text_html(f"{place}. {finding.name}"), text_html(f"({finding.kind}) {finding.says}")),
                  table([map(text_html, pair) for pair in said if pair[1]]),
                  row([_card(run, i) for i in finding.rollouts[:SHOWN]]),
                  folded("its rollouts", text_html(", ".join(map(str, finding.rollouts))))]
    if diagnosis.gain:
        gain = diagnosis.gain
        rows = [(text_html(name), f"{value:+.3f}", f"{low:+.3f} to {high:+.3f}")
                for name, value, low, high in gain.rows]
        parts += [table(rows, ("gain", "score", "95 % interval"), "lrr",
                        text_html(f"From {gain.between}, n = {gain.n[0]:,} and {gain.n[1]:,} rollouts")),
                  folded("what is written", "<br>".join(map(text_html, gain.written)))]
    return "".join(parts)


def _card(run, i):
    """Target and final render of rollout i."""
    stored = run.rows[i]
    final = {} if stored["choice"] is None else stored["turns"][stored["choice"]]
    image = (final.get("rendering") or {}).get("image")
    try:
        target = picture(run.picture(stored["target"]), f"target {stored['id']}", SMALL)
        image = image and run.picture(image)
    except OSError:  # a copy without its pictures
        return ""
    render = drawn(image, f"final render of rollout {i}", str(final.get("error") or ""), SMALL, most=90)
    step = "" if math.isnan(run.step[i]) else f", step {run.step[i]:.0f}"
    caption = f"rollout {i}{step}, {text_html(stored['id'], total=60)}, vision {number(run.vision[i])}"
    return card(f'<div style="display:flex;gap:4px">{target}{render}</div>', caption, 2 * SMALL + 10)
