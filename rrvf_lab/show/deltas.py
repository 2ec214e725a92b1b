"""Scores and rewards beside those they came from: what each part is, and by how much it changed.

Left out: pictures (`rollout`), many rollouts (`ledger.turns_html`).
"""

from __future__ import annotations

import math

from .html import number, row, says, table, text_html

SMALLEST = 0.0005  # a change that three decimals show


def change(now: float, was: float, form: str = "+.3f") -> str:
    """The change of a number in words: signed, "=" where it is too small to show, "" where one is unknown."""
    by = now - was
    return "" if math.isnan(by) else "=" if abs(by) < SMALLEST else f"{by:{form}}"


def whole(body: str) -> str:
    """A name that is not broken between lines."""
    return f'<span style="white-space:nowrap">{body}</span>'


def parts_html(verdict, before=None, since: str = "") -> str:
    """The parts of a judge's score in two columns, weakest first, each with its change since another verdict.

    `since` says what that one was. Example: `parts_html(turn.verdict, draft.verdict, "turn 1")`.
    """
    was = before.parts if before is not None else {}
    rows = [(whole(text_html(name, total=40)), number(value, ".2f"),
             change(value, was.get(name, math.nan), "+.2f"))
            for name, value in sorted(verdict.parts.items(), key=lambda item: (item[1], item[0]))]
    if not rows:
        return ""
    half = math.ceil(len(rows) / 2)
    head = ("part", "", "change") if was else ()
    title = says("likeness, part by part", f"(change since {text_html(since)})" if was else "")
    return title + row([table(some, head, "lrr") for some in (rows[:half], rows[half:]) if some])


def earned_html(reward, before=None, since: str = "") -> str:
    """A reward part by part, each with its change since another reward, and the sentence why.

    `since` says what that one was. Example: `earned_html(changed.reward, rollout.reward, "the original")`.
    """
    names = ("vision", "format", "tool")
    was = [getattr(before, name) if before is not None else math.nan for name in names]
    why = reward.reasons or ("", "", "")
    now = [getattr(reward, name) for name in names]
    rows = [(whole(name), number(value), change(value, old), text_html(said, total=300))
            for name, value, old, said in zip(names, now, was, why, strict=True)]
    by = change(reward.total, before.total) if before is not None else ""
    by = "" if by in ("", "=") else f" ({by} since {text_html(since)})"
    title = says("reward", f"<b>{number(reward.total)}</b>{by}")
    head = "part", "value", "change" if before is not None else "", "value x weight: why"
    return title + table(rows, head, "lrrl")
