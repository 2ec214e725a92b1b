"""What interventions changed: paired means with their intervals, by intervention, sentence and checkpoint.

Means count situations; their standard errors and 95 % intervals are bootstraps over images, as situations of
one image are alike. Shares are Wilson's. A policy is said to look (or read) where its programs change more
often than when the very same is shown again, and to use it where the score falls, each by a test that counts
all interventions tried.

Left out: variation between training seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..records.statistics import SEED, mean, share
from .interventions import FLOOR, INTERVENTIONS, LOOKS, READS
from .sentences import KINDS

DRAWS = 2000
MEASURES = {"logprob": "log-probability of the recorded turn", "code": "programs changed", "score": "score"}
CHANCE = 0.05  # of saying anything at all of a policy that ignores everything
DREW = "drew again"
QUESTIONS = {LOOKS: "looks at what it is shown", READS: "reads what it is told"}


@dataclass(frozen=True, repr=False)
class Probe:
    """What `probe` found.

    `rows`: a dict for each situation and intervention: rollout (its position), id, turn, image, intervention,
    logprob and score (with "shown": as it was shown; NaN: unknown), changed, the programs, code and "code
    shown", and what it wrote as shown (program, earlier, unread). `told`: a dict for each sentence of
    a situation: kind, followed, untold (None: unknown). `notes` say what is not in the numbers. `policy` is
    its class's name, `rollouts` those looked at.
    """

    rows: list[dict]
    told: list[dict]
    notes: tuple[str, ...]
    policy: str
    rollouts: object

    @property
    def situations(self) -> int:
        """How many turns were asked for again."""
        return sum(row["intervention"] == INTERVENTIONS[0].name for row in self.rows)

    def table(self):
        """A frame with a row for each intervention: the mean change of the recorded turn's log-probability
        (per token, nats), the share of programs that changed, the mean change of the score.

        Each measure has columns "... low", "... high", "... n", means also "... se". NaN: unknown.
        """
        import pandas as pd

        rows = []
        for one in INTERVENTIONS:
            here = [row for row in self.rows if row["intervention"] == one.name]
            images = [row["image"] for row in here]
            row = {"question": one.question, "intervention": one.name}
            for name in ("logprob", "score"):
                change = [was[name] - was[f"{name} shown"] for was in here]
                row |= _named(name, over_images(change, images))
            row |= _named("code", share([was["changed"] for was in here]))
            rows.append(row)
        return pd.DataFrame(rows).set_index(["question", "intervention"])

    def obedience(self):
        """A frame with a row for each kind of sentence that was told: the share that the next draft followed
        (value, low, high, n), and the same had nothing been told (untold ...). "drew again": whether there
        was a next draft; without one nothing is followed."""
        import pandas as pd

        kinds = [kind for kind in (DREW, *KINDS) if any(row["kind"] == kind for row in self.told)]
        rows = []
        for kind in kinds:
            here = [row for row in self.told if row["kind"] == kind]
            told, untold = ([row[name] for row in here if row[name] is not None]
                            for name in ("followed", "untold"))
            rows.append({"kind": kind} | share(told)
                        | {f"untold {name}": value for name, value in share(untold).items()})
        columns = None if rows else ["kind", "value", "low", "high", "n"]
        return pd.DataFrame(rows, columns=columns).set_index("kind")

    def says(self, question: str) -> str:
        """A sentence on one question, "looks" or "reads", with the evidence."""
        does = QUESTIONS[question]
        frame, tried = self.table().loc[question], sum(one.question != FLOOR for one in INTERVENTIONS)
        moved = [name for name in frame.index if self._moved(name) < CHANCE / tried]
        images = len({row["image"] for row in self.rows})
        worse = [name for name in frame.index if CHANCE / tried >
                 _below_zero(frame.loc[name, "score"], frame.loc[name, "score se"], images)]
        if not frame["code n"].any():
            return f"Whether it {does} cannot be told: no situation could be changed."
        wrote = {(row["rollout"], row["turn"]): row["wrote"] for row in self.rows}
        if 2 * (unread := list(wrote.values()).count("unread")) > len(wrote):
            return f"Whether it {does} cannot be told: {unread} of {len(wrote)} turns could not be read."
        if not moved and not worse:
            most = frame["code"].fillna(0).idxmax()
            rate = _rate(frame.loc[most])
            return f"No sign that it {does}: at most {rate} programs change ({most})."
        rates = ", ".join(f"{name} {_rate(frame.loc[name])}" for name in moved)
        said = f"It {does}: programs change ({rates})" if moved else f"It {does}"
        if not worse:
            return f"{said}; with none of it gone or false the score is worse for certain."
        one = frame.loc[most := min(worse, key=lambda name: frame.loc[name, "score"])]
        return (f"{said}, and its score depends on it: {one['score']:+.3f} ({one['score low']:+.3f} to "
                f"{one['score high']:+.3f}) with {most}.")

    def _moved(self, name):
        """The chance that as many programs changed more than under no change, by a sign test on pairs."""
        from scipy.stats import binomtest

        changed = {(row["rollout"], row["turn"], row["intervention"]): row["changed"] for row in self.rows}
        pairs = [(one, changed[(*key, INTERVENTIONS[0].name)]) for (*key, which), one in changed.items()
                 if which == name]
        more, less = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
        return binomtest(more, more + less, alternative="greater").pvalue if more + less else 1.0

    def text(self) -> str:
        """All of it as text."""
        images = len({row["image"] for row in self.rows})
        lines = [f"Probe of {self.policy}: {self.situations} turns after a reply, {images} images; changes "
                 "with 95 % intervals (n)", *(self.says(question) for question in QUESTIONS), ""]
        head = ("", "", *MEASURES.values())
        lines += _aligned([head, *((*key, *cells(row)) for key, row in self.table().iterrows())])
        told = self.obedience()
        if len(told):
            lines += ["", "Followed by the next draft, and had nothing been told:"]
            lines += _aligned([(kind, *followed_cells(row)) for kind, row in told.iterrows()])
        return "\n".join([*lines, *(f"Mind: {note}" for note in self.notes)])

    __repr__ = text


@dataclass(frozen=True, repr=False)
class Curve:
    """The probes of a run's checkpoints: `probes` is {step: Probe}, all of the same situations; `notes` say
    which checkpoints are gone."""

    probes: dict[int, Probe]
    notes: tuple[str, ...] = ()

    def table(self):
        """A frame with a row for each step; columns are (intervention, measure) as in `Probe.table`, and
        ("obedience", value, low, high, n) over all sentences."""
        import pandas as pd

        rows = {}
        for step, probe in self.probes.items():
            frame = probe.table().droplevel("question")
            rows[step] = {(name, column): value for name, row in frame.iterrows()
                          for column, value in row.items()}
            hits = [row["followed"] for row in probe.told
                    if row["kind"] != DREW and row["followed"] is not None]
            rows[step] |= {("obedience", name): value for name, value in share(hits).items()}
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("step")
        return frame.set_axis(pd.MultiIndex.from_tuples(frame.columns), axis=1)

    def text(self) -> str:
        """Programs changed and score by step, and what each step's probe says."""
        lines = []
        for step, probe in self.probes.items():
            lines.append(f"step {step}: {probe.says(LOOKS)} {probe.says(READS)}")
        frame = self.table()
        names = [one.name for one in INTERVENTIONS]
        for measure in ("code", "score"):
            lines += ["", f"{MEASURES[measure]}, by step"]
            lines += _aligned([("step", *names), *((str(step), *(_value(measure, row[name, measure])
                                                                 for name in names))
                                                   for step, row in frame.iterrows())])
        return "\n".join([*lines, *(f"Mind: {note}" for note in self.notes)])

    __repr__ = text


def over_images(values, images) -> dict[str, float]:
    """The mean of the known values with a standard error and interval from a bootstrap over images: value,
    se, low, high, n. No interval for fewer than two images."""
    values = np.asarray(values, float)
    known = ~np.isnan(values)
    values, of = values[known], np.unique(np.asarray(images)[known], return_inverse=True)[1]
    found = {"value": mean(values), "se": math.nan, "low": math.nan, "high": math.nan, "n": len(values)}
    count = np.bincount(of)
    if len(count) < 2:
        return found
    weights = np.random.default_rng(SEED).multinomial(len(count), np.full(len(count), 1 / len(count)), DRAWS)
    draws = weights @ np.bincount(of, values) / (weights @ count)
    low, high = np.percentile(draws, (2.5, 97.5))
    se = float(draws.std()) * math.sqrt(len(count) / (len(count) - 1))
    return found | {"se": se, "low": float(low), "high": float(high)}


def cells(row) -> list[str]:
    """The three measures of a row of `Probe.table` as texts."""
    return [_cell(name, row) for name in MEASURES]


def followed_cells(row) -> tuple[str, str]:
    """A row of `Probe.obedience` as texts: followed, and had nothing been told."""
    def rate(name):
        value, low, high, n = (row[f"{name}{part}"] for part in ("value", "low", "high", "n"))
        return f"{value:.0%} ({low:.0%} to {high:.0%}; {n:.0f})" if n else "unknown"

    return rate(""), rate("untold ")


def _cell(name, row):
    value, n = row[name], int(row[f"{name} n"])
    if not n:
        return "unknown"
    between = " to ".join(_value(name, row[f"{name} {end}"]) for end in ("low", "high"))
    return f"{_value(name, value)} ({between if between.count('nan') == 0 else 'one image'}; {n})"


def _value(name, value):
    return f"{value:.0%}" if name == "code" else f"{round(value, 3) + 0.0:+.3f}"  # -0.0 is 0.0


def _rate(row):
    return f"{row['code']:.0%} of {row['code n']:.0f}"


def _below_zero(value, se, images):
    """The one-sided chance of a mean so far below zero."""
    from scipy.stats import t

    if math.isnan(value) or math.isnan(se):
        return 1.0
    return float(t.cdf(value / se, images - 1)) if se else float(value >= 0)


def _named(name, found):
    return {name if part == "value" else f"{name} {part}": value for part, value in found.items()}


def _aligned(rows):
    """Rows of texts as lines, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in rows]
