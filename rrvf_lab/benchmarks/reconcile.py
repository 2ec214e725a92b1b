"""The same saved outputs under different conventions: why two harnesses give one policy two numbers.

Nothing is played again. `reconcile` reads a `Report` (from memory or from `load_rollouts`) and lists what its pictures
and programs score when failures are dropped or count 0, when the first, the best or the final turn counts, under other
judges, and under the averaging of the benchmarks' own code. Each line says what it does differently. The first line of
each measure is ours; the others are differences to it on the very same outputs. With the report of another policy on
the same images each line also has the paired effect: a gain may be one convention's and not another's.

The conventions are those of ChartMimic's code, its copy in VLMEvalKit, Plot2Code and Design2Code, as read in their
repositories (see the notes in `chartmimic`, `metrics` and `webmetrics`).

Left out: conventions that need other outputs (the figure's size in the prompt, sampling, other limits on time), and
judge prompts: give a `VLMJudge` with your own `prompt` or with `swap` as one of the judges.
"""

from __future__ import annotations

import functools
import html
import math
from dataclasses import dataclass

import numpy as np

from .chartmimic import PARTS
from ..evaluate import Report, _estimate, _known, _mean, _picture, _share, interval, low_level_of, ran
from ..judge.pixel import PixelJudge

DENOMINATOR = 500  # items that ChartMimic's merging notebook divides by, however many there are


@dataclass(frozen=True)
class Reconciliation:
    """`frame` has measure, convention, value, low, high (95 %, where items are averaged), n, difference, why; with a
    `before` also before, effect, effect_low, effect_high, pairs (how many items have a value in both)."""

    frame: object

    def value(self, measure: str, convention: str, column: str = "value") -> float:
        """One cell. Example: `reconcile(report).value("vision score", "executed only")`."""
        found = self.frame[(self.frame["measure"] == measure) & (self.frame["convention"] == convention)]
        if found.empty:
            raise KeyError(f"no {convention!r} of {measure!r}; there are: "
                           f"{', '.join(self.frame['measure'] + ': ' + self.frame['convention'])}")
        return float(found[column].iloc[0])

    def _rows(self):
        """The head and then the lines, as text."""
        paired = "effect" in self.frame
        yield ["measure", "convention", "value", "95 % interval", "n", "difference",
               *(["before", "effect", "95 % interval", "pairs"] if paired else []), "what it does"]
        for _, row in self.frame.iterrows():
            cells = [row.measure, row.convention, f"{row.value:.3f}", _between(row.low, row.high, ".3f"), str(row.n),
                     f"{row.difference:+.3f}" if row.difference else ""]
            if paired:
                cells += [f"{row.before:.3f}", f"{row.effect:+.3f}", _between(row.effect_low, row.effect_high, "+.3f"),
                          str(row.pairs or "")]
            yield [*cells, row.why]

    def to_markdown(self) -> str:
        """The table for a README or a paper's appendix."""
        head, *rows = self._rows()
        return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"

    def __repr__(self):
        rows = [row[:-1] for row in self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows)

    def _repr_html_(self):
        style = 'style="text-align:left;vertical-align:top;max-width:26em;white-space:normal"'
        head, *rows = ([html.escape(cell) for cell in row] for row in self._rows())
        body = "".join("<tr>" + "".join(f"<td {style}>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><tr>{''.join(f'<th {style}>{cell}</th>' for cell in head)}</tr>{body}</table>"


def _between(low, high, style):
    return "" if math.isnan(low) else f"{low:{style}} to {high:{style}}"


def reconcile(report: Report, before: Report | None = None, judges=None, references=None) -> Reconciliation:
    """What the same outputs score under other conventions; see the module.

    `before` is another policy's report: each line gets its value and the paired effect. `judges` maps names to
    functions (target, image) -> score or `Verdict`; by default a coarser `PixelJudge` and plain SSIM, which shows how
    far a careless judge is off. `references` ({id: program}) runs ChartMimic's programs again with its other choices.
    Metrics that were recorded (`evaluate(..., metrics=...)`) get their own lines.

        reconcile(Report(load_rollouts("data/rollouts/evaluation").where(name="after")))
    """
    import pandas as pd

    if judges is None:
        judges = {"PixelJudge, 112 pixels": PixelJudge(112), "plain SSIM": ssim}
    lines, first = _lines(report, judges, references), {}
    earlier = {line[:2]: line for line in _lines(before, judges, references)} if before is not None else {}
    rows = []
    for measure, convention, values, of_all, why in lines:
        made = _whole(measure, values, of_all)
        row = {"measure": measure, "convention": convention} | made
        row["difference"] = made["value"] - first.setdefault(measure, made["value"])
        if before is not None and (measure, convention) in earlier:
            _, _, others, of_others, _ = earlier[measure, convention]
            changes = _known([values[id] - others[id] for id in values if id in others])
            low, high = interval(changes)
            row |= {"before": _whole(measure, others, of_others)["value"], "effect_low": low, "effect_high": high,
                    "pairs": len(changes)}
            # where items are averaged the pairs decide; a formula over all items has only its two values
            row["effect"] = _mean(changes) if of_all is None else row["value"] - row["before"]
            if of_all is not None:
                row |= {"effect_low": math.nan, "effect_high": math.nan}
        rows.append(row | {"why": why})
    return Reconciliation(pd.DataFrame(rows))


def _whole(measure, values, of_all):
    values = list(values.values())
    if of_all is not None:
        return {"value": of_all, "low": math.nan, "high": math.nan, "n": len(values)}
    return _share(values) if measure == "execution rate" else _estimate(values)


def _lines(report, judges, references):
    """(measure, convention, {id: value}, the number itself where it is no mean over items, why) for each line."""
    lines = []

    def add(measure, convention, values, why, of_all=None, rollouts=report.rollouts):
        if not isinstance(values, dict):
            values = dict(zip((r.id for r in rollouts), map(float, values), strict=True))
        lines.append((measure, convention, values, of_all, why))

    _vision(report, add)
    _judged(report, judges, add)
    _executed(report, add)
    for metric, work in (("chartmimic", _chartmimic), ("plot2code", _plot2code), ("pages", _pages)):
        some = [r for r in report.rollouts if "unscored" not in r.info.get("metrics", {}).get(metric, {"unscored": ""})]
        if some:
            work(some, references, functools.partial(add, rollouts=some))
    return lines


def _vision(report, add):
    rs = report.rollouts
    final = [r.reward.vision for r in rs]
    add("vision score", "final turn, failures 0", final,
        "Ours: the policy's final program; what drew nothing counts 0.")
    add("vision score", "executed only", [v if ran(r) else math.nan for r, v in zip(rs, final)],
        "Programs that drew nothing are dropped, as Plot2Code does: a policy that crashes on hard images gains.")
    add("vision score", "first turn", [_first(r) for r in rs],
        "What the policy drew before any feedback; a first program that crashed counts 0.")
    add("vision score", "best turn", [max(_known([t.score for t in r.drafts]), default=0.0) for r in rs],
        "The best of all turns, chosen with the judge's eyes after the fact: an upper bound, not a result.")
    add("vision score", "last program", [r.drafts[-1].score if r.drafts else 0.0 for r in rs],
        "The last program written, whatever the answer chose.")
    kinds = {}
    for r, v in zip(rs, final):
        kinds.setdefault(r.info.get("kind"), []).append(v)
    if len(kinds) > 1:
        add("vision score", "mean over kinds", final, "Each kind counts the same, however many items it has.",
            of_all=_mean([_mean(_known(values)) for values in kinds.values() if len(_known(values))]))
    if report.summary["unscored"]:
        add("vision score", "unscored as 0", np.nan_to_num(final), "Items that the judge could not score count 0.")
    if report.undone:
        add("vision score", "undone as 0", {r.id: r.reward.vision for r in rs} | dict.fromkeys(report.undone, 0.0),
            "Items on which the policy itself failed (an endpoint that was down) count 0.")


def _first(rollout):
    return rollout.drafts[0].score if rollout.drafts else 0.0


def _executed(report, add):
    rs = report.rollouts
    add("execution rate", "final program", [ran(r) for r in rs], "Ours: the final program drew a picture.")
    add("execution rate", "white is failed", [float(ran(r) and _inked(r)) for r in rs],
        "Plot2Code stores a white picture for a failure and drops all white ones: an empty figure counts as failed.")
    add("execution rate", "first program", [float(bool(r.drafts) and r.drafts[0].ran) for r in rs],
        "The first program drew a picture: without the repairs of later turns.")


def _inked(rollout):
    return _picture(rollout).convert("L").getextrema()[0] < 255


def _judged(report, judges, add):
    for name, judge in judges.items():
        given = [judge(r.target, _picture(r)) if ran(r) else 0.0 for r in report.rollouts]
        add("vision score", name, [getattr(verdict, "score", verdict) for verdict in given],
            "Another judge on the same final pictures, failures 0. Its scale is its own: compare policies, not judges.")


def ssim(target, image) -> float:
    """Plain structural similarity of two pictures at 224 x 168 gray pixels; an empty page gets about 0.6 (see
    notebook 03). Example: `reconcile(report, judges={"SSIM": ssim})`."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(*(np.asarray(p.convert("L").resize((224, 168))) for p in (target, image))))


def _chartmimic(rollouts, references, add):
    recorded = [r.info["metrics"]["chartmimic"] for r in rollouts]
    low = [low_level_of(row) for row in recorded]
    measure = "ChartMimic average"
    averages = [score.average for score in low]
    add(measure, "as published", averages, "Mean of the four F1 scores of each item, failures 0, over all items.")
    add(measure, "executed only", [a if s.error is None else math.nan for a, s in zip(averages, low)],
        "Only programs that ran: the published number divided by the execution rate.")
    rounded = [round(100 * _mean([getattr(s, part).f1 for s in low]), 2) for part in PARTS]
    add(measure, "rounded first", averages,
        "The four columns are rounded to two digits of 100 and then averaged, as one does from a printed table.",
        of_all=sum(rounded) / 400)
    pooled = []
    for part in PARTS:
        p, r = (_mean([getattr(getattr(s, part), side) for s in low]) for side in ("precision", "recall"))
        pooled.append(2 * p * r / (p + r) if p + r else 0.0)
    add(measure, "F1 of the means", averages,
        "F1 of the mean precision and recall, instead of the mean of the items' F1.", of_all=_mean(pooled))
    add(measure, f"divided by {DENOMINATOR}", averages, f"ChartMimic's merging notebook divides by {DENOMINATOR} (the "
        "size of its first version) whatever n is.", of_all=sum(averages) / DENOMINATOR)
    if references is not None:
        from .chartmimic import low_levels

        items = [(references[r.id], r.code or "", r.info.get("kind") == "graph") for r in rollouts]
        add(measure, "programs run whole", [s.average for s in low_levels(items, cut=False)],
            "Nothing is cut off after the first plt.savefig( or plt.show(, as both harnesses do.")
        add(measure, "subclasses counted", [s.average for s in low_levels(items, subclasses=True)],
            "What a subclass of PolarAxes or Ellipse draws counts as its parent's, as in VLMEvalKit's copy.")
    if all("gpt" in row for row in recorded):
        judged = np.array([row["gpt"] if s.error is None else 0.0 for row, s in zip(recorded, low)]) / 100
        halves = (np.array(averages) + judged) / 2
        add("ChartMimic overall", "unread answers dropped", halves,
            "Mean of the average above and of the mean of the judge's scores that could be read.",
            of_all=(_mean(averages) + _mean(_known(judged))) / 2)
        add("ChartMimic overall", "unread answers 0", (np.array(averages) + np.nan_to_num(judged)) / 2,
            "An answer of the judge that cannot be read counts 0, as in VLMEvalKit.")


def _plot2code(rollouts, references, add):
    text = [r.info["metrics"]["plot2code"]["text"] for r in rollouts]
    add("Plot2Code text", "as published", text,
        "The mean over programs that ran and drew something; the others are dropped.")
    add("Plot2Code text", "failures 0", np.nan_to_num(text),
        "The same over all items: the one above times the pass rate.")


def _pages(rollouts, references, add):
    recorded = [r.info["metrics"]["pages"] for r in rollouts]
    means = [_mean([row[name] for name in ("block", "text", "position", "color")]) for row in recorded]
    add("Design2Code, four of five", "as published", means, "A page that cannot be drawn counts as a white page; "
        "block, text, position and colour, without CLIP.")
    add("Design2Code, four of five", "executed only", [m if row["error"] is None else math.nan
                                                       for m, row in zip(means, recorded)],
        "Pages that cannot be drawn are dropped.")
