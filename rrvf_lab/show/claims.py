"""The claims' table, and the ablations as one figure: effect and interval, sorted.

Left out: the rollouts of the arms, which are not kept.
"""

from __future__ import annotations

import math

from ..claims import Claims
from ..claims.table import NOT_SHOWN, OTHER_WAY, SHOWN
from .deltas import whole
from .html import folded, picture, says, table, text_html
from .plots import COLOURS, raster, reach

OF_VERDICT = {SHOWN: COLOURS[3], NOT_SHOWN: COLOURS[0], OTHER_WAY: COLOURS[4]}


def claims_html(found: Claims) -> str:
    """The claims with their verdicts, the ablations as a figure and a table, what every arm cost."""
    claims = found.table()
    parts = [table(_claims(claims), claims.columns, "llrrrrrll")]
    ablations = found.ablations()
    if len(ablations):
        alt = "effect of each change with its 95 % interval, sorted; the table below has the numbers"
        parts += [says("One change each", f"against short runs. {found.noise_said()}"),
                  picture(raster(ablations_figure(found)), alt, 760),
                  folded("The numbers", table(_cells(ablations), ablations.columns, "llrrrrrr"))]
    costs = found.costs()
    cost = table(_cells(costs), costs.columns, "l" + "r" * 9)
    return "".join([*parts, folded("What every arm cost", cost)])


def ablations_figure(found: Claims):
    """A matplotlib figure of `found.ablations()`; the band is the spread of `short` between seeds.

    Example: `ablations_figure(claims()).savefig("ablations.png")`.
    """
    import matplotlib.pyplot as plt

    frame, noise = found.ablations(), found.noise()
    figure, ax = plt.subplots(figsize=(8, 0.9 + 0.26 * len(frame)), layout="constrained")
    if not math.isnan(noise):
        ax.axvspan(-2 * noise, 2 * noise, color="#eeeeee", label="two spreads between seeds")
        ax.legend(frameon=False, loc="lower right", fontsize=8)
    for verdict, colour in OF_VERDICT.items():
        here = frame[[_verdict(row) == verdict for row in frame.itertuples()]]
        ax.errorbar(here["effect"], here.index, xerr=reach(here["effect"], here["low"], here["high"]),
                    fmt="o", ms=5, capsize=3, color=colour)
    ax.axvline(0, color="black", lw=0.6)
    ax.set_yticks(range(len(frame)), [f"{row.change}  ({row.seeds})" for row in frame.itertuples()])
    ax.set(xlabel="change of the held-out score, 95 % (in brackets: seeds)", ylim=(len(frame) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    plt.close(figure)
    return figure


def _verdict(row):
    return SHOWN if row.low > 0 else OTHER_WAY if row.high < 0 else NOT_SHOWN


def _claims(frame):
    """A claim is said once for all its rows, and its verdicts have their colour."""
    before = None
    for row in frame.itertuples(index=False):
        claim, compared, *numbers, verdict, of_it = map(text_html, row)
        shown = whole(f'<b style="color:{OF_VERDICT[verdict]}">{verdict}</b>')
        yield ("" if claim == before else claim, compared, *map(whole, numbers), shown, of_it)
        before = claim


def _cells(frame):
    def said(value):
        if isinstance(value, float):
            return "" if math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".")
        return text_html(value)

    return [map(said, line) for line in frame.itertuples(index=False)]
