"""One rollout as HTML: pictures first, then scores, sentences and code; plain functions that return strings.

`rollout_html` is a rollout whole, `strip_html` its turns as thumbnails, `turn_html` one turn in full, and
`beside_html` a branch under its original. Verdicts, rewards and renderings have a look of their own.

Left out: what each message cost (`ledger`), groups of rollouts (`groups`), one file of many (`pages.export`).
"""

from __future__ import annotations

import math

from ..judge.pixel import difference
from ..talk import parse_turn
from .html import (
    TIGHT,
    bar,
    card,
    code_html,
    diff_html,
    drawn,
    folded,
    number,
    output_html,
    picture,
    plain,
    row,
    says,
    table,
    text_html,
)
from .superpose import LEGEND, superpose


def rollout_html(rollout) -> str:
    """A rollout as one row: the target, then each turn's render, difference and feedback; the rest folded.

    Example: `HTML(rollout_html(rollout))`, which is what a rollout shows of itself in a cell.
    """
    cells = [card(picture(rollout.target, _target_alt(rollout)), "<b>target</b>", 340)]
    for i, turn in enumerate(rollout.turns):
        body, feedback = _render(rollout, i, 220, most=600), ""
        if turn.ran:
            marks = difference(rollout.target, turn.rendering.image)
            body += picture(marks, f"difference of turn {i + 1}: red ink is missing, blue ink is extra", 110)
            feedback = text_html(turn.verdict.feedback, total=600)
        caption = f"<b>{turn_title(rollout, i)}</b><br>{feedback}{_thought_and_code(rollout, i)}"
        cells.append(card(body, caption, 340))
    return row(cells) + (reward_html(rollout.reward) if rollout.reward else "")


def strip_html(rollout, current: int | None = None, width: int = 120, target: bool = True) -> str:
    """The turns, after the target unless `target` is False, as a strip of thumbnails with scores; turn
    `current` (from 1) is framed and named "shown"."""
    cells = [card(picture(rollout.target, "target", width), "target", width + 20)] * target
    for i in range(len(rollout.turns)):
        shown = current == i + 1
        caption = f"<b>{turn_title(rollout, i)}</b>" + (", shown" if shown else "")
        cell = card(_render(rollout, i, width), caption, width + 20)
        outline = "outline:3px solid var(--jp-brand-color1,#1976d2);outline-offset:2px" if shown else ""
        cells.append(f'<div style="{outline}">{cell}</div>')
    return row(cells)


def turn_html(rollout, turn: int, how: str = "difference", at: int = 50, width: int = 300) -> str:
    """One turn (from 1) in full: target, render, both in one; feedback, thought, code against the one before.

    `how` and `at` are those of `superpose`. Raises ValueError for a turn that does not exist.

    Example: `HTML(turn_html(rollout, 2, "heat map"))`.
    """
    if not 1 <= turn <= len(rollout.turns):
        raise ValueError(f"turn={turn}: this rollout has turns 1 to {len(rollout.turns)}")
    it = rollout.turns[turn - 1]
    cells = pair(rollout, turn, width)
    if it.ran:
        cells.append(card(both(rollout, turn, how, at, width), f"<b>{how}</b>: {LEGEND[how]}", width))
    score = folded("the score, part by part", verdict_html(it.verdict)) if it.ran else ""
    thought = says("thought", text_html(it.thought)) if it.thought else ""
    return row(cells) + said_html(it) + thought + written_html(rollout, turn) + score


def target_html(rollout, width: int) -> str:
    """The target alone."""
    return card(picture(rollout.target, _target_alt(rollout), width), "<b>target</b>", width)


def pair(rollout, turn: int, width: int) -> list[str]:
    """Cards of the target and of the render of a turn (from 1)."""
    i = turn - 1
    return [target_html(rollout, width),
            card(_render(rollout, i, width, most=600), f"<b>{turn_title(rollout, i)}</b>", width)]


def both(rollout, turn: int, how: str, at: int, width: int) -> str:
    """The target and the render of a turn in one picture, by `superpose`; its `LEGEND` explains it."""
    seen = superpose(rollout.target, rollout.turns[turn - 1].rendering.image, how, at)
    return picture(seen, f"{how} of target and turn {turn}: {LEGEND[how]}", width)


def said_html(turn) -> str:
    """The judge's sentences on a turn, and what was wrong with it."""
    texts = {"feedback": turn.verdict.feedback if turn.verdict else "", "wrong": turn.error}
    return "".join(says(what, text_html(text)) for what, text in texts.items() if text)


def written_html(rollout, turn: int) -> str:
    """The code of a turn against the draft before it (without code: what it wrote), and its traceback."""
    i = turn - 1
    return says(_code_label(rollout, i)) + _code(rollout, i) + _failure(rollout.turns[i])


def beside_html(original, changed, current: int | None = None, width: int = 100, target: bool = True) -> str:
    """A rollout and its branch, strips one above the other, with what the change did to the reward."""
    made = changed.info.get("branch") or {}
    was, now = (r.reward.total if r.reward else math.nan for r in (original, changed))
    changes = " and ".join(made.get("changed", []))
    what = f"{changes} changed at" if changes else "written again after"
    gain = "" if math.isnan(was) or math.isnan(now) else f" ({now - was:+.3f})"
    what = f"{text_html(what)} turn {made.get('turn', '?')}, reward {number(now)}{gain}"
    above = "branch before" if "branch" in original.info else "original"
    return (says(above, f"reward {number(was)}") + strip_html(original, None, width, target)
            + says("branch", what) + strip_html(changed, current, width, target))


# ---------------------------------------------------------------------------------------------- their parts

def lone_turn_html(turn) -> str:
    """A turn without its rollout, so without target and comparison: render, feedback, and the rest folded."""
    alone = _Alone(turn)
    feedback = text_html(turn.verdict.feedback, total=600) if turn.ran else ""
    caption = f"<b>{turn_title(alone, 0).partition(': ')[2]}</b><br>{feedback}{_thought_and_code(alone, 0)}"
    return card(_render(alone, 0, 220, most=600), caption, 700)


class _Alone:
    """What the functions of this file read of a rollout, for a turn that has none."""

    def __init__(self, turn):
        self.turns, self.choice = (turn,), None
        self.language = turn.rendering.language if turn.rendering is not None else "matplotlib"


def rendering_html(rendering) -> str:
    """A program's picture in its own size, or its error; what it printed is folded."""
    image, flags = rendering.image, ", ".join(rendering.flags)
    size = image.size if image is not None else (340, 0)
    alt = f"picture drawn by a {rendering.language} program, {size[0]} by {size[1]} pixels"
    body = picture(image, alt, size[0]) if image is not None else output_html(rendering.error or "")
    took = f"{rendering.language}, {rendering.seconds * 1000:.0f} ms"
    note = f"{took}, flagged: {flags}" if flags else took
    printed = folded("printed", output_html(rendering.printed)) if rendering.printed.strip() else ""
    return card(body + printed, text_html(note), max(700, size[0] + 2))


def reward_html(reward) -> str:
    """Each part of a reward as a bar, with its weight and the sentence why.

    Example: `reward_html(rollout.reward)`.
    """
    parts = {"vision": reward.vision, "format": reward.format, "tool": reward.tool}
    rows = [(name, bar(value, name), number(value), text_html(reason, total=600))
            for (name, value), reason in zip(parts.items(), reward.reasons or ("", "", ""), strict=True)]
    head = "part", "", "value", "value x weight: why"
    return says("reward", f"<b>{number(reward.total)}</b>") + table(rows, head, "llrl")


def verdict_html(verdict) -> str:
    """The parts of a judge's score as bars, and its reason."""
    rows = [(text_html(name, total=40), bar(value, name), number(value))
            for name, value in verdict.parts.items()]
    reason = f'<p style="{TIGHT}">{text_html(verdict.reason, total=1000)}</p>'
    return reason + (table(rows, ("part", "", "likeness"), "llr") if rows else "")


def lone_verdict_html(verdict) -> str:
    """A verdict without its pictures: score and feedback, parts and reason folded."""
    said = f"<b>{number(verdict.score)}</b><br>{text_html(verdict.feedback, total=1000)}"
    return f"<div>{bar(verdict.score, 'score', 200)} {said}{folded('why', verdict_html(verdict))}</div>"


# ---------------------------------------------------------------------------------------------------- words

def turn_title(rollout, i: int) -> str:
    """Number and score of turn `i` (from 0), and whether its code is the final one: plain text."""
    turn = rollout.turns[i]
    if turn.ran:
        outcome = number(turn.score)
    else:
        outcome = "failed" if turn.code is not None else turn.action or "no action"
    return f"turn {i + 1}: {outcome}" + (" (final)" if rollout.choice == i else "")


def no_picture(rollout) -> str:
    """Why the final code has no picture, in the words of the record; "" when it has one."""
    if rollout.ran:
        return ""
    if not rollout.turns:
        return "nothing was written"
    return (rollout.final or rollout.turns[-1]).error or "no code"


def _render(rollout, i, width, most=160):
    """The picture of turn `i`, its error, or for a turn that only answered its answer in words."""
    turn = rollout.turns[i]
    if turn.code is None and not turn.error:
        answer = parse_turn(turn.text).answer
        said = f"answers: <b>{text_html(answer, total=60)}</b>" if answer else \
            text_html(plain(turn.text, total=10_000)[-60:])
        return f'<div style="width:{width}px;font-size:12px">{said}</div>'
    image = turn.rendering.image if turn.ran else None
    return drawn(image, _alt(rollout, i), turn.error or "", width, most)


def _target_alt(rollout):
    return f"target image {plain(rollout.id, total=80)}"


def _alt(rollout, i):
    turn = rollout.turns[i]
    feedback = plain(turn.verdict.feedback, total=300) if turn.verdict is not None else ""
    return f"render of turn {i + 1}, score {number(turn.score)}. {feedback}"


def _thought_and_code(rollout, i):
    turn = rollout.turns[i]
    said = f"<p>{text_html(turn.thought)}</p>{_code(rollout, i)}{_failure(turn)}"
    return folded("thought and code", said)


def _code(rollout, i):
    turn, before = rollout.turns[i], _draft_before(rollout, i)
    if turn.code is None:
        return code_html(turn.text, "text")
    if before is None:
        return code_html(turn.code, rollout.language)
    return diff_html(before, turn.code, rollout.language)


def _code_label(rollout, i):
    if rollout.turns[i].code is None:
        return "what it wrote"
    return "code" if _draft_before(rollout, i) is None else "code, and what changed since the draft before"


def _draft_before(rollout, i):
    """The code of the draft before turn `i` (from 0), or None."""
    return next((turn.code for turn in reversed(rollout.turns[:i]) if turn.code is not None), None)


def _failure(turn):
    error = turn.rendering.error if turn.rendering is not None else None
    return output_html(error) if error else ""
