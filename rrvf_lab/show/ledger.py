"""What each message of a rollout cost, and a run's ledger turn by turn: characters, seconds, tokens.

Left out: money. Tokens are only counted where a model's tokenizer is at hand.
"""

from __future__ import annotations

from ..play import conversations, messages, width
from .html import says, table, text_html


def ledger(rollout, policy=None) -> list[dict]:
    """What each message cost: characters written, seconds of writing (if recorded) and rendering, tokens.

    Tokens written and tokens read (prompt and image tokens so far) are counted with the `ModelPolicy` given;
    without one they are None.

    Example: `pandas.DataFrame(ledger(rollout, rl.load_policy("nano")))`.
    """
    said, seconds, rows = messages(rollout), rollout.info.get("seconds", []), []
    talks = [None] * len(said)
    if policy is not None:
        talks = conversations(rollout, max(3, len(said)), getattr(policy, "difference", False))
    for k, ((first, text), talk) in enumerate(zip(said, talks, strict=True)):
        turns = rollout.turns[first:first + width(text)]
        rows.append({
            "message": k + 1, "characters": len(text),
            "tokens read": talk and int(policy.inputs([talk])["input_ids"].shape[1]),
            "tokens written": talk and len(policy.processor.tokenizer(text)["input_ids"]),
            "writing s": seconds[k] if k < len(seconds) else None,
            "rendering s": round(sum((turn.rendering.seconds for turn in turns if turn.rendering), 0.0), 3)})
    return rows


def ledger_html(rows) -> str:
    """`ledger` rows as a table; what was not recorded or counted is a dash."""
    def said(value):
        return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else f"{value:,}"

    return table([map(said, row.values()) for row in rows], rows[0], "r" * len(rows[0])) if rows else ""


def turns_html(ledger) -> str:
    """The ledger of a run (`diagnose.ledger`) as a table: measures down, turns across, in brackets the change
    to the draft before with its 95 % interval."""
    sections, rows = ledger.sections(), []
    for head, lines in sections:
        rows.append((f"<b>{head}</b>",))
        rows += [(text_html(line.name, total=80), *map(text_html, line.cells())) for line in lines]
    turns = [f"turn {k}" for k in range(1, len(sections[0][1][0].values) + 1)]
    return table(rows, ("", *turns), "l" + "r" * len(turns)) + "".join(
        says("", text_html(note)) for note in ledger.notes)
