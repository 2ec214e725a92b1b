"""Two reports over the same images, item by item: what changed, how sure that is, and what it is made of.

Gains are paired by image and split into crashes repaired and quality gained, because the paper's gain is
mostly executability.

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

    `pairs` is a frame with id, before, after, change and `split`: "crash repaired", "quality (both ran)",
    "newly broken", "failed in both". `unpaired` counts the rollouts whose id the other report has not.
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

    def __repr__(self):
        unpaired = f", {self.unpaired} unpaired" if self.unpaired else ""
        return (
            f"Comparison(effect {self.effect:+.3f} [{self.low:+.3f}, {self.high:+.3f}], se {self.se:.3f}, "
            f"n={self.n}{unpaired})"
        )


def _pairs(before, after):
    import pandas as pd

    after = {r.id: r for r in after}
    both = [(r, after[r.id]) for r in before if r.id in after]
    rows = [{"id": a.id, "before": a.reward.vision, "after": b.reward.vision,
             "change": b.reward.vision - a.reward.vision, "split": SPLIT[a.ran, b.ran]} for a, b in both]
    return pd.DataFrame(rows, columns=["id", "before", "after", "change", "split"])
