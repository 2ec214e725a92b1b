"""What a gain of the score is made of: fails less, draws better when it runs, gains more from later turns;
and what is written for it.

The score of a rollout is the first draft's plus what later turns add. With r the share of first drafts that
run and s their mean score, the change of r·s between two times is Δr·mean(s) + Δs·mean(r), so the parts add
up to the whole. Intervals are bootstraps over images (of a training run: over groups).

Left out: the blind control, without which a gain of later turns may be a second look and not the feedback;
and which fields of a chart became right, which only drawn charts with known truths can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .finding import average

DRAWS = 1000
PARTS = ("fails less", "draws better when it runs", "gains more in later turns")


@dataclass(frozen=True)
class Gain:
    """The change of the score between two times: `rows` of (what, value, low, high), the whole first; `n`
    rollouts before and after; `between`, in words; `written`, sentences on what is written."""

    between: str
    rows: tuple[tuple[str, float, float, float], ...]
    n: tuple[int, int]
    written: tuple[str, ...]

    def text(self) -> str:
        """The parts as lines."""
        lines = [f"Gain from {self.between} (n = {self.n[0]:,} and {self.n[1]:,} rollouts):"]
        lines += [f"   {name:<28}{value:+.3f}  (95 % interval {low:+.3f} to {high:+.3f})"
                  for name, value, low, high in self.rows]
        return "\n".join(lines + [f"   {sentence}" for sentence in self.written])


def gain_of(run) -> Gain | None:
    """The gain of a run: from its first to its last third of steps, or from the evaluation "before" to
    "after". None where there are no two times.

    Example: `gain_of(evidence).rows[0]`.
    """
    names = set(run.name)
    if {"before", "after"} <= names:
        before, after, between = run.name == "before", run.name == "after", "the evaluation before to after"
    else:
        steps = np.unique(run.step[~np.isnan(run.step)])
        if len(steps) < 2:
            return None
        third = max(1, len(steps) // 3)
        before, after = np.isin(run.step, steps[:third]), np.isin(run.step, steps[-third:])
        span = "step" if third == 1 else f"{third} steps"
        between = f"the first {span} to the last"
    scored = ~np.isnan(run.vision) & ~np.isnan(run.first)
    before, after = np.flatnonzero(before & scored), np.flatnonzero(after & scored)
    if len(before) < 2 or len(after) < 2:
        return None
    rng, images = np.random.default_rng(0), [_by_image(run, some) for some in (before, after)]
    draws = [_parts(run, *(_again(some, rng) for some in images)) for _ in range(DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    rows = zip(("all in all", *PARTS), _parts(run, before, after), low, high, strict=True)
    return Gain(between, tuple((name, *map(float, row)) for name, *row in rows), (len(before), len(after)),
                tuple(_written(run, before, after)))


def _parts(run, before, after):
    (r, s, later), (r2, s2, later2) = (_three(run, some) for some in (before, after))
    parts = (r2 - r) * (s + s2) / 2, (s2 - s) * (r + r2) / 2, later2 - later
    return sum(parts), *parts


def _three(run, some):
    """(share of first drafts that ran, their mean score, what later turns add)."""
    ran = run.first_ran[some]
    first = np.where(ran, run.first[some], 0.0)
    score = first[ran].mean() if ran.any() else 0.0
    return ran.mean(), score, (run.vision[some] - first).mean()


def _by_image(run, some):
    """The positions `some`, group by group where there are groups, else image by image."""
    keys = run.group[some]
    if (keys < 0).any():
        keys = np.unique(run.id[some].astype(str), return_inverse=True)[1]
    order = np.argsort(keys, kind="stable")
    return np.split(some[order], np.flatnonzero(np.diff(keys[order])) + 1)


def _again(clusters, rng):
    """A bootstrap draw of rollouts, image by image."""
    return np.concatenate([clusters[i] for i in rng.integers(0, len(clusters), len(clusters))])


def _written(run, before, after):
    """What is written, before and after."""
    for name, values, form in (("characters", run.length, "{:.0f}"), ("turns", run.turns, "{:.2f}"),
                               ("tool calls", run.calls, "{:.2f}")):
        one, two = values[before].mean(), values[after].mean()
        yield f"{name} a rollout: {form.format(one)} before, {form.format(two)} after"
    there = after[run.first_ran[after] & (run.drafts[after] > 1)]
    if len(there) > 1:
        yield f"later turns add {average((run.vision - run.first)[there])} where the first draft ran (after)"
