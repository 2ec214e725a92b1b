"""A diagnosis to look at: each finding in words, with the pictures of the rollouts that show it.

Left out: finding anything (`diagnose`), and clicks (`widgets.findings`).
"""

from __future__ import annotations

import math

from ..diagnose import Diagnosis
from ..diagnose.finding import LOST, WRONG
from ..diagnose.gain import signed_form, sure
from .deltas import whole
from .html import card, drawn, folded, number, picture, row, says, table, text_html
from .ledger import turns_html

SHOWN = 3   # rollouts pictured beside a finding
SMALL = 130
MARKS = {WRONG: "#c0392b", LOST: "#d9822b"}  # the words say the same


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """The findings, ranked, each with three of its rollouts; below them what the gain is made of, and the
    ledger turn by turn."""
    parts = [says("", headline_html(diagnosis))]
    for place, finding in enumerate(diagnosis.findings, 1):
        parts += [finding_html(place, finding),
                  row([_card(diagnosis.evidence, i) for i in finding.rollouts[:SHOWN]]),
                  folded("its rollouts", text_html(", ".join(map(str, finding.rollouts))))]
    return "".join([*parts, numbers_html(diagnosis)])


def headline_html(diagnosis: Diagnosis) -> str:
    """How many findings on how many rollouts, and what could not be looked at."""
    return "".join([f"<b>{text_html(diagnosis.headline)}</b>",
                    *(f"<br>&#9888; {text_html(why, total=400)}" for why in diagnosis.failed)])


def finding_html(place: int, finding) -> str:
    """One finding in words: what happens, the evidence, what it costs, what to try."""
    said = [("evidence", finding.evidence), ("costs", finding.costs), ("try", finding.remedy)]
    title = says(text_html(f"{place}. {finding.name}"), text_html(f"({finding.kind}) {finding.says}"))
    lines = table([(whole(name), text_html(words)) for name, words in said if words])
    mark = f"border-left:4px solid {MARKS.get(finding.kind, '#888')};padding-left:10px;margin-top:10px"
    return f'<div style="{mark}">{title}{lines}</div>'


def numbers_html(diagnosis: Diagnosis) -> str:
    """What the gain is made of and the ledger turn by turn, each behind a click."""
    parts = [("Turn by turn", turns_html(diagnosis.ledger))]
    if diagnosis.gain:
        rows = [f"{name} {value:+.3f}" for name, value, *_ in diagnosis.gain.rows]
        parts.insert(0, (f"What the gain is made of</b>: {', '.join(rows)}<b>", gain_html(diagnosis.gain)))
    return "".join(folded(f"<b>{head}</b>", body) for head, body in parts)


def gain_html(gain) -> str:
    """The parts of a gain with their intervals, what each turn gains, what is written, what is right."""
    rows = [(text_html(name), f"{value:+.3f}", sure(low, high)) for name, value, low, high in gain.rows]
    parts = [says("", f"From {text_html(gain.caption)}"),
             table(rows, ("gain", "score", "95 % interval"), "lrr")]
    for head, some, form in gain.tables():
        signed = signed_form(form)
        rows = [(text_html(one.name), form.format(one.before), form.format(one.after),
                 signed.format(one.change), sure(one.low, one.high, signed)) for one in some]
        columns = (text_html(head), "before", "after", "change", "95 % interval")
        parts.append(table(rows, columns, "lrrrr"))
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
