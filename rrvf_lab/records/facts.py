"""What is asked of every stored rollout, as one line of a numpy table: filters, curves and findings read it.

Left out: turns one by one, texts and pictures, which stay in the stored line.
"""

from __future__ import annotations

import math

import numpy as np

from ..render.flags import forging

PARTS = ("vision", "format", "tool", "total")  # of a reward
FACTS = [
    ("step", "i4"), ("group", "i4"), ("id", "O"), ("target", "O"), ("name", "O"), ("blind", "?"),
    ("vision", "f8"), ("format", "f8"), ("tool", "f8"), ("total", "f8"), ("advantage", "f8"),
    ("first", "f8"), ("final", "f8"), ("first_ran", "?"), ("ran", "?"), ("drafts", "i2"), ("turns", "i2"),
    ("calls", "i2"), ("copied", "?"), ("answered", "?"), ("flagged", "?"), ("forging", "O"), ("length", "i4"),
]


def facts(row: dict) -> tuple:
    """The columns of `FACTS` of one stored rollout.

    `step` and `group` are -1 where there is none; `target` is its picture's name; `name` that of an
    evaluation; `blind` whether its replies said nothing; `vision` to `total` the reward's (NaN: none or
    unscored); `first` and `final` the judge's score of the first draft and of the final code, 0 where there
    is none; `copied` whether a draft repeats the one before; `forging` the words for what looks like it;
    `length` the characters written. Raises KeyError or TypeError for what is no rollout.

    Example: `facts(load_rollouts("runs/demo").rows[0])`.
    """
    info, reward, turns = row["info"], row["reward"] or {}, row["turns"]
    drafts = [turn for turn in turns if turn["code"] is not None]
    final = None if row["choice"] is None else turns[row["choice"]]
    flags = tuple(flag for turn in turns
                  for flag in forging((turn.get("rendering") or {}).get("flags") or ()))
    return (info.get("step", -1), info.get("group", -1), row["id"], row["target"], str(info.get("name", "")),
            bool(info.get("blind")), *(_number(reward.get(part)) for part in PARTS),
            _number(info.get("advantage")), score(drafts[0]) if drafts else 0.0,
            score(final) if final else 0.0, bool(drafts) and drew(drafts[0]),
            final is not None and drew(final), len(drafts), len(turns),
            sum(turn["action"] == "render" for turn in turns),
            any(a["code"] == b["code"] for a, b in zip(drafts, drafts[1:], strict=False)),
            row["answer"] is not None, bool(flags), flags, sum(len(turn["text"] or "") for turn in turns))


def facts_of(rows) -> np.ndarray:
    """A table with a line for each of the stored rollouts."""
    return np.array([facts(row) for row in rows], FACTS)


def group_labels(table) -> np.ndarray:
    """A number for each group, counted from 0 in the order of steps; -1 for a rollout that stands alone."""
    step, group = table["step"].astype("i8"), table["group"].astype("i8")
    keys = np.where(group < 0, -1, (step + 1 << 24) + group)
    names, of = np.unique(keys, return_inverse=True)
    return of - int(bool(len(names)) and names[0] < 0)


def drew(turn: dict) -> bool:
    """Whether a stored turn has a picture."""
    return (turn.get("rendering") or {}).get("image") is not None


def score(turn: dict) -> float:
    """The judge's score of a stored turn; NaN without a verdict."""
    return _number((turn.get("verdict") or {}).get("score"))


def _number(value):
    return math.nan if value is None else value
