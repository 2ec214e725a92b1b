"""From the results of the arms to the table: what each claim's effect is, how sure, and in one word whether
it was shown.

Effects are differences of vision scores, paired by image. Where an arm has several seeds, the interval is a
bootstrap over images and over seeds. *shown*: the interval lies above 0; *the other way round*: below; else
*not shown*.

Left out: corrections for so many comparisons.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from ..leaves.files import found
from ..records.statistics import mean
from .arms import ABLATIONS, ARMS, AWAY

SHIPPED = "data/claims"
DRAWS = 4000
SHOWN, NOT_SHOWN, OTHER_WAY = "shown", "not shown", "the other way round"


@dataclass(frozen=True)
class Effect:
    """A paired difference: its mean, 95 % interval, images `n`, seeds; `spread` is that between seeds."""

    value: float
    low: float
    high: float
    n: int
    seeds: int
    spread: float

    @property
    def verdict(self) -> str:
        """Shown, not shown or the other way round."""
        return SHOWN if self.low > 0 else OTHER_WAY if self.high < 0 else NOT_SHOWN

    @classmethod
    def of(cls, differences) -> Effect:
        """From rows of differences, one row for each seed, one column for each image."""
        rows = np.atleast_2d(np.asarray(differences, float))
        rng = np.random.default_rng(0)
        seeds, n = rows.shape
        draws = [rows[rng.integers(seeds, size=seeds)][:, rng.integers(n, size=n)].mean()
                 for _ in range(DRAWS)]
        low, high = np.percentile(draws, [2.5, 97.5])
        means = rows.mean(1)
        return cls(float(rows.mean()), float(low), float(high), n, seeds,
                   float(means.std(ddof=1)) if seeds > 1 else float("nan"))


class Results:
    """The recorded results of arms: `results.of("rl", "test")` is an array, a row for each seed."""

    def __init__(self, folder=SHIPPED):
        self.folder = found(folder)
        self._found = {}
        for path in sorted([*self.folder.glob("*/result.json"), *self.folder.glob("*.json")]):
            row = json.loads(path.read_text())
            if row.get("arm") in ARMS:
                self._found.setdefault(row["arm"], {})[row["seed"]] = row
        if not self._found:
            raise FileNotFoundError(f"no arms are recorded in '{folder}'; train them with: python -m "
                                    f"rrvf_lab.claims --run --output {folder}")

    def __contains__(self, name):
        return name in self._found

    def seeds(self, name) -> list[int]:
        """The seeds an arm was trained with."""
        return sorted(self._found.get(name, {}))

    def has(self, name, which) -> bool:
        """Whether an arm was measured on a set."""
        return name in self and all(which in row["sets"] for row in self._found[name].values())

    def of(self, name, which="test", what="vision") -> np.ndarray:
        """A row for each seed: `what` ("vision", "last", "tokens", "renders"), or ("after", k) turns."""
        rows = []
        for seed in self.seeds(name):
            numbers = self._found[name][seed]["sets"][which]
            if isinstance(what, tuple):
                k = what[1] - 1
                rows.append([after[min(k, len(after) - 1)] for after in numbers["after"]])
            else:
                rows.append(numbers[what])
        return np.array(rows, float)

    def sum_of(self, name, which, what) -> float:
        """A number of a whole set, its mean over seeds."""
        return mean([self._found[name][seed]["sets"][which][what] for seed in self.seeds(name)])

    def cost(self, name) -> dict:
        """What one seed of an arm cost, the mean over seeds."""
        rows = [self._found[name][seed]["cost"] for seed in self.seeds(name)]
        return {key: mean([row[key] for row in rows]) for key in rows[0]} if rows and rows[0] else {}

    def differences(self, name, other, *sets) -> np.ndarray:
        """How much more one arm scores than another on the same images, seed by seed where both have them;
        several `sets` ("test" where none is named) are put together."""
        sets = sets or ("test",)
        mine, theirs = (np.hstack([self.of(arm, which) for which in sets]) for arm in (name, other))
        if len(mine) != len(theirs):
            theirs = np.broadcast_to(theirs.mean(0), mine.shape)
        return mine - theirs

    def effect(self, name, other, *sets) -> Effect:
        """The same as an effect, with its interval."""
        return Effect.of(self.differences(name, other, *sets))


@dataclass(frozen=True)
class Claim:
    """One claim, put to the test: its words, what was compared, the effect, what it is made of and cost."""

    claim: str
    compared: str
    effect: Effect
    minutes: float
    said: str

    @property
    def verdict(self) -> str:
        """Shown, not shown or the other way round."""
        return self.effect.verdict

    def row(self) -> dict:
        """One row of the table."""
        e = self.effect
        return {"claim": self.claim, "compared": self.compared, "effect": f"{e.value:+.3f}",
                "95 % interval": f"{e.low:+.3f} to {e.high:+.3f}", "n": e.n, "seeds": e.seeds,
                "minutes": f"{self.minutes:.0f}", "verdict": self.verdict, "of it": self.said}


class Claims:
    """`claims()` gives one: `table`, `ablations`, `costs` are pandas frames; as text it is all three."""

    def __init__(self, results: Results):
        self.results = results
        self.found = [claim for make in ALL for claim in make(results)]
        self._ablations = None  # thousands of draws for each row: made once

    def table(self):
        """The claims, one row each."""
        import pandas as pd

        return pd.DataFrame([claim.row() for claim in self.found])

    def ablations(self):
        """One change each against `short`, sorted by effect: effect, interval, seeds; the arm's own score."""
        import pandas as pd

        if self._ablations is not None:
            return self._ablations.copy()
        rows, results = [], self.results

        def add(arm, change, effect, scores):
            rows.append({"arm": arm, "change": change, "effect": effect.value, "low": effect.low,
                         "high": effect.high, "n": effect.n, "seeds": effect.seeds, "score": scores.mean()})

        if "short" in results:
            for arm in ABLATIONS[1:]:
                if arm.name in results:
                    add(arm.name, arm.said, results.effect(arm.name, "short"), results.of(arm.name))
            last = results.of("short", what="last")
            add("last-render", "the last render counts, not the chosen one (at test)",
                Effect.of(last - results.of("short")), last)
        columns = ["arm", "change", "effect", "low", "high", "n", "seeds", "score"]
        frame = pd.DataFrame(rows, columns=columns)
        self._ablations = frame.sort_values("effect", ascending=False, ignore_index=True)
        return self._ablations.copy()

    def noise(self) -> float:
        """The spread (standard deviation) of the score of `short` between seeds: what one seed can say."""
        scores = self.results.of("short").mean(1) if "short" in self.results else []
        return float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")

    def noise_said(self) -> str:
        """The same in words."""
        noise = self.noise()
        return ("With one seed their spread is not known." if np.isnan(noise) else
                f"Their score spreads by {noise:.3f} between seeds.")

    def costs(self):
        """What every arm cost: minutes, and of a step seconds, tokens, renders (each is judged once); minutes
        for each hundredth that it gained over its start."""
        import pandas as pd

        rows, nothing = [], float("nan")
        for name, arm in ARMS.items():
            if not (cost := self.results.cost(name)):
                continue
            start = "teacher" if arm.model == "nano" else "base"
            gain = self.results.differences(name, start).mean() if start in self.results else nothing
            price = cost["minutes"] / gain / 100 if gain > 0.001 else nothing
            rows.append({"arm": name} | cost | {"gain": round(gain, 3), "minutes per 0.01": round(price, 2)})
        return pd.DataFrame(rows)

    def __repr__(self):
        parts = [_text(self.table())]
        if len(ablations := self.ablations()):
            parts += [f"One change each against short runs. {self.noise_said()}", _text(ablations.round(3))]
        return "\n\n".join([*parts, _text(self.costs())])


def claims(folder=SHIPPED) -> Claims:
    """The claims of the paper as the arms recorded in `folder` bear them out.

    Raises FileNotFoundError where none are recorded. Example: `claims().table()`.
    """
    return Claims(Results(folder))


def _text(table):
    return table.to_string(index=False, max_colwidth=90)


# --------------------------------------------------------------------------------------------- claim by claim

def best_supervised(results) -> str | None:
    """The supervised arm with the highest score on the validation charts, of those with equal images and
    updates."""
    there = [name for name in ("sft-low", "sft", "sft-high") if results.has(name, "validation")]
    return max(there, key=lambda name: results.of(name, "validation").mean(), default=None)


def _claim(results, claim, name, other, *sets, where=""):
    sets = sets or ("test",)
    if not all(results.has(arm, which) for arm in (name, other) for which in sets):
        return []
    scores = [np.hstack([results.of(arm, which).mean(0) for which in sets]).mean() for arm in (other, name)]
    where = where or ("" if sets == ("test",) else f", {sets[0]}")
    return [Claim(claim, f"{name} over {other}{where}", results.effect(name, other, *sets),
                  _minutes(results, name), "{:.3f} -> {:.3f}".format(*scores))]


def _minutes(results, name):
    return results.cost(name).get("minutes", 0.0)


def _beats_its_base(results):
    claim = "beats its base"
    return [*_claim(results, claim, "rl", "base"), *_claim(results, claim, "nano-rl", "teacher")]


def _beats_supervision(results):
    found, rival = [], best_supervised(results)
    if rival:
        found += _claim(results, "beats supervised fine-tuning (equal images and updates)", "rl", rival)
    found += _claim(results, "beats supervised fine-tuning (equal seconds)", "rl", "sft-long")
    all_four = {"where": ", all four elsewhere"}
    for name in filter(None, (rival, "sft-long")):
        found += _claim(results, "beats it out of distribution", "rl", name, *AWAY, **all_four)
        for which in AWAY:
            found += _claim(results, "beats it out of distribution", "rl", name, which)
    for name in filter(None, ("rl", rival, "sft-long")):
        found += _claim(results, "gains out of distribution", name, "base", *AWAY, **all_four)
    return found


def _corrects_itself(results):
    found = []
    for name in ("base", "rl", "nano-rl", "teacher"):
        if not results.has(name, "test"):
            continue
        cost = _minutes(results, name)
        after = [results.of(name, "test", ("after", k)) for k in (1, 2, 3)]
        for k in (2, 3):
            gain = Effect.of(after[k - 1] - after[k - 2])
            scores = " / ".join(f"{one.mean():.3f}" for one in after)
            compared = f"{name}, turn {k} over turn {k - 1}"
            found.append(Claim("corrects itself over turns", compared, gain, cost,
                               f"after turns 1, 2, 3: {scores}"))
        if results.has(name, "blind"):
            first, last = (results.of(name, "blind", ("after", k)) for k in (1, 3))
            told, blind = after[2] - after[0], last - first
            found.append(Claim("corrects itself over turns", f"{name}, with feedback over blind",
                               Effect.of(told - blind), cost,
                               f"blind {blind.mean():+.3f}, told {told.mean():+.3f}"))
    for k in (2, 3, 4):
        name = "short" if k == 3 else f"turns-{k}"
        found += _claim(results, f"training with {k} turns beats one", name, "turns-1")
    return found


def _beats_its_teacher(results):
    claim = "beats the teacher that wrote its feedback"
    return [*_claim(results, claim, "student", "teacher"),
            *_claim(results, claim + " (one draft each)", "student", "teacher", "one turn"),
            *_claim(results, "learns from a teacher's sentences", "student", "base"),
            *_claim(results, "a teacher's words are better than the judge's", "student", "short")]


def _works_for_pages(results):
    claim = "works for web pages (as matplotlib)"
    return [*_claim(results, claim, "rl", "base", "pages"),
            *_claim(results, claim, "pages-rl", "base", "pages")]


def _without_tools(results):
    claim = "keeps its gain without tools at test"
    found = _claim(results, claim, "rl", "base", "one turn")
    if results.has("rl", "one turn"):
        with_tools, without = results.of("rl"), results.of("rl", "one turn")
        cost = [results.sum_of("rl", which, "seconds") / without.shape[1] for which in ("test", "one turn")]
        tokens = [results.of("rl", which, "tokens").mean() for which in ("test", "one turn")]
        said = (f"with tools {cost[0]:.2f} s and {tokens[0]:.0f} tokens an image, without {cost[1]:.2f} s "
                f"and {tokens[1]:.0f}")
        found.append(Claim("tools at test are worth their price", "rl, three turns over one",
                           Effect.of(with_tools - without), 0.0, said))
    return found


ALL = (_beats_its_base, _beats_supervision, _corrects_itself, _beats_its_teacher, _works_for_pages,
       _without_tools)
