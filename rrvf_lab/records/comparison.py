"""Two reports over the same images, item by item: what changed, how sure that is, and what it is made of.

Gains are paired by image and split twice: into crashes repaired and quality gained, because the paper's gain
is mostly executability; and into what the first draft gained and what the turns after it did.

Left out: variation between training seeds; corrections for many comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .statistics import estimate, frame, interval, known, mean, standard_error

SPLIT = {(False, True): "crash repaired", (True, True): "quality (both ran)", (True, False): "newly broken",
         (False, False): "failed in both"}


@dataclass(frozen=True)
class Comparison:
    """Two reports over the same images, item by item. `effect` is the mean change of the vision score over
    the `n` pairs that have two scores, with its standard error `se` and 95 % bootstrap interval `low`,
    `high`.

    `pairs` is a frame with id, before, after, change, `split` ("crash repaired", "quality (both ran)",
    "newly broken", "failed in both"), `first`, the change of the first drafts' scores, and `first_split`.
    `unpaired` counts the rollouts whose id the other report has not.
    """

    pairs: object
    effect: float
    low: float
    high: float
    se: float
    n: int
    unpaired: int

    @classmethod
    def of(cls, before, after) -> Comparison:
        """Compare two reports (or anything with `rollouts`). Raises ValueError when they share no image id.
        """
        pairs = _pairs(before.rollouts, after.rollouts)
        if pairs.empty:
            one, two = (", ".join(r.id for r in report.rollouts[:2]) for report in (before, after))
            raise ValueError(
                f"the reports share no image id ({one}, ...; {two}, ...); evaluate both on the same images"
            )
        changes = known(pairs["change"])
        unpaired = len(before.rollouts) + len(after.rollouts) - 2 * len(pairs)
        return cls(pairs, mean(changes), *interval(changes), standard_error(changes), len(changes), unpaired)

    def split(self):
        """A frame: where the effect comes from. `contribution` (with its interval) sums up to the effect;
        `change` is the mean over the row's own `n` items."""
        pairs, rows = self.pairs.dropna(subset="change"), []
        for name in SPLIT.values():
            here = pairs["split"] == name
            part = estimate(np.where(here, pairs["change"], 0.0))
            rows.append({"split": name, "n": int(here.sum()), "change": mean(pairs["change"][here]),
                         "contribution": part["value"], "low": part["low"], "high": part["high"]})
        return frame(rows, "split")

    def along_turns(self):
        """A frame: what the effect is made of, in three rows that sum up to it: first drafts that "fails
        less", first drafts that "draws better", and what is "gained after the first draft".

        `contribution` is a mean over all n items, with its standard error `se` and interval.
        """
        pairs = self.pairs.dropna(subset=["change", "first"])
        both = pairs["first_split"] == SPLIT[True, True]
        parts = {"fails less": np.where(both, 0.0, pairs["first"]),
                 "draws better": np.where(both, pairs["first"], 0.0),
                 "gained after the first draft": (pairs["change"] - pairs["first"]).to_numpy()}
        rows = []
        for name, values in parts.items():
            low, high = interval(values)
            rows.append({"part": name, "contribution": mean(values), "se": standard_error(values), "low": low,
                         "high": high})
        return frame(rows, "part")

    def __repr__(self):
        unpaired = f", {self.unpaired} unpaired" if self.unpaired else ""
        return (
            f"Comparison(effect {self.effect:+.3f} [{self.low:+.3f}, {self.high:+.3f}], se {self.se:.3f}, "
            f"n={self.n}{unpaired})"
        )


def _pairs(before, after):
    import pandas as pd

    after = {r.id: r for r in after}
    rows = [_pair(r, after[r.id]) for r in before if r.id in after]
    return pd.DataFrame(rows, columns=["id", "before", "after", "change", "split", "first", "first_split"])


def _pair(before, after):
    drew, draws = (bool(r.drafts) and r.drafts[0].ran for r in (before, after))
    return {"id": before.id, "before": before.reward.vision, "after": after.reward.vision,
            "change": after.reward.vision - before.reward.vision, "split": SPLIT[before.ran, after.ran],
            "first": _first(after) - _first(before), "first_split": SPLIT[drew, draws]}


def _first(rollout):
    return rollout.drafts[0].score if rollout.drafts else 0.0
