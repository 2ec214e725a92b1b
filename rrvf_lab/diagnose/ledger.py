"""The ledger of a run: turn by turn what the drafts score, part by part, what became of the draft before, and
what a turn costs in characters, tokens and seconds.

A change is paired: a draft against the draft before it in the same rollout, of parts and scores where both
ran. Intervals are bootstraps over images.

Left out: money; tokens where nobody counted them (`ledger_of(run, policy)` does).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..records.statistics import mean
from ..training.advantages import FLAT
from .gain import blind_of, mean_of, over_blind

FATES = ("crash to runs", "runs to crash", "crashes again", "better", "worse", "same score", "copied")


@dataclass(frozen=True)
class Line:
    """One measure: `values` and (mean, low, high) `changes`, one for each turn; NaN where there is none.
    `form` says how a number is written."""

    name: str
    values: tuple[float, ...]
    changes: tuple[tuple[float, float, float], ...] = ()
    form: str = "{:.3f}"

    def cells(self) -> list[str]:
        """What stands under each turn, in words; "-" where nothing is known."""
        said = ["-" if np.isnan(value) else self.form.format(value) for value in self.values]
        signed = self.form.replace(":", ":+")
        for k, (change, low, high) in enumerate(self.changes):
            if not np.isnan(change):
                sure = "" if np.isnan(low) else f" [{signed.format(low)}, {signed.format(high)}]"
                said[k] += f" ({signed.format(change)}{sure})"
        return said


@dataclass(frozen=True, repr=False)
class Ledger:
    """Measures by turn: `scores`, `parts` of the judge, `fates` of the draft before, `costs`; each a tuple of
    `Line`. `notes` are sentences, on drafts that may be held back among them."""

    scores: tuple[Line, ...]
    parts: tuple[Line, ...]
    fates: tuple[Line, ...]
    costs: tuple[Line, ...]
    notes: tuple[str, ...]

    def sections(self):
        """(heading, lines) of what there is."""
        shown = (("drafts", self.scores), ("parts of the judge, of drafts that ran", self.parts),
                 ("what became of the draft before", self.fates), ("costs, a mean", self.costs))
        return [(head, lines) for head, lines in shown if lines]

    def table(self):
        """A pandas frame: a row for each measure, a column for each turn."""
        import pandas as pd

        lines = [line for _, some in self.sections() for line in some]
        columns = [f"turn {k + 1}" for k in range(len(lines[0].values) if lines else 0)]
        return pd.DataFrame([line.values for line in lines], [line.name for line in lines], columns)

    def text(self) -> str:
        """It as text."""
        rows = [(f"  {line.name}", *line.cells()) for _, lines in self.sections() for line in lines]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
        said = ["Turn by turn (in brackets the change to the draft before, [95 % interval]):"]
        said += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in rows]
        return "\n".join([*said, *(f"  {note}" for note in self.notes)])

    __repr__ = text


def ledger_of(run, policy=None) -> Ledger:
    """The ledger of an `Evidence`; tokens are counted with the tokenizer of a `ModelPolicy`.

    Example: `ledger_of(diagnose("runs/demo").evidence, load_policy("nano")).table()`.
    """
    turns = _Drafts(run)
    every = range(int(run.turns.max(initial=0)))
    scores = (Line("written", tuple(float(turns.at(k).sum()) for k in every), form="{:,.0f}"),
              turns.line("ran", run.turn.ran.astype(float), "{:.1%}"),
              turns.line("score when it ran", np.where(run.turn.ran, run.turn.score, np.nan)),
              _so_far(run))
    names = dict.fromkeys(name for part in turns.parts for name in part)
    parts = tuple(turns.line(name, np.array([part.get(name, np.nan) for part in turns.parts], float))
                  for name in names)
    fates = tuple(Line(fate, tuple(float((turns.at(k) & (turns.fate == fate)).sum()) if k else np.nan
                                   for k in every), form="{:,.0f}") for fate in FATES)
    seen = [line for line in fates if np.nansum(line.values)]
    return Ledger(scores, parts, tuple(seen), _costs(run, policy, every), tuple(_notes(run)))


class _Drafts:
    """The turns of a run that hold a program, each with the one before it in its rollout (`before`, else
    -1)."""

    def __init__(self, run):
        turn, self.run = run.turn, run
        self.wrote = np.array([code is not None for code in turn.code], bool)
        self.before = np.full(len(turn), -1)
        places = np.flatnonzero(self.wrote)
        same = turn.of[places[1:]] == turn.of[places[:-1]]
        self.before[places[1:][same]] = places[:-1][same]
        self.parts = [(one.get("verdict") or {}).get("parts") or {} if drew else {} for one, drew in
                      zip((one for row in run.rows for one in row["turns"]), turn.ran, strict=True)]
        self.fate = self._fates()

    def at(self, k):
        """Which turns are drafts of turn k."""
        return self.wrote & (self.run.turn.k == k)

    def line(self, name, values, form="{:.3f}"):
        """A measure of drafts: its mean in each turn, and the paired change to the draft before."""
        image, every = self.run.target[self.run.turn.of], range(int(self.run.turns.max(initial=0)))
        change = np.where(self.before >= 0, values - values[self.before], np.nan)
        at = [self.at(k) for k in every]
        return Line(name, tuple(mean(values[some & ~np.isnan(values)]) for some in at),
                    tuple(mean_of(change[some], image[some]) for some in at), form)

    def _fates(self):
        turn, before = self.run.turn, self.before
        ran, drew, change = turn.ran, turn.ran[before], turn.score - turn.score[before]
        same = np.array([code == turn.code[k] for code, k in zip(turn.code, before, strict=True)], bool)
        fates = np.select([before < 0, same, ran & ~drew, ~ran & drew, ~ran, change > FLAT, change < -FLAT],
                          ["", "copied", *FATES[:3], "better", "worse"], "same score")
        return np.where(ran & drew & ~same & np.isnan(change), "", fates)


def _so_far(run):
    """The score after each turn, of all rollouts that are scored."""
    scores = run.so_far[~np.isnan(run.vision)]
    images = run.target[~np.isnan(run.vision)]
    changes = np.diff(scores, axis=1)
    nothing = [(np.nan,) * 3] * bool(scores.shape[1])
    return Line("score so far, failures 0", tuple(mean(column[~np.isnan(column)]) for column in scores.T),
                (*nothing, *(mean_of(column, images) for column in changes.T)))


def _costs(run, policy, every):
    """What a turn costs, a mean over the turns there are."""
    turn, rows = run.turn, [one for row in run.rows for one in row["turns"]]
    columns = {"characters": (np.array([len(text) for text in turn.text], float), "{:,.0f}"),
               "tokens": (_recorded(run, "tokens"), "{:,.0f}"),
               "seconds of writing": (_recorded(run, "seconds"), "{:.2f}"),
               "seconds of rendering": (np.array([(one.get("rendering") or {}).get("seconds") or 0.0
                                                  for one in rows], float), "{:.2f}")}
    if policy is not None:
        count = policy.processor.tokenizer
        columns["tokens"] = np.array([len(count(text)["input_ids"]) for text in turn.text], float), "{:,.0f}"
    lines = [Line(name, tuple(mean(values[(turn.k == k) & ~np.isnan(values)]) for k in every), form=form)
             for name, (values, form) in columns.items()]
    return tuple(line for line in lines if not np.isnan(line.values).all())


def _recorded(run, name):
    """A number that was recorded for each message, where every turn is a message of its own."""
    found = []
    for row in run.rows:
        told, n = row["info"].get(name) or [], len(row["turns"])
        found += told if isinstance(told, list) and len(told) == n else [np.nan] * n
    return np.array(found, float)


def _notes(run):
    """What the log says of a rollout's tokens, and whether first drafts may be held back."""
    tokens = [row["completions/mean_length"] for row in run.log if "completions/mean_length" in row]
    if tokens:
        yield f"tokens a rollout, of the trainer's log: {np.mean(tokens):,.0f}, a mean of {len(tokens)} steps"
    gains = np.diff(run.so_far, axis=1)
    for name in dict.fromkeys(run.name[~run.blind]):
        blind = blind_of(run, name)
        if len(blind) and gains.shape[1]:
            held = mean_of(gains[blind].sum(1), run.target[blind])
            seen = np.flatnonzero((run.name == name) & ~run.blind)
            told = mean_of((gains[seen] - over_blind(run, name, blind, gains)).sum(1), run.target[seen])
            who = f" ({name})" if name else ""
            yield (f"without feedback (the blind control{who}) a rollout gains {_said(held)} after its first "
                   "draft: what first drafts hold back")
            yield f"feedback{who} gains {_said(told)} over that"
    paid = _paid(run)
    if paid:
        pays = ": weak first drafts pay" if paid[1] > 1e-3 else ""
        yield f"an improvement is paid {_said(paid)} a point where the rollouts end alike{pays}"


def _paid(run):
    """(slope, low, high) of the reward over the improvement where the final score is the same; None where
    that cannot be told."""
    gained = run.vision - run.first
    there = ~np.isnan(gained) & ~np.isnan(run.total)
    design = np.column_stack([np.ones(there.sum()), run.vision[there], run.format[there], run.tool[there],
                              gained[there]])
    design = design[:, [0, *(k for k in range(1, 5) if len(design) and np.ptp(design[:, k]) > FLAT)]]
    free = len(design) - design.shape[1]
    if free < 10 or np.ptp(gained[there]) < FLAT or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    slope, *_ = np.linalg.lstsq(design, run.total[there], rcond=None)
    left = run.total[there] - design @ slope
    error = np.sqrt(left @ left / free * np.linalg.inv(design.T @ design)[-1, -1])
    return slope[-1], slope[-1] - 1.96 * error, slope[-1] + 1.96 * error


def _said(estimate):
    value, low, high = (round(number, 3) + 0.0 for number in estimate)
    return f"{value:+.3f} (95 % interval {low:+.3f} to {high:+.3f})"
