"""Audit a judge before training on it: does it fall when a picture is spoilt, and what fools it?

`audit(judge, targets)` spoils each target step by step in six ways (ladders), shows the judge pictures that
deserve next to nothing (traps), the target itself, the same pair again, and each pair the other way round,
and programs that a policy could cheat with (the `zoo`, for the first target). It works for whatever
`as_judge` takes. `agreement(mine, theirs)` compares two lists of scores of the same pairs.

Left out: the spoilings themselves (`spoilings`), those of meaning, and the judgement of people. The order
inside one ladder is certain; nothing is said about which of two ladders is worse. A judge that passes can
still be fooled by what is not among the traps. How an audit looks in a notebook is `show`'s.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from ..leaves.pictures import rgb
from .protocol import as_judge, judged, name_of
from .spoilings import LIMIT, RUNGS, TRAPS, spoil, traps
from .zoo import Exhibit, exhibits

FAITHFUL = 0.8  # a ladder whose mean Kendall tau is below this is a failure, as is a trap above LIMIT
MIDDLE = 2      # the rung on which repeats and the order of the pair are tried


@dataclass(frozen=True)
class Audit:
    """What `audit` found, as plain numbers; `str()` and `table()` put them into words, `plot()` draws them.

    `ladders[name]`: Kendall tau-b between spoiling and loss of score, 1 = falls at every rung, 0 = no
    relation; "mean", "worst", the "target" (index) it is worst on, "n" targets. `traps[name]`: score "mean",
    "max", its "target", "n". `identity`: score of the target itself, "mean", "min", and "beaten": targets
    where another picture scored higher. `repeat`: largest spread (max - min) of one pair asked again.
    `asymmetry`: |judge(a, b) - judge(b, a)|, "mean" and "max". `agreement`: Spearman's rank correlation with
    the judge named `other`, over "all" pairs and "within" targets (mean), or None.

    `failures` names what is beyond the limits, `unscored` counts NaN scores and `why` is the first one's
    reason. `rows` holds every score, `pictures[name]` a thumbnail of the first target or of one of its traps,
    with its score; `hacks` are the exhibits of the zoo, with this judge's scores. Numbers that could not be
    computed are NaN.

    Example: `audit(PixelJudge(), targets).traps["blank"]["max"]`.
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
    hacks: tuple[Exhibit, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether nothing is beyond the limits."""
        return not self.failures

    @property
    def summary(self) -> str:
        """One line: who was audited on how much, and what failed."""
        verdict = "passed" if self.passed else "FAILED: " + "; ".join(self.failures)
        return f"Audit of {self.name}, n = {self.n} targets, {len(self.rows)} pairs: {verdict}"

    @property
    def missing(self) -> str:
        """One line on the scores that are missing; empty where none is."""
        return f"{self.unscored} scores are missing; the first: {self.why}" if self.unscored else ""

    def __str__(self):
        lines = [" | ".join((f"{name:<20}", *cells)) for name, *cells in self.table()]
        return "\n".join(filter(None, [self.summary, *lines, self.missing]))

    def table(self) -> list[tuple[str, str, str, str]]:
        """(what was tried, its typical number, its worst, where that was), as words.

        One row for each ladder, trap and hack, for the identity, the repeats and the order of the pair, and
        for the other judge.
        """
        rows = [_row(f"ladder {name}", found, "tau", "mean", "worst", _which(found))
                for name, found in self.ladders.items()]
        rows += [_row(f"trap {name}", found, "mean", "mean", "max", _which(found))
                 for name, found in self.traps.items()]
        rows += [(f"hack {one.name}", f"score {_number(one.scores[self.name])}", "", one.error or
                  f"caught by: {one.caught}") for one in self.hacks]
        beaten = f"beaten on {self.identity['beaten']} targets"
        rows.append(_row("identity", self.identity, "mean", "mean", "min", beaten))
        rows.append(("repeat", f"spread {_number(self.repeat)}", "", "largest over targets"))
        swapped = "difference when swapped"
        rows.append(_row("order of the pair", self.asymmetry, "mean", "mean", "max", swapped))
        if self.agreement:
            other = f"with {self.other}"
            rows.append(_row(other, self.agreement, "all", "all", "within", "rank correlation"))
        return rows

    def plot(self):
        """A matplotlib figure: mean scores along the ladders, scores of the traps, the other judge's."""
        import matplotlib.pyplot as plt  # here, so that the import of the room stays quick

        columns = 3 if self.agreement else 2
        figure, axes = plt.subplots(1, columns, figsize=(4.4 * columns, 3.4), layout="constrained")
        self._plot_ladders(axes[0])
        self._plot_traps(axes[1])
        if self.agreement:
            self._plot_agreement(axes[2])
        for ax in axes:
            ax.grid(alpha=0.3)
        plt.close(figure)
        return figure

    def _plot_ladders(self, ax):
        for name, amounts in RUNGS.items():
            levels = range(1, len(amounts) + 1)
            means = [_mean(_scores(self.rows, "ladder", name, level)) for level in levels]
            ax.plot([0, *levels], [self.identity["mean"], *means], marker="o", ms=4, label=name)
        ax.set(xlabel="rung (0 = the target itself)", ylabel="mean score", title=f"Ladders, n = {self.n}",
               xticks=range(5))
        ax.legend(frameon=False, fontsize=8)

    def _plot_traps(self, ax):
        names = list(self.traps)
        for i, name in enumerate(names):
            scores = _scores(self.rows, "trap", name)
            ax.plot(scores, [i] * len(scores), "o", ms=4, color="#d62728", alpha=0.6)
        ax.axvline(LIMIT, color="#888", lw=1, ls="--")
        ax.set(yticks=range(len(names)), yticklabels=names, title="Traps",
               xlabel="score of each target's trap (dashed: limit of the mean)")
        ax.invert_yaxis()

    def _plot_agreement(self, ax):
        for kind, colour in (("ladder", "#1f77b4"), ("trap", "#d62728")):
            rows = [row for row in self.rows if row["kind"] == kind]
            ax.plot([row["score"] for row in rows], [row["other"] for row in rows], "o", ms=3, alpha=0.5,
                    color=colour, label=kind)
        ax.set(xlabel=self.name, ylabel=self.other, title=f"Rank correlation {self.agreement['all']:.2f}")
        ax.legend(frameon=False, fontsize=8)


def audit(judge, targets, other=None, repeats=3, seed=0, name=None, hacks=True) -> Audit:
    """Try a judge on spoilt targets and traps, and say where it can be trusted.

    Args:
        judge: what `as_judge` takes. One with `map(pairs)` judges many at once; one with `fresh()` is asked
        without its
            cache for the repeats.
        targets: at least two PIL images, or what `load_images` gave. 4 take seconds, 20 give steady numbers.
        Each costs
            at most 33 pairs, `repeats` more, and 2 in the other order.
        other: a second judge, to compare with.
        seed: of the noise.
        hacks: render the zoo's programs for the first target and show them to the judge, 15 pairs more. A
        hack that it pays and no flag catches is a failure.

    A judge that raises counts as unscored for that pair, also one whose number is outside [0, 1]. Raises
    ValueError for fewer than two targets, TypeError for what is no judge.

    Example: `print(audit(PixelJudge(), load_images("data/charts/test").select(range(8))))`
    """
    name, other_name = name or name_of(judge), "" if other is None else name_of(other)
    judge, other = as_judge(judge), None if other is None else as_judge(other)
    targets = [rgb(image) for image in (targets["image"] if hasattr(targets, "column_names") else targets)]
    if len(targets) < 2:
        raise ValueError(f"audit needs at least 2 targets (one is the other's trap), got {len(targets)}")
    rows = [row for i in range(len(targets)) for row in _spoilt(i, targets, seed)]
    pairs = [(targets[row["target"]], row["image"]) for row in rows]
    scores, reasons = judged(judge, pairs)
    others = [math.nan] * len(pairs) if other is None else judged(other, pairs)[0]
    for row, score, other_score in zip(rows, scores, others, strict=True):
        row.update(score=score, other=other_score)
    middle = [i for i, row in enumerate(rows) if row["level"] == MIDDLE and row["name"] in ("cover", "hue")]
    asked = [i for i in middle if rows[i]["name"] == "cover"]
    cold = as_judge(judge.fresh()) if hasattr(judge, "fresh") else judge
    again, more = judged(cold, [pairs[i] for i in asked] * repeats)
    swapped, most = judged(judge, [pairs[i][::-1] for i in middle])
    found = _found(rows)
    found["repeat"] = _spread(again, len(asked))
    found["asymmetry"] = _asymmetry([scores[i] for i in middle], swapped)
    found["agreement"] = None if other is None else _rank_correlation(rows)
    found["unscored"] = sum(math.isnan(score) for score in [*scores, *again, *swapped])
    why = next(iter(reasons + more + most), "")
    shown = exhibits(targets[0], {name: judge}) if hacks else ()
    return Audit(name, len(targets), **found, why=why, failures=_failures(found, shown, name), hacks=shown,
                 rows=[{key: value for key, value in row.items() if key != "image"} for row in rows],
                 pictures=_pictures(rows), other=other_name)


def agreement(mine, theirs) -> dict[str, float]:
    """How two judges of the same pairs agree: n, mean absolute gap, and Kendall's tau (NaN below two pairs).

    `mine` and `theirs` are scores in the same order; ValueError where one has more.

    Example: `agreement([0.2, 0.9], [0.1, 0.8])["tau"] == 1.0`.
    """
    from scipy.stats import kendalltau  # half a second to import, like spearmanr below

    gaps = [abs(a - b) for a, b in zip(mine, theirs, strict=True)]
    tau = float(kendalltau(mine, theirs).statistic) if len(gaps) > 1 else math.nan
    return {"n": len(gaps), "gap": sum(gaps) / len(gaps) if gaps else math.nan, "tau": tau}


# ---- asking ------------------------------------------------------------------------------------------------

def _spoilt(i, targets, seed):
    """All pictures shown beside target `i`, as rows; what leaves it as it is (the hue of grays) is no row."""
    target, random = targets[i], np.random.default_rng([seed, i])

    def row(kind, name, level, image):
        return {"target": i, "kind": kind, "name": name, "level": level, "image": image}

    rungs = [row("ladder", name, level, spoil(target, name, amount, random))
             for name, amounts in RUNGS.items() for level, amount in enumerate(amounts, 1)]
    shown = traps(target, targets[(i + 1) % len(targets)], random)
    rows = rungs + [row("trap", name, 0, image) for name, image in shown.items()]
    return [row("same", "target", 0, target)] + [row for row in rows if row["image"] != target]


def _pictures(rows):
    """{name: (thumbnail, score)} of the first target and its traps."""
    found = {}
    for row in rows:
        if row["target"] == 0 and row["kind"] in ("same", "trap"):
            small = row["image"].copy()
            small.thumbnail((160, 160))
            found[row["name"]] = small, row["score"]
    return found


# ---- numbers -----------------------------------------------------------------------------------------------

def _found(rows):
    """What the rows of scores alone tell."""
    return {"ladders": {name: _ladder(rows, name) for name in RUNGS},
            "traps": {name: _trap(rows, name) for name in TRAPS}, "identity": _identity(rows)}


def _scores(rows, kind, name, level=0):
    return [row["score"] for row in rows if (row["kind"], row["name"], row["level"]) == (kind, name, level)]


def _ladder(rows, name):
    rungs = defaultdict(list)  # of each target: (level, score), the target itself at level 0
    for row in rows:
        if row["kind"] == "same" or (row["kind"], row["name"]) == ("ladder", name):
            rungs[row["target"]] += [] if math.isnan(row["score"]) else [(row["level"], row["score"])]
    taus = {target: _tau(pairs) for target, pairs in rungs.items() if len(pairs) >= 3}
    worst = min(taus, key=taus.get, default=None)
    return {"mean": _mean(taus.values()), "worst": taus.get(worst, math.nan), "target": worst, "n": len(taus)}


def _tau(rungs):
    """Kendall's tau between level and loss; 0 for one score on all rungs: the judge does not see it."""
    from scipy.stats import kendalltau

    levels, scores = zip(*rungs, strict=True)
    tau = kendalltau(levels, [-score for score in scores]).statistic
    return 0.0 if math.isnan(tau) else float(tau)


def _trap(rows, name):
    scores = {row["target"]: row["score"] for row in rows
              if (row["kind"], row["name"]) == ("trap", name) and not math.isnan(row["score"])}
    worst = max(scores, key=scores.get, default=None)
    mean = _mean(scores.values())
    return {"mean": mean, "max": scores.get(worst, math.nan), "target": worst, "n": len(scores)}


def _identity(rows):
    same = {row["target"]: row["score"] for row in rows if row["kind"] == "same"}
    beaten = {row["target"] for row in rows if row["score"] > same[row["target"]] + 1e-6}
    return {"mean": _mean(same.values()), "min": _worst(same.values(), min), "beaten": len(beaten)}


def _spread(scores, n):
    """The largest spread of one of `n` pairs that were asked again and again, all n in turn."""
    return _worst([np.ptp(scores[k::n]) for k in range(n)] if scores else [], max)


def _asymmetry(scores, swapped):
    gaps = [abs(a - b) for a, b in zip(scores, swapped, strict=True)]
    return {"mean": _mean(gaps), "max": _worst(gaps, max)}


def _rank_correlation(rows):
    """Spearman's, over all pairs and the mean of that over each target's."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["target"]].append(row)
    return {"all": _spearman(rows), "within": _mean(map(_spearman, groups.values()))}


def _spearman(rows):
    from scipy.stats import spearmanr

    both = [(row["score"], row["other"]) for row in rows if not math.isnan(row["score"] + row["other"])]
    if len(both) < 3 or len({a for a, _ in both}) < 2 or len({b for _, b in both}) < 2:
        return math.nan
    return float(spearmanr(*zip(*both, strict=True)).statistic)


def _failures(found, hacks, name):
    failures = [f"ladder {name}: tau {v['mean']:.2f} < {FAITHFUL}" for name, v in found["ladders"].items()
                if v["mean"] < FAITHFUL - 1e-9]
    failures += [f"trap {name}: {v['mean']:.2f} > {LIMIT}" for name, v in found["traps"].items()
                 if v["mean"] > LIMIT]
    if paid := [f"{one.name} {one.scores[name]:.2f}" for one in hacks if one.fooled and not one.flags]:
        failures.append(f"hacks paid more than {LIMIT}: {', '.join(paid)}")
    if found["identity"]["beaten"]:
        failures.append(f"another picture beats the target itself on {found['identity']['beaten']} targets")
    if found["unscored"]:
        failures.append(f"{found['unscored']} unscored")
    return tuple(failures)


def _mean(values):
    values = [value for value in values if not math.isnan(value)]
    return float(np.mean(values)) if values else math.nan


def _worst(values, choose):
    return float(choose((value for value in values if not math.isnan(value)), default=math.nan))


# ---- words -------------------------------------------------------------------------------------------------

def _row(what, found, word, typical, worst, where):
    return what, f"{word} {_number(found[typical])}", f"{worst} {_number(found[worst])}", where


def _number(value):
    return f"{value:+.3f}" if value < 0 else f"{value:.3f}"


def _which(found):
    return "no target" if found["target"] is None else f"on target {found['target']}, n = {found['n']}"
