"""Means with what is known of them: 95 % intervals and n, NaN left out.

Intervals are percentile bootstraps over items, with a fixed seed (of rates: Wilson's, as a bootstrap of 48
successes in 48 would claim certainty): what another draw of images would give, not another training run.

Left out: variation between training seeds or between samples of one policy; corrections for many comparisons.
"""

from __future__ import annotations

import math

import numpy as np

DRAWS, SEED = 4000, 0  # of the bootstrap


def known(values) -> np.ndarray:
    """The values that are not NaN, as floats."""
    values = np.asarray(values, float)
    return values[~np.isnan(values)]


def mean(values) -> float:
    """The mean of the values, NaN of none."""
    return float(np.mean(values)) if len(values) else math.nan


def standard_error(values) -> float:
    """The standard error of the mean, NaN below two values."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def interval(values, level: float = 0.95) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean over items, NaN left out; (nan, nan) for fewer than two
    values.

    For few items (below 20 or so) such intervals are a little too narrow.

    Example: `interval([0.2, 0.4, 0.9])`.
    """
    from scipy.stats import bootstrap

    values = known(values)
    if len(values) < 2:
        return math.nan, math.nan
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=DRAWS,
        confidence_level=level,
        method="percentile",
        batch=max(1, 4_000_000 // len(values)),
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def estimate(values) -> dict[str, float]:
    """The mean of what is known: value, low, high, n."""
    low, high = interval(values)
    return {"value": mean(known(values)), "low": low, "high": high, "n": len(known(values))}


def share(hits) -> dict[str, float]:
    """A rate from a 0 or 1 of each item: value, low, high, n."""
    from scipy.stats import binomtest

    if not len(hits):
        return {"value": math.nan, "low": math.nan, "high": math.nan, "n": 0}
    found = binomtest(int(sum(hits)), len(hits)).proportion_ci(method="wilson")
    return {"value": mean(hits), "low": float(found.low), "high": float(found.high), "n": len(hits)}


def frame(rows, index: str):
    """Rows with value, low, high, n as a pandas frame, also where there are none."""
    import pandas as pd

    return pd.DataFrame(rows, columns=None if rows else [index, "value", "low", "high", "n"]).set_index(index)
