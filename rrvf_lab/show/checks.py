"""What is found out before a training, as HTML: do programs stay in, can the judge be fooled, will it fit?

Left out: finding it out (`render.doctor`, `judge.audit`, `training.memory.estimate`,
`training.preflight`).
"""

from __future__ import annotations

from PIL import Image

from ..leaves.pictures import rgb
from .html import card, code_html, drawn, folded, number, picture, row, says, table, text_html
from .plots import raster

SHOWN = 600  # characters of a hack's program: the rest is its picture
SMALL = 110  # pixels across an audit's traps: fewer than they are shown with, as noise does not compress


def isolation_html(isolation) -> str:
    """What keeps programs in, layer by layer, what is not protected, and the commands that help."""
    rows = [(name, "yes", "", "") if active else (name, "NO", missing, fix)
            for name, active, missing, fix in isolation.rows]
    always, missing, fix = isolation.always
    safe = "safe" if isolation.safe else "NOT safe"
    shown = table([map(text_html, line) for line in (*rows, (always, "", missing, fix))],
                  ("layer", "active", "what is not protected", "what to do"),
                  caption=f"Isolation of rendered programs: {isolation.level}, {safe} for untrusted programs")
    reasons = "".join(f"<li>{text_html(reason)}</li>" for reason in isolation.reasons)
    return shown + (folded("tried in vain", f"<ul>{reasons}</ul>") if reasons else "")


def audit_html(audit) -> str:
    """An audit of a judge: passed or not, its ladders and traps as a figure, what each trap looks like."""
    numbers = audit.table()
    alt = "; ".join([f"Audit of {audit.name}", *(f"{name} {first}" for name, first, *_ in numbers)])
    traps = []
    for name, (image, score) in audit.pictures.items():
        shown = picture(_small(image), f"{name}, score {number(score)}", 160)
        traps.append(card(shown, f"{text_html(name)} {number(score)}", 170))
    found = table([map(text_html, line) for line in numbers]) + f"<p>{text_html(audit.missing)}</p>"
    hacks = folded(f"the zoo: {len(audit.hacks)} programs that cheat", _cages(audit.hacks))
    return (says(text_html(audit.summary)) + picture(raster(audit.plot(), 72), alt, 950) + row(traps)
            + (hacks if audit.hacks else "") + folded("numbers", found))


def zoo_html(zoo) -> str:
    """Each hack: its picture, what it hopes for, what every reward pays, what catches it, its program."""
    target = card(picture(_small(zoo.target), "the target of the zoo", 160), "target", 170)
    return row([target]) + _cages(zoo.exhibits)


def _cages(exhibits):
    cards = []
    for one in exhibits:
        paid = [(text_html(name), number(score)) for name, score in one.scores.items()]
        said = f"<b>{text_html(one.name)}</b>: {text_html(one.hope)}"
        shown = drawn(one.picture and _small(one.picture), f"hack {one.name}", one.error or "", 160, most=90)
        cards.append(card(shown, said + table(paid, align="lr") + f"caught by: {text_html(one.caught)}"
                          + folded("program", code_html(one.program[:SHOWN], one.language)), 190))
    return row(cards)


def _small(image):
    height = max(1, round(image.height * SMALL / image.width))
    return rgb(image).resize((SMALL, height), Image.Resampling.BOX)


def preflight_html(found) -> str:
    """The lines of a pre-flight: its verdict, what was found, what to do."""
    marks = {"ok": "ok", "warn": "<b>warn</b>", "stop": "<b>STOP</b>"}
    rows = [(marks[line.verdict], *map(text_html, (line.question, line.found, line.advice)))
            for line in found.lines]
    return table(rows, ("", "question", "what was found", "what to do"),
                 caption=f"Pre-flight: {found.verdict}")


def estimate_html(estimate) -> str:
    """The memory of a run, part by part, and its peak."""
    rows = [(name, phase, f"{value:.2f} GB") for name, phase, value in estimate.rows()]
    return table([*rows, ("<b>peak</b>", "", f"<b>{estimate.peak:.2f} GB</b>")], align="llr")
