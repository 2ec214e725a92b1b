"""What the metrics of a report add up to, the arithmetic that the benchmarks' own tables share.

Left out: which numbers a benchmark's table has, and under which convention (its own `table`).
"""

from __future__ import annotations

import numpy as np

from ..records.statistics import known, mean


def recorded(report, name: str) -> list[dict[str, float]]:
    """The numbers of each rollout that this metric measured; ValueError where there is none."""
    found = [numbers for numbers in (numbers_of(rollout, name) for rollout in report.rollouts) if numbers]
    if not found:
        raise ValueError(f"no rollout has the metric {name!r}; evaluate(..., metrics=[benchmarks.{name}]) on "
                         "items with a reference")
    return found


def numbers_of(rollout, name: str) -> dict[str, float] | None:
    """The numbers of one rollout; None where it was not measured or could not be."""
    found = rollout.info.get("metrics", {}).get(name)
    return None if found is None or "unscored" in found else found


def counted(rows, failures: str) -> list[dict[str, float]]:
    """The rows that count: all of them for "zero", those that ran for "drop". ValueError for another word."""
    if failures not in ("zero", "drop"):
        raise ValueError(f"failures={failures!r}: it is 'zero' or 'drop'")
    return [row for row in rows if failures == "zero" or row["ran"]]


def mean_of(rows, name: str, missing: str = "drop") -> float:
    """The mean of a number; what is NaN is left out, or 0 for "zero". NaN of no rows."""
    values = np.array([row[name] for row in rows], float)
    return mean(np.nan_to_num(values) if missing == "zero" else known(values))
