"""Metrics of finished rollouts are functions: `metric(rollout, item) -> number`, or a dict of numbers by
name.

`item` is the row that was played, with whatever columns it has (`reference`, `kind`, ...). A metric may have

    name     what its numbers are called (else its `__name__`)
    needs    names of the columns it reads, so that an item without one is refused before anything is played
    map      `map(pairs)`, to measure many (rollout, item) at once

One that raises ValueError on an item leaves it unmeasured, with the reason: it is in no mean. What failed is
the metric's own business; the published ones give 0.

Left out: the published metrics themselves (`benchmarks`).
"""

from __future__ import annotations

import inspect

AT_ONCE = 16  # items between two writes of their metrics


def name_of(metric) -> str:
    """What a metric is called."""
    return getattr(metric, "name", None) or getattr(metric, "__name__", None) or type(metric).__name__


def check(metrics, item) -> None:
    """Refuse, before the first turn is played, what could not be measured after the last.

    Raises TypeError for what is no function of (rollout, item), ValueError for two of one name or a missing
    column.
    """
    names = [name_of(metric) for metric in _all_callable(metrics)]
    for name in names:
        if names.count(name) > 1 or name == "<lambda>":
            raise ValueError(
                f"{names.count(name)} metrics are called {name!r}; give each a name of its own, by def or "
                "by a `name`"
            )
    for metric in metrics:
        missing = [column for column in getattr(metric, "needs", ()) if not item.get(column)]
        if missing:
            raise ValueError(
                f"{name_of(metric)} needs {missing[0]!r} of every item, and {item.get('id')!r} has none; "
                "load_benchmark gives items with a `reference`"
            )


def _all_callable(metrics):
    if callable(metrics) or isinstance(metrics, str):
        raise TypeError(
            f"metrics={metrics!r:.60}: give a list of functions, such as metrics=[benchmarks.chartmimic]"
        )
    for metric in metrics:
        if not callable(metric) or isinstance(metric, type):
            raise TypeError(
                f"a metric is a function of (rollout, item), not {metric!r:.60}; the published ones are in "
                "rrvf_lab.benchmarks, such as metrics=[benchmarks.chartmimic]"
            )
        try:
            inspect.signature(metric).bind(None, None)
        except TypeError:
            raise TypeError(f"a metric is called as metric(rollout, item); {name_of(metric)} takes "
                            f"{inspect.signature(metric)}") from None
    return metrics


def measure(rollouts, item_of, metric, recording=None) -> None:
    """Put a metric's numbers into `info["metrics"]` of each rollout that has none of it yet.

    `item_of(id)` gives the item that was played; `recording` writes the numbers down as they come.

    Example: `measure(report.rollouts, items.__getitem__, benchmarks.chartmimic)`.
    """
    name = name_of(metric)
    missing = [r for r in rollouts if name not in r.info.get("metrics", {})]
    for k in range(0, len(missing), AT_ONCE):
        some = missing[k:k + AT_ONCE]
        for rollout, numbers in zip(some, _measured(metric, [(r, item_of(r.id)) for r in some]), strict=True):
            rollout.info.setdefault("metrics", {})[name] = numbers
        if recording:
            recording.update(some)


def _measured(metric, pairs):
    """The numbers of each pair; where many at once fail, each is tried alone."""
    if not hasattr(metric, "map") and len(pairs) > 1:
        return [_measured(metric, [pair])[0] for pair in pairs]
    try:
        found = metric.map(pairs) if hasattr(metric, "map") else [metric(*pairs[0])]
        return [_numbers(metric, one) for one in found]
    except ValueError as error:
        if len(pairs) == 1:
            return [{"unscored": str(error)}]
        return [_measured(metric, [pair])[0] for pair in pairs]


def _numbers(metric, found):
    """A number, or a dict of numbers, as files keep them."""
    try:
        return (
            {str(part): float(value) for part, value in found.items()}
            if isinstance(found, dict)
            else float(found)
        )
    except TypeError:
        raise TypeError(
            f"{name_of(metric)} returned {found!r:.80}; a metric returns a number or a dict of numbers"
        ) from None


def numbers_of(rollout) -> dict[str, float]:
    """The measured numbers of a rollout, by the metric's name and their own: {"chartmimic text": 0.5}."""
    return flat(rollout.info.get("metrics", {}))


def flat(metrics: dict) -> dict[str, float]:
    """Recorded metrics (`info["metrics"]`) by one name each; what was not measured is left out."""
    numbers = {}
    for name, found in metrics.items():
        if not isinstance(found, dict):
            numbers[name] = float(found)
        elif "unscored" not in found:
            numbers |= {f"{name} {part}": float(value) for part, value in found.items()}
    return numbers
