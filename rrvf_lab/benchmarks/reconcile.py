"""The same saved outputs under different conventions: why two harnesses give one policy two numbers.

Nothing is played again. `reconcile` reads a `Report` (from memory or from `load_rollouts`) and lists what its
pictures and programs score when failures are dropped or count 0, when the first, the best or the final turn
counts, under other judges, and under the averaging of the benchmarks' own code. Each line says what it does
differently. The first line of each measure is ours; the others are differences to it on the very same
outputs. With the report of another policy on the same images each line also has the paired effect: a gain may
be one convention's and not another's.

The conventions are those of ChartMimic's code, its copy in VLMEvalKit, Plot2Code and Design2Code, as read in
their repositories (see the notes in `chartmimic`, `plot2code` and `design2code`).

Left out: conventions that need other outputs (the figure's size in the prompt, sampling, other limits on
time), and judge prompts: give a `VLMJudge` with your own `prompt` or with `swap` as one of the judges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..judge import PixelJudge, as_judge
from ..records import Report
from ..records.statistics import estimate, interval, known, mean, share
from .chartmimic import PARTS, low_levels
from .design2code import FOUR
from .plot2code import inked
from .tables import numbers_of

DENOMINATOR = 500  # items that ChartMimic's merging notebook divides by, however many there are


@dataclass(frozen=True)
class Reconciliation:
    """`frame` has measure, convention, value, low, high (95 %, where items are averaged), n, difference, why;
    with a `before` also before, effect, effect_low, effect_high, pairs (how many items have a value in
    both)."""

    frame: object

    def value(self, measure: str, convention: str, column: str = "value") -> float:
        """One cell. KeyError, with the lines there are, for another one.

        Example: `reconcile(report).value("vision score", "executed only")`.
        """
        found = self.frame[(self.frame["measure"] == measure) & (self.frame["convention"] == convention)]
        if found.empty:
            raise KeyError(f"no {convention!r} of {measure!r}; there are: "
                           f"{', '.join(self.frame['measure'] + ': ' + self.frame['convention'])}")
        return float(found[column].iloc[0])

    def shown(self):
        """The table as text, a pandas frame."""
        import pandas as pd

        rows = [_cells(row) for _, row in self.frame.iterrows()]
        head = ["measure", "convention", "value", "95 % interval", "n", "difference"]
        if "effect" in self.frame:
            head += ["before", "effect", "95 % interval", "pairs"]
        return pd.DataFrame(rows, columns=[*head, "what it does"])

    def to_markdown(self) -> str:
        """The table for a README or a paper's appendix."""
        table = self.shown()
        rows = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"

    def __repr__(self):
        return self.shown().iloc[:, :-1].to_string(index=False)

    def _repr_html_(self):
        import pandas as pd

        with pd.option_context("display.max_colwidth", None):
            return self.shown().to_html(index=False, border=0, justify="left")


def _cells(row):
    cells = [row.measure, row.convention, f"{row.value:.3f}", _between(row.low, row.high, ".3f"), str(row.n),
             f"{row.difference:+.3f}" if row.difference else ""]
    if "effect" in row:
        missing = math.isnan(row.before)
        cells += ["", "", "", ""] if missing else [
            f"{row.before:.3f}", f"{row.effect:+.3f}", _between(row.effect_low, row.effect_high, "+.3f"),
            f"{row.pairs:.0f}"]
    return [*cells, row.why]


def _between(low, high, style):
    return "" if math.isnan(low) else f"{low:{style}} to {high:{style}}"


@dataclass(frozen=True)
class _Line:
    """One convention of one measure: the value of each item, by id, and the number itself where that is no
    mean over items."""

    measure: str
    convention: str
    values: dict[str, float]
    why: str
    whole: float | None = None

    def numbers(self):
        """value, low, high, n."""
        values = list(self.values.values())
        if self.whole is not None:
            return {"value": self.whole, "low": math.nan, "high": math.nan, "n": len(values)}
        return share(values) if self.measure == "execution rate" else estimate(values)


def reconcile(report: Report, before: Report | None = None, judges=None, references=None) -> Reconciliation:
    """What the same outputs score under other conventions; see the module.

    Args:
        before: another policy's report; each line gets its value and the paired effect.
        judges: {name: judge}, any judge that `play` takes; by default a coarser `PixelJudge` and plain SSIM,
            which shows how far a careless judge is off.
        references: {id: program}; ChartMimic's programs run again with its other choices.

    Metrics that were recorded (`evaluate(..., metrics=[...])`) get their own lines.

    Example: `reconcile(Report(load_rollouts("data/rollouts/evaluation").where(name="after")))`.
    """
    import pandas as pd

    if judges is None:
        judges = {"PixelJudge, 112 pixels": PixelJudge(112), "plain SSIM": ssim}
    judges = {name: as_judge(judge) for name, judge in judges.items()}
    earlier = {}
    if before is not None:
        earlier = {(line.measure, line.convention): line for line in _lines(before, judges, references)}
    rows, ours = [], {}
    for line in _lines(report, judges, references):
        numbers = line.numbers()
        first = ours.setdefault(line.measure, numbers["value"])
        row = {"measure": line.measure, "convention": line.convention} | numbers
        row["difference"] = numbers["value"] - first
        if (line.measure, line.convention) in earlier:
            row |= _effect(earlier[line.measure, line.convention], line)
        rows.append(row | {"why": line.why})
    return Reconciliation(pd.DataFrame(rows))


def _effect(before, after):
    """Where items are averaged the pairs decide; a formula over all items has only its two values."""
    changes = known([after.values[id] - before.values[id] for id in after.values if id in before.values])
    value, low, high = before.numbers()["value"], math.nan, math.nan
    if after.whole is None:
        effect, (low, high) = mean(changes), interval(changes)
    else:
        effect = after.whole - value
    return {"before": value, "effect": effect, "effect_low": low, "effect_high": high, "pairs": len(changes)}


def _lines(report, judges, references):
    return [*_vision(report), *_judged(report, judges), *_executed(report), *_chartmimic(report, references),
            *_plot2code(report), *_design2code(report)]


def _line(measure, convention, rollouts, values, why, whole=None):
    values = dict(zip((r.id for r in rollouts), map(float, values), strict=True))
    return _Line(measure, convention, values, why, whole)


# ------------------------------------------------------------------------------------------- every evaluation

def _vision(report):
    rs, name = report.rollouts, "vision score"
    final = [r.reward.vision for r in rs]
    yield _line(name, "final turn, failures 0", rs, final,
                "Ours: the policy's final program; what drew nothing counts 0.")
    yield _line(name, "executed only", rs, _where([r.ran for r in rs], final),
                "Programs that drew nothing are dropped, as Plot2Code does: a policy that crashes on hard "
                "images gains.")
    yield _line(name, "first turn", rs, [r.drafts[0].score if r.drafts else 0.0 for r in rs],
                "What the policy drew before any feedback; a first program that crashed counts 0.")
    yield _line(name, "best turn", rs,
                [max(known([turn.score for turn in r.drafts]), default=0.0) for r in rs],
                "The best of all turns, chosen with the judge's eyes after the fact: an upper bound, not a "
                "result.")
    yield _line(name, "last program", rs, [r.drafts[-1].score if r.drafts else 0.0 for r in rs],
                "The last program written, whatever the answer chose.")
    kinds = {}
    for rollout, value in zip(rs, final, strict=True):
        kinds.setdefault(rollout.info.get("kind"), []).append(value)
    if len(kinds) > 1:
        means = [mean(known(values)) for values in kinds.values()]
        yield _line(name, "mean over kinds", rs, final,
                    "Each kind counts the same, however many items it has.", mean(known(means)))
    if report.summary["unscored"]:
        yield _line(name, "unscored as 0", rs, np.nan_to_num(final),
                    "Items that the judge could not score count 0.")
    if report.undone:
        values = dict(zip((r.id for r in rs), final, strict=True)) | dict.fromkeys(report.undone, 0.0)
        yield _Line(name, "undone as 0", values,
                    "Items on which the policy itself failed (an endpoint that was down) count 0.")


def _where(ran, values):
    """The values of what ran, NaN for the rest."""
    return [value if fine else math.nan for fine, value in zip(ran, values, strict=True)]


def _judged(report, judges):
    for name, judge in judges.items():
        scores = [judge(r.target, r.picture).score if r.ran else 0.0 for r in report.rollouts]
        yield _line("vision score", name, report.rollouts, scores,
                    "Another judge on the same final pictures, failures 0. Its scale is its own: compare "
                    "policies, not judges.")


def _executed(report):
    rs, name = report.rollouts, "execution rate"
    yield _line(name, "final program", rs, [r.ran for r in rs], "Ours: the final program drew a picture.")
    yield _line(name, "white is failed", rs, [inked(r.picture) for r in rs],
                "Plot2Code stores a white picture for a failure and drops all white ones: an empty figure "
                "counts as failed.")
    yield _line(name, "first program", rs, [bool(r.drafts) and r.drafts[0].ran for r in rs],
                "The first program drew a picture: without the repairs of later turns.")


def ssim(target, image) -> float:
    """Plain structural similarity of two pictures at 224 x 168 gray pixels, in [0, 1] (below 0 is 0); an
    empty page gets about 0.6 (see notebook 03).

    Example: `reconcile(report, judges={"SSIM": ssim})`.
    """
    from skimage.metrics import structural_similarity

    small = (np.asarray(picture.convert("L").resize((224, 168))) for picture in (target, image))
    return max(0.0, float(structural_similarity(*small)))


# ----------------------------------------------------------------------------------- the benchmarks' metrics

def _measured(report, name):
    """(the rollouts that this metric measured, their numbers)."""
    found = [(r, numbers_of(r, name)) for r in report.rollouts]
    found = [(rollout, numbers) for rollout, numbers in found if numbers]
    return [rollout for rollout, _ in found], [numbers for _, numbers in found]


def _chartmimic(report, references):
    rs, rows = _measured(report, "chartmimic")
    if not rs:
        return
    name, averages = "ChartMimic average", [row["average"] for row in rows]
    yield _line(name, "as published", rs, averages,
                "Mean of the four F1 scores of each item, failures 0, over all items.")
    yield _line(name, "executed only", rs, _where([row["ran"] for row in rows], averages),
                "Only programs that ran: the published number divided by the execution rate.")
    rounded = [round(100 * mean([row[part] for row in rows]), 2) for part in PARTS]
    yield _line(name, "rounded first", rs, averages,
                "The four columns are rounded to two digits of 100 and then averaged, as one does from a "
                "printed table.", sum(rounded) / 400)
    yield _line(name, "F1 of the means", rs, averages,
                "F1 of the mean precision and recall, instead of the mean of the items' F1.",
                mean([_pooled(rows, part) for part in PARTS]))
    yield _line(name, f"divided by {DENOMINATOR}", rs, averages,
                f"ChartMimic's merging notebook divides by {DENOMINATOR} (the size of its first version) "
                "whatever n is.", sum(averages) / DENOMINATOR)
    if references is not None:
        yield from _run_again(rs, references)
    if all("gpt" in row for row in rows):
        yield from _overall(rs, np.array(averages), np.array([row["gpt"] for row in rows]))


def _pooled(rows, part):
    precision, recall = (mean([row[f"{part}_{side}"] for row in rows]) for side in ("precision", "recall"))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _run_again(rollouts, references):
    name = "ChartMimic average"
    items = [(references[r.id], r.code or "", r.info.get("kind") == "graph") for r in rollouts]
    yield _line(name, "programs run whole", rollouts, [s.average for s in low_levels(items, cut=False)],
                "Nothing is cut off after the first plt.savefig( or plt.show(, as both harnesses do.")
    yield _line(name, "subclasses counted", rollouts, [s.average for s in low_levels(items, subclasses=True)],
                "What a subclass of PolarAxes or Ellipse draws counts as its parent's, as in VLMEvalKit's "
                "copy.")


def _overall(rollouts, averages, judged):
    name = "ChartMimic overall"
    yield _line(name, "unread answers dropped", rollouts, (averages + judged) / 2,
                "Mean of the average above and of the mean of the judge's scores that could be read.",
                (mean(averages) + mean(known(judged))) / 2)
    yield _line(name, "unread answers 0", rollouts, (averages + np.nan_to_num(judged)) / 2,
                "An answer of the judge that cannot be read counts 0, as in VLMEvalKit.")


def _plot2code(report):
    rs, rows = _measured(report, "plot2code")
    if not rs:
        return
    name, texts = "Plot2Code text", [row["text"] for row in rows]
    yield _line(name, "as published", rs, _where([row["ran"] for row in rows], texts),
                "The mean over programs that ran and drew something; the others are dropped.")
    yield _line(name, "failures 0", rs, texts, "The same over all items: the one above times the pass rate.")


def _design2code(report):
    rs, rows = _measured(report, "design2code")
    if not rs:
        return
    name, means = "Design2Code, four of five", [mean([row[part] for part in FOUR]) for row in rows]
    yield _line(name, "as published", rs, means,
                "A page that cannot be drawn counts as a white page; block, text, position and colour, "
                "without CLIP.")
    yield _line(name, "executed only", rs, _where([row["ran"] for row in rows], means),
                "Pages that cannot be drawn are dropped.")
