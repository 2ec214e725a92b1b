"""ChartMimic's four low-level scores: F1 of text, layout, type and colour between a reference and a candidate
program.

The benchmark (arXiv 2406.09961) compares what two programs did, not their pictures. Both are run once in our
sandbox with listeners on matplotlib (`heard`).

    text    every string drawn, after the ticks of all axes were removed; a multiset, position ignored
    layout  the place in a grid (rows, columns, first and last of both) of each axes that has one; a multiset
    type    outermost plotting calls by name; a multiset
    color   a set of (plotting call, final colour or colormap's name); inside each call the best one-to-one
            assignment of max(0, 1 - dE2000 / 100); more than ten colours are thinned first: none within 0.3
            of an earlier one stays

Precision divides by what the candidate has, recall by what the reference has. Names of calls are those of
matplotlib 3.8.4, which the benchmark pins: 2-D and 3-D `scatter` share one name there, and so do the two
`bar`s, Ellipse and Circle.

Where the official evaluators (github ChartMimic/ChartMimic and its copy in VLMEvalKit) fall over, we differ.
Each place, with its effect:

    stale-score       chart_type_evaluator, `_calculate_metrics`: no plotting call in the candidate -> returns
                      at once, and the score is that of the item before (the copy makes fresh evaluators: 0,
                      as here)
    stuck-flag        both *_prefix files, `in_decorator`: set without try/finally. After a call that raises
                      and is caught, nothing more is counted
    crash-on-colour   color_evaluator_prefix: a colour it cannot convert (a bar recoloured by name: it reads
                      the letters of `_original_facecolor`; a venn region without patch; an empty collection)
                      raises inside the program or at its end, the log is missing, and the whole colour score
                      is 0
    seen-once         color_evaluator_prefix, `drawed_objects`: artists of one call and one first colour
                      replace each other, so of boxes recoloured later only the last counts. Deterministic, so
                      kept: published numbers have it
    hash-order        `filter_color` thins a set in hash order: with more than ten colours the score changes
                      from run to run. Here in sorted order
    pdf-twice         text_evaluator: a PDF that the program writes itself (`fig.savefig("a.pdf")`) is heard
                      as well, ticks included. Here only the figure that is evaluated
    first-savefig     text_evaluator: the code that removes ticks is pasted before the first text
                      "plt.savefig"; inside an indented block the script no longer compiles, and text is 0.
                      Here at the first call
    empty-reference   color_evaluator: no colour in the reference divides by zero unless the path has "box" in
                      it. Here 0
    lines-lost        the copy's color_evaluator_prefix with matplotlib 3.11: the method that makes lines was
                      renamed, the copy hears it and then does not read it, so `plot` has no colours and such
                      charts score 0
    permutations      color_evaluator tries all permutations; the Hungarian method finds the same maximum

The harness is part of a number, so its choices are arguments: `cut` (drop all from the first `plt.savefig(`
or `plt.show(`, as both harnesses do, whatever follows), `graph` (networks: every axes counts as the same
place), `subclasses` (the original and its copy differ), `failures` of `ChartMimic.table` (0 over all items as
published, or only those that ran), the rater's `swap`.

A candidate can forge what is heard about itself, there as here; it never sees the reference.
Needs squarify and matplotlib-venn for programs that use them.

Left out: ChartMimic's legend and grid scores (the harness does not report them), seaborn's own objects (they
arrive as the matplotlib calls they make), its judge's exact words and the unpacking of answers ("Score:
91/100").
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..judge import as_judge
from .colours import likeness
from .heard import Facts, observe
from .tables import counted, mean_of, recorded

PARTS = ("text", "layout", "type", "color")
THIN_ABOVE, THIN_AT = 10, 0.7


@dataclass(frozen=True)
class F1:
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float = 0.0
    recall: float = 0.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class LowLevel:
    """The four scores of one candidate; `error` says why all are 0, `average` is the mean of the four F1 in
    [0, 1]."""

    text: F1 = F1()
    layout: F1 = F1()
    type: F1 = F1()
    color: F1 = F1()
    error: str | None = None

    @property
    def average(self) -> float:
        return sum(getattr(self, part).f1 for part in PARTS) / len(PARTS)


def low_level(reference: str, candidate: str, graph=False, cut=True, subclasses=False,
              renderer=None) -> LowLevel:
    """ChartMimic's low-level scores of one candidate program against the reference program -> `LowLevel`.

    `graph`: the item is of the benchmark's kind "graph" (its name begins so), where layout only counts axes.
    `subclasses`: what a subclass of PolarAxes or Ellipse draws (radar charts, arcs) counts as its parent's,
    as in VLMEvalKit's copy; the original counts polar lines of a subclass as plain `plot` and misses their
    colours. A candidate that fails scores 0 with its error; a reference that fails raises ValueError, as no
    candidate can be scored by it.

    Example: `low_level(reference_code, "import matplotlib.pyplot as plt\\nplt.plot([3, 4])").color.f1`.
    """
    return low_levels([(reference, candidate, graph)], cut, subclasses, renderer)[0]


def low_levels(items, cut=True, subclasses=False, renderer=None) -> list[LowLevel]:
    """`low_level` of many (reference, candidate) or (reference, candidate, graph), as many at a time as the
    renderer has workers; an equal reference is run once."""
    items = [(*item, False)[:3] for item in items]
    references = list(dict.fromkeys(item[0] for item in items))
    known = dict(zip(references, observe(references, False, subclasses, renderer), strict=True))
    for facts in known.values():
        if facts.error:
            raise ValueError(f"a reference program does not run here: {facts.error.splitlines()[-1]}"
                             f"{_advice(facts.error)}")
    drawn = observe([item[1] for item in items], cut, subclasses, renderer)
    return [score(known[reference], facts, graph)
            for (reference, _, graph), facts in zip(items, drawn, strict=True)]


def _advice(error):
    missing = re.search(r"No module named '(squarify|matplotlib_venn|seaborn|networkx)", error)
    return f"; pip install {missing[1].replace('_', '-')}" if missing else ""


def score(reference: Facts, candidate: Facts, graph=False) -> LowLevel:
    """The four scores from what was heard; all 0 when the candidate failed."""
    if candidate.error:
        return LowLevel(error=candidate.error)
    return LowLevel(text=_multiset(reference.texts, candidate.texts),
                    layout=_multiset(_places(reference, graph), _places(candidate, graph)),
                    type=_multiset(reference.types, candidate.types),
                    color=color_f1(reference.colours, candidate.colours))


def _places(facts, graph):
    """What layout compares: places in grids; for a graph, how many axes there are."""
    return [1] * len(facts.places) if graph else [place for place in facts.places if place]


def _multiset(reference, candidate):
    """The score of two multisets: values, or {value: count}."""
    reference, candidate = Counter(reference), Counter(candidate)
    return _f1((reference & candidate).total(), reference.total(), candidate.total())


def _f1(shared_by_both, reference, candidate):
    return F1(shared_by_both / candidate, shared_by_both / reference) if reference and candidate else F1()


def color_f1(reference, candidate) -> F1:
    """The colour score of two collections of (call, "#RRGGBB" or colormap's name).

    Example: `color_f1([("bar", "#FF0000")], [("bar", "#FF0000"), ("bar", "#0000FF")]).f1`, which is 2 / 3.
    """
    from scipy.optimize import linear_sum_assignment

    sides = thinned(reference), thinned(candidate)
    ours, theirs = map(_by_call, sides)
    total = 0.0
    for call in sorted(ours.keys() & theirs.keys()):
        alike = similarities(ours[call], theirs[call])
        total += alike[linear_sum_assignment(alike, maximize=True)].sum()
    return _f1(float(total), len(sides[0]), len(sides[1]))


def _by_call(colours):
    groups = {}
    for call, colour in colours:
        groups.setdefault(call, []).append(colour)
    return groups


def thinned(colours) -> list:
    """Distinct (call, colour), sorted; of more than ten, those too like one already kept are dropped,
    whatever the call."""
    colours = sorted(set(colours))
    if len(colours) <= THIN_ABOVE:
        return colours
    kept = []
    while colours:
        first, *colours = colours
        kept.append(first)
        alike = similarities([first[1]], [colour for _, colour in colours])[0]
        colours = [colour for colour, a in zip(colours, alike, strict=True) if a <= THIN_AT]
    return kept


def similarities(first, second) -> np.ndarray:
    """How alike colours ("#RRGGBB") are, [len(first), len(second)] in [0, 1]; of names: 1 if equal, else
    0."""
    out = np.array([[float(a == b) for b in second] for a in first]).reshape(len(first), len(second))
    rows, columns = ([i for i, c in enumerate(side) if c.startswith("#")] for side in (first, second))
    if rows and columns:
        ours, theirs = (np.array([_rgb(side[i]) for i in which]) for side, which in
                        ((first, rows), (second, columns)))
        out[np.ix_(rows, columns)] = likeness(ours[:, None], theirs[None])
    return out


def _rgb(colour):
    return [int(colour[k:k + 2], 16) for k in (1, 3, 5)]


def high_level(judge, reference, candidate) -> dict:
    """The six-criteria judge's score of two pictures (PIL) -> {"score": 0 to 100 or NaN, "parts": shares,
    "why": text}.

    `judge` is a `VLMJudge` with its criteria "chart": ChartMimic's six and their points, in our words. The
    reference is shown first; `swap=True` of the judge asks in both orders. No picture (`None`) is 0.

    Example: `high_level(VLMJudge("a-model", url), reference_image, rendering.image)["score"]`.
    """
    if candidate is None:
        return {"score": 0.0, "parts": {}, "why": "the program drew nothing"}
    verdict = judge(reference, candidate)
    return {"score": 100 * verdict.score, "parts": verdict.parts, "why": verdict.reason}


class ChartMimic:
    """ChartMimic as a metric of `evaluate`; `chartmimic` is the one without a rater.

    Its numbers, in [0, 1]: text, layout, type, color (F1), their `average`, precision and recall of each
    ("text_precision"), `ran` (1 or 0), and with a rater `gpt`: what the benchmark's judge says (NaN where it
    gave no verdict). What did not run is 0 in all of them; a reference that does not run leaves its item
    unmeasured.

    Args:
        rater: a judge of two pictures, such as a `VLMJudge` with criteria "chart"; its `swap` asks in both
            orders.

    Example: `evaluate(policy, items, metrics=[ChartMimic(rater=VLMJudge("a-model", url))])`.
    """

    name, needs = "chartmimic", ("reference",)

    def __init__(self, rater=None):
        self.rater = None if rater is None else as_judge(rater)

    def __call__(self, rollout, item) -> dict[str, float]:
        return self.map([(rollout, item)])[0]

    def map(self, pairs) -> list[dict[str, float]]:
        """The numbers of many (rollout, item) at once."""
        low = low_levels([(item["reference"], rollout.code or "", item.get("kind") == "graph")
                          for rollout, item in pairs])
        return [self._numbers(score, rollout) for score, (rollout, _) in zip(low, pairs, strict=True)]

    def _numbers(self, low, rollout):
        scores = {part: getattr(low, part) for part in PARTS}
        out = {part: score.f1 for part, score in scores.items()} | {"average": low.average}
        if self.rater is not None:
            drawn = None if low.error else rollout.picture
            out["gpt"] = high_level(self.rater, rollout.target, drawn)["score"] / 100
        for part, score in scores.items():
            out |= {f"{part}_precision": score.precision, f"{part}_recall": score.recall}
        return out | {"ran": float(low.error is None)}

    def table(self, report, failures: str = "zero", unscored: str = "drop") -> dict[str, float]:
        """The benchmark's table, 0 to 100: n, exec, text, layout, type, color, average (of the four), and
        where all have it gpt and overall (mean of average and gpt).

        Args:
            failures: "zero" counts what failed as 0 over all items, as published; "drop" takes what ran.
            unscored: "drop" leaves items without a verdict out of gpt, "zero" counts them as 0, as
                VLMEvalKit does with an answer that it cannot read.

        Raises ValueError where no rollout has the metric, or for another word.

        Example: `chartmimic.table(report, failures="drop")["average"]`.
        """
        rows = recorded(report, self.name)
        kept = counted(rows, failures)
        if unscored not in ("zero", "drop"):
            raise ValueError(f"unscored={unscored!r}: it is 'zero' or 'drop'")
        out = {"n": len(kept), "exec": 100 * mean_of(rows, "ran")}
        out |= {part: 100 * mean_of(kept, part) for part in PARTS}
        out["average"] = sum(out[part] for part in PARTS) / len(PARTS)
        if all("gpt" in row for row in rows):
            out["gpt"] = 100 * mean_of(kept, "gpt", unscored)
            out["overall"] = (out["average"] + out["gpt"]) / 2
        return out


chartmimic = ChartMimic()
