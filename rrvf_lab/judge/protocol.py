"""One protocol for judges everywhere: `judge(target, image, error=None) -> Verdict`.

`target` and `image` are PIL pictures. Where a program drew nothing, `image` is None and `error` the text of
its error. A judge may also have `concurrency` (how many pairs it wants at once), `map(pairs)` (many at once,
their verdicts in order) and `fresh()` (the same without its cache). `as_judge` makes a judge of any function.

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
        judge: something with the whole protocol (`PixelJudge`, `VLMJudge`, yours), given back as it is;
            or a function of `(target, image)` or `(target, image, error)` that returns a `Verdict` or a
            number in [0, 1], 1 = the same. A function of two is only asked about pictures: a program that
            drew nothing gets 0.

    Raises TypeError for what cannot be called that way. The judge made raises ValueError for a number outside
    [0, 1] and TypeError for what is no number; NaN becomes an unscored verdict.

    Example: `play(policy, image, judge=as_judge(lambda target, image: float(target.size == image.size)))`.
    """
    if not callable(judge) or isinstance(judge, type):
        raise TypeError(f"a judge is called with (target, image), and {judge!r:.80} cannot be; "
                        "give a function or an object such as PixelJudge()")
    if isinstance(judge, _Judge) or _is_whole(judge):
        return judge
    return _Judge(judge, _way(judge))


# How a function takes the error of a program that drew nothing.
BY_NAME, THIRD, NEVER = "by name", "third", "never"


class _Judge:
    """A function as a judge; whatever else it has (`concurrency`, `map`, `model`) is still there."""

    def __init__(self, function, way):
        self._function, self._way = function, way
        self.__name__ = getattr(function, "__name__", None) or type(function).__name__

    def __call__(self, target, image, error=None) -> Verdict:
        if self._way == BY_NAME:
            said = self._function(target, image, error=error)
        elif self._way == THIRD:
            said = self._function(target, image, error)
        elif image is None:
            return Verdict.no_picture(error)
        else:
            said = self._function(target, image)
        return said if isinstance(said, Verdict) else _verdict(said, self.__name__)

    def __getattr__(self, name):
        if name.startswith("_"):  # also while it is being copied, when there is no function to ask yet
            raise AttributeError(name)
        return getattr(self._function, name)


def _verdict(said, name):
    """A function's number as a verdict."""
    try:
        score = math.fsum([said])  # float() of one number; of a text, float() would read one
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a tensor of several numbers
        raise TypeError(f"the judge {name} returned {said!r:.80}; "
                        "return a number in [0, 1] or a Verdict") from None
    if math.isnan(score):
        return Verdict.unscored(f"{name} gave NaN")
    if not 0 <= score <= 1:
        raise ValueError(f"the judge {name} returned {score:g}, outside [0, 1]; scale it, for example "
                         "min(1, max(0, score))")
    return Verdict(score, "", {}, f"{name} gave {score:.3f}.")


def _is_whole(judge):
    """Whether its signature is the whole protocol's: (target, image, error=None) -> Verdict."""
    call = judge if inspect.isroutine(judge) else type(judge).__call__
    declared = getattr(call, "__annotations__", {}).get("return")
    return declared in (Verdict, "Verdict") and _takes(inspect.signature(judge), [0, 0, 0])


def _way(judge):
    """BY_NAME, THIRD or NEVER. TypeError for what takes no two pictures."""
    try:
        signature = inspect.signature(judge)
    except (TypeError, ValueError):  # some builtins have no signature
        return NEVER
    parameters = signature.parameters.values()
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    # a third argument with a default and another name is the function's own setting, no place for the error
    setting = places[2:] and places[2].default is not inspect.Parameter.empty
    if "error" in signature.parameters and _takes(signature, [0, 0], error=0):
        return BY_NAME
    if not setting and _takes(signature, [0, 0, 0]):
        return THIRD
    if _takes(signature, [0, 0]):
        return NEVER
    raise TypeError(f"a judge takes (target, image) or (target, image, error), not {signature}")


def _takes(signature, places, **names):
    try:
        signature.bind(*places, **names)
    except TypeError:
        return False
    return True


def judged(judge, pairs) -> tuple[list[float], list[str]]:
    """Scores of the pairs (NaN = unscored), and the reasons of those that are missing. A judge that raises
    leaves that pair unscored. Example: `judged(as_judge(mine), [(target, image)])[0]`."""
    verdicts = judge.map(pairs) if hasattr(judge, "map") else [_asked(judge, pair) for pair in pairs]
    return [v.score for v in verdicts], [v.reason for v in verdicts if math.isnan(v.score)]


def _asked(judge, pair):
    try:
        return judge(*pair)
    except Exception as error:  # one bad pair must not end an audit of an hour
        return Verdict.unscored(error)


def name_of(judge) -> str:
    """What to call a judge or a function. Example: `name_of(PixelJudge()) == "PixelJudge"`."""
    return getattr(judge, "__name__", None) or getattr(judge, "model", None) or type(judge).__name__


def stop_where_none_scored(verdicts, least: int = 2) -> None:
    """Raise `JudgeStopped`, in the judge's words, where it failed alike on all of `least` or more pictures.

    `verdicts` are those of one training step, or of an evaluation so far: what would train on nothing must
    not go on. Reasons that differ in their numbers alone (seconds, tokens) are alike.

    Example: `stop_where_none_scored([turn.verdict for turn in rollout.drafts])`.
    """
    reasons = [verdict.reason for verdict in verdicts if math.isnan(verdict.score)]
    alike = len({re.sub(r"\d[\d.]*", "#", reason) for reason in reasons}) == 1
    if len(reasons) >= least and len(reasons) == len(verdicts) and alike:
        raise JudgeStopped(f"the judge failed the same way on all {len(reasons)} pictures, and without "
                           f"scores there is nothing to learn from or to measure: {reasons[0]}")
