"""One protocol for judges everywhere: `judge(target, image, error=None) -> Verdict`.

A judge may also have `concurrency` (how many pairs it wants at once), `map(pairs)` (many at once) and `fresh()` (the
same without its cache). `as_judge` makes one of any function that returns a number or a verdict.

Left out: what to do with one bad verdict (`vlm.Fallback`).
"""

from __future__ import annotations

import inspect
import math
import re

from .verdict import Verdict


class JudgeStopped(RuntimeError):
    """The judge gives no verdicts, and whoever asked was told to stop there."""


def as_judge(judge):
    """A judge as the loop calls it, from a judge or from any function that scores two pictures.

    Args:
        judge: a class with the whole protocol (`PixelJudge`, `VLMJudge`, yours), or a function of `(target, image)` or
            `(target, image, error)` that returns a `Verdict` or a number in [0, 1], 1 = the same. One of two arguments
            is only asked about pictures: a program that drew nothing gets 0.

    Raises TypeError for what cannot be called that way. The judge made raises ValueError for a number outside [0, 1];
    NaN is an unscored verdict.

    Example: `play(policy, image, judge=as_judge(lambda target, image: float(target.size == image.size)))`.
    """
    if isinstance(judge, _Judge) or _declares_verdicts(judge):
        return judge
    return _Judge(judge, *_takes(judge))


class _Judge:
    """A function as a judge; whatever else it has (`concurrency`, `map`, `model`) is still there."""

    def __init__(self, function, takes_error, by_name):
        self._function, self._takes_error, self._by_name = function, takes_error, by_name
        self.__name__ = getattr(function, "__name__", None) or type(function).__name__

    def __call__(self, target, image, error=None) -> Verdict:
        if image is None and not self._takes_error:
            return Verdict.no_picture(error)
        if self._by_name:
            said = self._function(target, image, error=error)
        else:
            said = self._function(target, image, *([error] if self._takes_error else []))
        return said if isinstance(said, Verdict) else _verdict(said, self.__name__)

    def __getattr__(self, name):
        if name in ("_function", "__setstate__"):  # while it is being copied there is nothing to ask yet
            raise AttributeError(name)
        return getattr(self._function, name)


def _verdict(said, name):
    try:
        score = float(said)
    except (TypeError, ValueError):
        raise TypeError(f"the judge {name} returned {said!r:.80}; a judge returns a number in [0, 1] or a Verdict"
                        ) from None
    if math.isnan(score):
        return Verdict.unscored(f"{name} gave NaN")
    if not 0 <= score <= 1:
        raise ValueError(f"the judge {name} returned {score:g}, outside [0, 1]; scale it, for example "
                         "min(1, max(0, score))")
    return Verdict(score, "", {}, f"{name} gave {score:.3f}.")


def _declares_verdicts(judge):
    """Whether its signature is the whole protocol's: (target, image, error=None) -> Verdict."""
    call = judge if inspect.isroutine(judge) else getattr(type(judge), "__call__", None)
    said = getattr(call, "__annotations__", {}).get("return")
    return said in (Verdict, "Verdict") and _takes(judge)[0]


def _takes(judge):
    """(whether it takes the error too, whether only by name)."""
    if not callable(judge) or isinstance(judge, type):
        raise TypeError(f"a judge is called with (target, image), and {judge!r:.80} cannot be; give a function or an "
                        "object such as PixelJudge()")
    try:
        parameters = inspect.signature(judge).parameters.values()
    except (TypeError, ValueError):  # some builtins have no signature
        return False, False
    places = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    more = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    must = sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    if must > 3 or places < 2 and not more:
        raise TypeError(f"a judge takes (target, image) or (target, image, error), not {inspect.signature(judge)}")
    by_name = any(p.kind is p.KEYWORD_ONLY and p.name == "error" for p in parameters)
    third = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][2:3]
    # a third argument with a default and another name is the function's own setting, not a place for the error
    return bool(by_name or more or must == 3 or third == ["error"]), by_name


def stop_where_none_scored(verdicts, least: int = 2) -> None:
    """Raise `JudgeStopped`, with the judge's own words, where it failed alike on all of at least `least` pictures.

    `verdicts` are those of one training step, or of an evaluation so far: what would train on nothing must not go on.
    """
    reasons = [verdict.reason for verdict in verdicts if math.isnan(verdict.score)]
    if len(reasons) >= least and len(reasons) == len(verdicts) and len(set(map(_without_numbers, reasons))) == 1:
        raise JudgeStopped(f"the judge failed the same way on all {len(reasons)} pictures, and without scores there is "
                           f"nothing to learn from or to measure: {reasons[0]}")


def _without_numbers(reason):
    return re.sub(r"\d[\d.]*", "#", reason)
