"""What a gain of the score is made of: first drafts that fail less and draw better, what later turns add, how
much is written, and which fields became right where the truth is known.

The score of a rollout is its first draft's plus what the turns after it add. With r the share of first drafts
that run and s their mean score, a change of r·s is Δr·mean(s) + Δs·mean(r); so the parts add up to the whole,
and with one rollout of an image they are those of `Comparison.along_turns`. Where both times have the same
images, each is compared with itself. Intervals are bootstraps over images (unpaired: over groups).

Left out: playing a blind control. Where one is recorded beside an evaluation, what a turn gains is counted
over it; else over the turn before, which may be a second look and not the feedback.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..records.metrics import flat
from .fields import fields_of

DRAWS = 1000
PARTS = ("fails less", "draws better", "gained after the first draft")  # as `Comparison.along_turns` has it


@dataclass(frozen=True)
class Change:
    """One number at two times: means `before` and `after`, their `change` with its 95 % interval."""

    name: str
    before: float
    after: float
    change: float
    low: float
    high: float

    def text(self, form: str = "{:.3f}") -> str:
        """It as a line."""
        two, signed = f"{form.format(self.before)} -> {form.format(self.after)}", signed_form(form)
        return f"{self.name:<30}{two}: {signed.format(self.change)} ({sure(self.low, self.high, signed)})"


def signed_form(form: str) -> str:
    """The format of a number, with its sign."""
    return form.replace(":", ":+")


def sure(low: float, high: float, form: str = "{:+.3f}") -> str:
    """An interval in words."""
    return "no interval" if np.isnan(low) else f"{form.format(low)} to {form.format(high)}"


@dataclass(frozen=True)
class Gain:
    """The change of the score between two times.

    `rows` are (what, value, low, high), the whole first, then `PARTS`; `turns`, what each turn after the
    first gains over what `over` names; `written`, how much is written; `fields`, what is right where the
    truth is known: each a tuple of `Change`. `n` rollouts before and after; `between` in words; `images` that
    are compared with themselves, 0 where nothing is paired.
    """

    between: str
    rows: tuple[tuple[str, float, float, float], ...]
    n: tuple[int, int]
    images: int
    over: str
    turns: tuple[Change, ...]
    written: tuple[Change, ...]
    fields: tuple[Change, ...]

    @property
    def caption(self) -> str:
        """What is compared, in words."""
        pairs = f"; {self.images:,} images, each compared with itself" if self.images else "; other images"
        return f"{self.between} (n = {self.n[0]:,} and {self.n[1]:,} rollouts{pairs})"

    def text(self) -> str:
        """The parts as lines."""
        lines = [f"Gain from {self.caption}:"]
        lines += [f"   {name:<30}{value:+.3f} ({sure(low, high)})"
                  for name, value, low, high in self.rows]
        for head, some, form in self.tables():
            lines += [f"   {head}:", *(f"      {one.text(form)}" for one in some)]
        return "\n".join(lines)

    def tables(self):
        """(heading, changes, format of a number) of what is there beside the parts."""
        shown = ((f"gained in each turn, over {self.over}", self.turns, "{:.3f}"),
                 ("written in a rollout", self.written, "{:.2f}"),
                 ("right, where the truth is known", self.fields, "{:.3f}"))
        return [table for table in shown if table[1]]


def gain_of(run) -> Gain | None:
    """The gain of a run: of its held-out images where they were evaluated before and after, else from its
    first to its last third of steps. None where there are no two times.

    Example: `gain_of(evidence).rows[0]`.
    """
    run = run.evaluation or run
    seen = ~run.blind
    if {"before", "after"} <= set(run.name[seen]):
        before, after, between = run.name == "before", run.name == "after", "the evaluation before to after"
    else:
        steps = np.unique(run.step[~np.isnan(run.step)])
        if len(steps) < 2:
            return None
        third = max(1, len(steps) // 3)
        before, after = np.isin(run.step, steps[:third]), np.isin(run.step, steps[-third:])
        between = f"the first {'step' if third == 1 else f'{third} steps'} to the last"
    scored = ~np.isnan(run.vision) & ~np.isnan(run.first) & seen
    before, after = np.flatnonzero(before & scored), np.flatnonzero(after & scored)
    if len(before) < 2 or len(after) < 2:
        return None
    times = Times(run, before, after)
    rows = zip(("all in all", *PARTS), _parts(run, times), strict=True)
    over, turns = _by_turn(run, times)
    written = {"characters": run.length, "turns": run.turns, "tool calls": run.calls}
    return Gain(between, tuple((name, *_estimate(draws)) for name, draws in rows), (len(before), len(after)),
                times.images, over, turns, _changes(times, written), _changes(times, _known_fields(run)))


class Times:
    """Rollouts at two times, and a thousand draws of them: by image where at least half of both times are
    images of the other too (`images`, else 0), else group by group on either side.

    What it gives are arrays of the value itself and its draws; no draw where a side is one group alone.
    """

    def __init__(self, run, before, after):
        self.sides, rng = (before, after), np.random.default_rng(0)
        image = np.unique(np.where(run.id == "", run.target, run.id).astype(str), return_inverse=True)[1]
        counts = [np.bincount(image[some], minlength=image.max() + 1) for some in self.sides]
        both = (counts[0] > 0) & (counts[1] > 0)
        self.images = int(both.sum()) if both.sum() > 1 and all(
            both[image[some]].mean() >= 0.5 for some in self.sides) else 0
        if self.images:
            place = np.where(both, np.cumsum(both) - 1, -1)[image]
            self.sides = tuple(some[place[some] >= 0] for some in self.sides)
            self.of, self.weights = [place[some] for some in self.sides], [_weights(self.images, rng)] * 2
        else:
            units = np.where(run.group < 0, run.group.max(initial=-1) + 1 + image, run.group)
            self.of = [np.unique(units[some], return_inverse=True)[1] for some in self.sides]
            self.weights = [_weights(of.max() + 1, rng) for of in self.of]

    def means(self, values, where=None):
        """The mean of the known values (and of those `where`) before and after: of each image, or its draws.
        """
        use = ~np.isnan(values) if where is None else ~np.isnan(values) & where
        values = np.where(use, values, 0.0)
        for some, of, weights in zip(self.sides, self.of, self.weights, strict=True):
            n = weights.shape[1]
            total, count = np.bincount(of, values[some], n), np.bincount(of, use[some], n)
            if not self.images:
                total, count = weights @ total, weights @ count
            yield np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)

    def draws(self, values):
        """The draws of a number: of one value for each image their mean, of draws themselves."""
        if not self.images:
            return values
        known = ~np.isnan(values)
        total, count = self.weights[0] @ np.where(known, values, 0.0), self.weights[0] @ known
        return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _weights(n, rng):
    """How often each of n is drawn: once each, then in a thousand draws with replacement; of one nothing is
    drawn, as it says nothing of another."""
    drawn = rng.multinomial(n, np.full(n, 1 / n), DRAWS) if n > 1 else np.zeros((DRAWS, n))
    return np.vstack([np.ones(n), drawn])


def _estimate(draws):
    """(value, low, high) of a number and its draws."""
    known = draws[1:][~np.isnan(draws[1:])]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
    return float(draws[0]), float(low), float(high)


def mean_of(values, images) -> tuple[float, float, float]:
    """(mean, low, high) of the known values, the interval from draws of whole images; NaN of none.

    Example: `mean_of(run.vision, run.target)`.
    """
    known = ~np.isnan(values)
    if not known.any():
        return (np.nan,) * 3
    of = np.unique(images[known].astype(str), return_inverse=True)[1]
    weights = _weights(of.max() + 1, np.random.default_rng(0))
    total, count = weights @ np.bincount(of, values[known]), weights @ np.bincount(of)
    return _estimate(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))


def _parts(run, times):
    """The whole and its `PARTS`, with their draws."""
    r, r2 = times.means(run.first_ran.astype(float))
    s, s2 = times.means(run.first, run.first_ran)
    later, later2 = times.means(run.vision - np.where(run.first_ran, run.first, 0.0))
    s, s2 = (np.nan_to_num(np.where(np.isnan(a), b, a)) for a, b in ((s, s2), (s2, s)))  # none ran
    parts = [times.draws(part) for part in
             ((r2 - r) * (s + s2) / 2, (s2 - s) * (r + r2) / 2, later2 - later)]
    return sum(parts), *parts


def _changes(times, columns):
    """A `Change` for each column of numbers that is known at both times."""
    found = []
    for name, values in columns.items():
        before, after = times.means(np.asarray(values, float))
        if times.images:  # of the images that are known at both times
            before, after = (np.where(np.isnan(before + after), np.nan, one) for one in (before, after))
        change = times.draws(after - before)
        if not np.isnan(change[0]):
            two = [float(times.draws(one)[0]) for one in (before, after)]
            found.append(Change(name, *two, *_estimate(change)))
    return tuple(found)


def _by_turn(run, times):
    """(over what, a `Change` for each turn after the first) of what the turns gain."""
    gains = np.diff(run.so_far, axis=1)
    control = {name: blind_of(run, name) for name in set(run.name[np.concatenate(times.sides)])}
    over = "the turn before"
    if times.images and all(len(some) for some in control.values()):
        over = "the blind control"
        for name, blind in control.items():
            gains[(run.name == name) & ~run.blind] -= over_blind(run, name, blind, gains)
    columns = {f"turn {k + 2}": gains[:, k] for k in range(gains.shape[1])}
    return over, _changes(times, columns)


def over_blind(run, name, blind, gains):
    """What the blind control gained of the same image, for each seeing rollout of an evaluation; NaN where
    the control has not played it."""
    first = {run.id[i]: gains[i] for i in blind[::-1]}
    nothing = np.full(gains.shape[1], np.nan)
    return np.array([first.get(run.id[i], nothing) for i in np.flatnonzero((run.name == name) & ~run.blind)])


def blind_of(run, name) -> np.ndarray:
    """The positions of the blind control of an evaluation: recorded blind, under a name that holds its own;
    where only one evaluation was played seeing and one blind, these two."""
    blind = np.flatnonzero(run.blind)
    named = [i for i in blind if name and name in run.name[i]]
    alone = len(set(run.name[~run.blind])) == 1 and len(set(run.name[blind])) == 1
    return np.array(named or (blind if alone else []), int)


def _known_fields(run):
    """{name: values} of what was measured against a truth: recorded metrics, and fields of drawn charts."""
    rows = [flat(row["info"].get("metrics", {})) for row in run.rows]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, np.nan) for row in rows] for name in names} | fields_of(run)
