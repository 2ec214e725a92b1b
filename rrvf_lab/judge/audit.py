"""Audit a judge before training on it: does it fall when a picture is spoilt, and is it fooled by what shows nothing?

`audit(judge, targets)` spoils each target step by step in six ways (ladders), shows the judge pictures that deserve
next to nothing (traps), the target itself, the same pair again, and each pair the other way round. It works for any
judge and for any plain function `(target, image) -> float` with more meaning more alike.

The spoilings are made from the pixels alone, so any raw image can be a target:

    ladders   noise, blur, shift, scale, hue, cover; four rungs each, mild to strong
    traps     blank page, solid fill, empty axes, unrelated (the next target), mirrored (not where that changes less
              than a third of what is drawn), mosaic, noise, blur

Left out: spoilings of meaning (a wrong word, a wrong value), which need the source of the picture, and the judgement of
people. The order inside one ladder is certain; nothing is said about which of two ladders is worse. A judge that passes
can still be fooled by what is not among the traps.
"""
import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from ..leaves.pictures import rgb
from .pixel import _box
from .protocol import as_judge
from .verdict import Verdict

RUNGS = {
    "noise": (12, 30, 60, 110),             # standard deviation, of 255
    "blur": (0.004, 0.01, 0.02, 0.05),      # radius, of the longest side
    "shift": (0.02, 0.06, 0.12, 0.25),      # to the right, of the width
    "scale": (0.92, 0.8, 0.65, 0.45),       # of the size, about the centre
    "hue": (0.08, 0.17, 0.33, 0.5),         # of a full turn
    "cover": (0.1, 0.3, 0.55, 0.8),         # of what is drawn, from the right
}
TRAPS = ("blank", "solid", "axes", "unrelated", "mirrored", "mosaic", "noise", "blur")
LIMIT = 0.35    # a trap's mean score above this is a failure
FAITHFUL = 0.8  # so is a ladder whose mean Kendall tau is below this
MIDDLE = 2      # the rung on which repeats and the order of the pair are tried


@dataclass(frozen=True)
class Audit:
    """What `audit` found; `str()` and a cell show it.

    `ladders[name]`: Kendall tau-b between spoiling and loss of score, 1 = falls at every rung, 0 = no relation; "mean",
    "worst", the "target" (index) it is worst on, "n" targets. `traps[name]`: score "mean", "max", its "target", "n".
    `identity`: score of the target itself, "mean", "min", and "beaten": targets where another picture scored higher.
    `repeat`: largest spread (max - min) of one pair asked again. `asymmetry`: |judge(a, b) - judge(b, a)|, "mean" and
    "max". `agreement`: Spearman's rank correlation with the other judge, over "all" pairs and "within" targets (mean).
    `failures` names what is beyond the limits, `unscored` counts NaN scores and `why` is the first one's reason. `rows`
    holds every score. Numbers that could not be computed are NaN.
    """

    name: str
    n: int
    ladders: dict
    traps: dict
    identity: dict
    repeat: float
    asymmetry: dict
    agreement: dict | None
    unscored: int
    why: str
    failures: tuple[str, ...]
    rows: list[dict] = field(repr=False)
    pictures: dict = field(repr=False)
    other: str = ""

    @property
    def passed(self) -> bool:
        return not self.failures

    def __str__(self):
        lines = [f"Audit of {self.name}, n = {self.n} targets, {len(self.rows)} pairs: "
                 + ("passed" if self.passed else "FAILED: " + "; ".join(self.failures))]
        lines += [" | ".join((f"{name:<20}", *cells)) for name, cells in self._table()]
        if self.unscored:
            lines.append(f"{self.unscored} scores are missing; the first: {self.why}")
        return "\n".join(lines)

    def _table(self):
        def number(value):
            return f"{value:+.3f}" if value < 0 else f"{value:.3f}"

        rows = [(f"ladder {name}", (f"tau {number(v['mean'])}", f"worst {number(v['worst'])}", _which(v)))
                for name, v in self.ladders.items()]
        rows += [(f"trap {name}", (f"mean {number(v['mean'])}", f"max {number(v['max'])}", _which(v)))
                 for name, v in self.traps.items()]
        rows.append(("identity", (f"mean {number(self.identity['mean'])}", f"min {number(self.identity['min'])}",
                                  f"beaten on {self.identity['beaten']} targets")))
        rows.append(("repeat", (f"spread {number(self.repeat)}", "", "largest over targets")))
        rows.append(("order of the pair", (f"mean {number(self.asymmetry['mean'])}",
                                           f"max {number(self.asymmetry['max'])}", "difference when swapped")))
        if self.agreement:
            rows.append((f"with {self.other}", (f"all {number(self.agreement['all'])}",
                                                f"within {number(self.agreement['within'])}", "rank correlation")))
        return rows

    def plot(self):
        """A matplotlib figure: mean score by rung for each ladder, scores of the traps, the other judge's scores."""
        import matplotlib.pyplot as plt

        columns = 3 if self.agreement else 2
        figure, axes = plt.subplots(1, columns, figsize=(4.4 * columns, 3.4), layout="constrained")
        for name, amounts in RUNGS.items():
            levels = range(1, len(amounts) + 1)
            means = [self.identity["mean"], *(_mean(_scores(self.rows, "ladder", name, level)) for level in levels)]
            axes[0].plot([0, *levels], means, marker="o", ms=4, label=name)
        axes[0].set(xlabel="rung (0 = the target itself)", ylabel="mean score", title=f"Ladders, n = {self.n}",
                    xticks=range(5))
        axes[0].legend(frameon=False, fontsize=8)
        names = list(self.traps)
        for i, name in enumerate(names):
            scores = _scores(self.rows, "trap", name)
            axes[1].plot(scores, [i] * len(scores), "o", ms=4, color="#d62728", alpha=0.6)
        axes[1].axvline(LIMIT, color="#888", lw=1, ls="--")
        axes[1].set(yticks=range(len(names)), yticklabels=names, title="Traps",
                    xlabel="score of each target's trap (dashed: limit of the mean)")
        axes[1].invert_yaxis()
        if self.agreement:
            for kind, colour in (("ladder", "#1f77b4"), ("trap", "#d62728")):
                rows = [row for row in self.rows if row["kind"] == kind]
                axes[2].plot([row["score"] for row in rows], [row["other"] for row in rows], "o", ms=3, alpha=0.5,
                             color=colour, label=kind)
            axes[2].set(xlabel=self.name, ylabel=self.other, title=f"Rank correlation {self.agreement['all']:.2f}")
            axes[2].legend(frameon=False, fontsize=8)
        for ax in axes:
            ax.grid(alpha=0.3)
        plt.close(figure)
        return figure


def audit(judge, targets, other=None, repeats=3, seed=0, name=None) -> Audit:
    """Try a judge on spoilt targets and traps, and say where it can be trusted.

    Args:
        judge: anything called as `(target, image)` that gives a `Verdict` or a float, 1 = the same. One with
            `map(pairs)` judges many at once; one with `fresh()` is asked without its cache for the repeats.
        targets: at least two PIL images, or what `load_images` gave. 4 take seconds, 20 give steady numbers. Each costs
            at most 33 pairs, `repeats` more, and 2 in the other order.
        other: a second judge, to compare with.
        seed: of the noise.

    A judge that raises counts as unscored for that pair. Raises ValueError for fewer than two targets.

    Example: `print(audit(PixelJudge(), load_images("data/charts/test").select(range(8))))`
    """
    targets = [rgb(image) for image in (targets["image"] if hasattr(targets, "column_names") else targets)]
    if len(targets) < 2:
        raise ValueError(f"audit needs at least 2 targets (one is the other's trap), got {len(targets)}")
    spoilt = [_spoilt(i, targets, np.random.default_rng([seed, i])) for i in range(len(targets))]
    rows = [row for rows in spoilt for row in rows]
    pairs = [(targets[row["target"]], row["image"]) for row in rows]
    scores, reasons = _judged(judge, pairs)
    others = _judged(other, pairs)[0] if other is not None else [math.nan] * len(pairs)
    for row, score, value in zip(rows, scores, others):
        row.update(score=score, other=value)
    middle = [i for i, row in enumerate(rows) if row["kind"] == "ladder" and row["level"] == MIDDLE
              and row["name"] in ("cover", "hue")]
    first = [i for i in middle if rows[i]["name"] == "cover"]
    again, more = _judged(judge.fresh() if hasattr(judge, "fresh") else judge, [pairs[i] for i in first] * repeats)
    swapped, most = _judged(judge, [pairs[i][::-1] for i in middle])
    reasons = reasons + more + most
    differences = [abs(scores[i] - score) for i, score in zip(middle, swapped)]
    spreads = [np.ptp(again[k::len(first)]) for k in range(len(first))] if repeats else []
    found = {"ladders": {ladder: _ladder(rows, ladder) for ladder in RUNGS},
             "traps": {trap: _trap(rows, trap) for trap in TRAPS}, "identity": _identity(rows),
             "repeat": _worst(spreads, max), "asymmetry": {"mean": _mean(differences), "max": _worst(differences, max)},
             "agreement": _agreement(rows) if other is not None else None}
    unscored = sum(math.isnan(score) for score in [*scores, *again, *swapped])
    examples = {row["name"]: (_thumbnail(row["image"]), row["score"]) for row in rows
                if row["target"] == 0 and row["kind"] in ("same", "trap")}
    kept = [{key: value for key, value in row.items() if key != "image"} for row in rows]
    return Audit(name or _name(judge), len(targets), **found, unscored=unscored, why=next(iter(reasons), ""),
                 failures=_failures(found, unscored), rows=kept, pictures=examples,
                 other=_name(other) if other is not None else "")


# ---- spoilings --------------------------------------------------------------------------------------------------

def spoil(image, name: str, amount: float, seed=0) -> Image.Image:
    """One rung of a ladder: `image` spoilt by `name` of `RUNGS`; `amount` in the unit given there.

    Example: `spoil(target, "shift", 0.1)`
    """
    image = rgb(image)
    width, height = image.size
    paper = _paper(image)
    page = Image.new("RGB", image.size, paper)
    if name == "noise":
        noise = np.random.default_rng(seed).normal(0, amount, (height, width, 3))
        return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
    if name == "blur":
        return image.filter(ImageFilter.GaussianBlur(amount * max(image.size)))
    if name == "shift":
        page.paste(image, (round(amount * width), 0))
        return page
    if name == "scale":
        small = image.resize((max(1, round(amount * width)), max(1, round(amount * height))), Image.Resampling.LANCZOS)
        page.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
        return page
    if name == "hue":
        hue, saturation, value = image.convert("HSV").split()
        turned = hue.point(lambda h: int(h + amount * 256) % 256)
        return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    if name == "cover":
        left, top, right, bottom = _drawn(image, paper)
        image = image.copy()
        image.paste(paper, (round(right - amount * (right - left)), top, right, bottom))
        return image
    raise ValueError(f"unknown spoiling {name!r}; known: {', '.join(RUNGS)}")


def _spoilt(i, targets, random):
    """All pictures shown beside target `i`, as rows; what leaves the picture as it is (the hue of grays) is no row."""
    target = targets[i]

    def row(kind, name, level, image):
        return {"target": i, "kind": kind, "name": name, "level": level, "image": image}

    rows = [row("same", "target", 0, target)]
    for name, amounts in RUNGS.items():
        rows += [row("ladder", name, level, spoil(target, name, amount, random))
                 for level, amount in enumerate(amounts, 1)]
    noise = Image.fromarray(random.integers(0, 256, (target.height, target.width, 3), dtype=np.uint8))
    mean = tuple(int(value) for value in np.asarray(target).mean((0, 1)))
    cells = (max(1, target.width * 16 // max(target.size)), max(1, target.height * 16 // max(target.size)))
    pictures = {"blank": Image.new("RGB", target.size, _paper(target)), "solid": Image.new("RGB", target.size, mean),
                "axes": _axes(target.size), "unrelated": targets[(i + 1) % len(targets)],
                "mirrored": ImageOps.mirror(target),
                "mosaic": target.resize(cells, Image.Resampling.BOX).resize(target.size, Image.Resampling.NEAREST),
                "noise": noise, "blur": target.filter(ImageFilter.GaussianBlur(0.03 * max(target.size)))}
    rows += [row("trap", name, 0, pictures[name]) for name in TRAPS
             if name != "mirrored" or _turned(target, pictures[name])]
    return [row for row in rows if row["kind"] == "same" or row["image"] != target]


def _paper(image):
    """The most frequent colour."""
    return max(image.getcolors(image.width * image.height))[1]


def _turned(target, mirrored):
    """Whether mirroring changes at least a third of what is drawn; a nearly symmetric picture rightly scores high."""
    a, b = (np.asarray(picture).astype(int) for picture in (target, mirrored))
    ink = np.abs(a - _paper(target)).max(2) > 16
    changed = np.abs(a - b).max(2) > 16
    return changed[ink].mean() > 1 / 3 if ink.any() else False


def _drawn(image, paper):
    """The box around all that is not paper; the whole page when nothing is drawn."""
    return _box(np.abs(np.asarray(image).astype(int) - paper).max(2) > 16) or (0, 0, *image.size)


def _axes(size):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.add_subplot()
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).resize(size)


# ---- numbers ----------------------------------------------------------------------------------------------------

def _judged(judge, pairs):
    """Scores of the pairs (NaN = unscored), and the reasons of those that are missing."""
    def one(pair):
        try:
            result = judge(*pair)
            return result if isinstance(result, Verdict) else Verdict(float(result), "", reason="the judge gave NaN")
        except Exception as error:  # one bad pair must not end an audit of an hour
            return Verdict(math.nan, "", reason=f"{type(error).__name__}: {error}")

    verdicts = judge.map(pairs) if hasattr(judge, "map") else [one(pair) for pair in pairs]
    return [v.score for v in verdicts], [v.reason for v in verdicts if math.isnan(v.score)]


def _scores(rows, kind, name, level=0):
    return [row["score"] for row in rows if (row["kind"], row["name"], row["level"]) == (kind, name, level)]


def _ladder(rows, name):
    from scipy.stats import kendalltau

    taus = {}
    for target in sorted({row["target"] for row in rows}):
        rungs = [(row["level"], row["score"]) for row in rows
                 if row["target"] == target and not math.isnan(row["score"])
                 and (row["kind"] == "same" or (row["kind"], row["name"]) == ("ladder", name))]
        if len(rungs) < 3:
            continue
        levels, scores = zip(*rungs)
        tau = kendalltau(levels, [-score for score in scores]).statistic
        taus[target] = 0.0 if math.isnan(tau) else float(tau)  # one score for all rungs: the judge does not see it
    worst = min(taus, key=taus.get, default=None)
    return {"mean": _mean(taus.values()), "worst": taus.get(worst, math.nan), "target": worst, "n": len(taus)}


def _trap(rows, name):
    scores = {row["target"]: row["score"] for row in rows if (row["kind"], row["name"]) == ("trap", name)
              and not math.isnan(row["score"])}
    worst = max(scores, key=scores.get, default=None)
    return {"mean": _mean(scores.values()), "max": scores.get(worst, math.nan), "target": worst, "n": len(scores)}


def _identity(rows):
    same = {row["target"]: row["score"] for row in rows if row["kind"] == "same"}
    beaten = {row["target"] for row in rows if row["score"] > same[row["target"]] + 1e-6}
    return {"mean": _mean(same.values()), "min": _worst(same.values(), min), "beaten": len(beaten)}


def _agreement(rows):
    def rank(rows):
        both = [(row["score"], row["other"]) for row in rows if not math.isnan(row["score"] + row["other"])]
        if len(both) < 3 or len({a for a, _ in both}) < 2 or len({b for _, b in both}) < 2:
            return math.nan
        return float(spearmanr(*zip(*both)).statistic)

    from scipy.stats import spearmanr

    groups = defaultdict(list)
    for row in rows:
        groups[row["target"]].append(row)
    return {"all": rank(rows), "within": _mean(rank(group) for group in groups.values())}


def _failures(found, unscored):
    failures = [f"ladder {name}: tau {v['mean']:.2f} < {FAITHFUL}" for name, v in found["ladders"].items()
                if v["mean"] < FAITHFUL - 1e-9]
    failures += [f"trap {name}: {v['mean']:.2f} > {LIMIT}" for name, v in found["traps"].items() if v["mean"] > LIMIT]
    if found["identity"]["beaten"]:
        failures.append(f"another picture beats the target itself on {found['identity']['beaten']} targets")
    if unscored:
        failures.append(f"{unscored} unscored")
    return tuple(failures)


def _mean(values):
    values = [value for value in values if not math.isnan(value)]
    return float(np.mean(values)) if values else math.nan


def _worst(values, choose):
    return float(choose((value for value in values if not math.isnan(value)), default=math.nan))


def _which(found):
    return "no target" if found["target"] is None else f"on target {found['target']}, n = {found['n']}"


def _name(judge):
    return getattr(judge, "__name__", None) or getattr(judge, "model", None) or type(judge).__name__


def _thumbnail(image):
    image = image.copy()
    image.thumbnail((160, 160))
    return image
