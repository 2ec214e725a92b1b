"""Looks of a probe: what each intervention changed, as a figure and as tables, with programs side by side.

Left out: the numbers themselves (`probe`).
"""

from __future__ import annotations

import numpy as np

from ..play import messages
from ..probe.effects import MEASURES, QUESTIONS, Curve, Probe, cells, followed_cells
from ..probe.interventions import FLOOR, INTERVENTIONS, LOOKS, READS
from .html import card, diff_html, drawn, folded, number, picture, row, says, table, text_html
from .plots import COLOURS, raster, reach

SMALL = 130
OF_QUESTION = {FLOOR: COLOURS[0], LOOKS: COLOURS[1], READS: COLOURS[2]}
AXES = {"logprob": "change of log-probability", "code": "programs changed", "score": "change of score"}


def probe_html(probe: Probe) -> str:
    """What the probe says of looking and reading, its figure and tables, and for each intervention the turn
    on which it changed the score most."""
    said = [says(question, text_html(probe.says(question))) for question in QUESTIONS]
    alt = "what each intervention changed, with 95 % intervals; the table below has the numbers"
    rows = [(text_html(one.name), one.question, text_html(one.does), *cells(frame)) for one, (_, frame) in
            zip(INTERVENTIONS, probe.table().iterrows(), strict=True)]
    caption = (f"{probe.situations} turns after a reply; mean changes and shares with 95 % intervals and n, "
               "paired with the same turn as it was shown")
    head = ("intervention", "question", "what is changed", *MEASURES.values())
    parts = [*said, picture(raster(probe_figure(probe)), alt, 950), table(rows, head, "lllrrr", caption)]
    told = [(kind, *followed_cells(one)) for kind, one in probe.obedience().iterrows()]
    if told:
        parts.append(table(told, ("sentence", "followed by the next draft", "had nothing been told"), "lrr"))
    parts += [says("Mind:", text_html(note)) for note in probe.notes]
    return "".join([*parts, *(_example(probe, one.name) for one in INTERVENTIONS)])


def probe_figure(probe: Probe):
    """A matplotlib figure: the three measures by intervention, obedience by kind of sentence.

    Example: `probe_figure(rl.probe(policy, rollouts)).savefig("probe.png")`.
    """
    import matplotlib.pyplot as plt

    frame, told = probe.table(), probe.obedience()
    lines = max(len(frame), len(told))
    figure, axes = plt.subplots(1, 3 + bool(len(told)), figsize=(13, 1.1 + 0.26 * lines), squeeze=False,
                                layout="constrained")
    colours = [OF_QUESTION[question] for question, _ in frame.index]
    for ax, name in zip(axes[0], MEASURES, strict=False):
        of = [frame[column] for column in (name, f"{name} low", f"{name} high")]
        _estimates(ax, *of, colours, 0.0, "o")
        ax.axvline(0, color="black", lw=0.6)
        ax.set_yticks(range(len(frame)), frame.index.get_level_values(1) if ax is axes[0, 0] else [])
        ax.set(xlabel=AXES[name], ylim=(len(frame) - 0.5, -0.5))
    if len(told):
        ax = axes[0, -1]
        for k, (name, mark, label) in enumerate((("", "o", "told"), ("untold ", "s", "not told"))):
            of = [told[f"{name}{column}"] for column in ("value", "low", "high")]
            _estimates(ax, *of, [COLOURS[3 - 3 * k]] * len(told), 0.25 * k, mark, label)
        ax.set_yticks(range(len(told)), told.index)
        ax.set(xlabel="sentences followed", xlim=(-0.03, 1.03), ylim=(len(told) - 0.5, -0.5))
        ax.legend(frameon=False, fontsize=8)
    for ax in axes[0]:
        ax.grid(axis="x", alpha=0.3)
    plt.close(figure)
    return figure


def _estimates(ax, values, low, high, colours, aside, mark, label=None):
    """Values with intervals, one above the other; those that are unknown are left out."""
    sides = reach(values, low, high)
    for k in np.flatnonzero(~np.isnan(np.asarray(values, float))):
        ax.errorbar([values.iloc[k]], [k + aside], xerr=sides[:, [k]], fmt=mark, color=colours[k], capsize=3,
                    ms=5, label=label)
        label = None  # once in the legend


def _example(probe, name):
    """The turn on which an intervention changed the score most: pictures, and the programs' difference."""
    rows = [row for row in probe.rows if row["intervention"] == name and row["changed"]]
    if not rows:
        return ""
    one = max(rows, key=lambda row: np.nan_to_num(abs(row["score"] - row["score shown"])))
    rollout = probe.rollouts[one["rollout"]]
    draft = rollout.turns[messages(rollout)[one["turn"] - 1][0] - 1]
    render = drawn(draft.rendering and draft.rendering.image, "the draft before", draft.error or "", SMALL)
    cards = [card(picture(rollout.target, "the target", SMALL), "target", SMALL),
             card(render, "the draft before", SMALL)]
    head = (f"{text_html(name)}, for one: rollout {one['rollout']} {text_html(rollout.id, total=60)}, turn "
            f"{one['turn']}: score {number(one['score shown'])} as shown, {number(one['score'])} changed")
    return folded(head, row(cards) + diff_html(one["code shown"] or "", one["code"] or "", rollout.language))


def curve_html(curve: Curve) -> str:
    """What is said of each checkpoint, the figure over steps, and the last one's probe behind a click."""
    lines = [says(f"step {step}", text_html(f"{probe.says(LOOKS)} {probe.says(READS)}"))
             for step, probe in curve.probes.items()]
    lines += [says("Mind:", text_html(note)) for note in curve.notes]
    alt = "programs changed, score and obedience by step, with 95 % intervals"
    last = folded("the last one's probe", probe_html(list(curve.probes.values())[-1]))
    return "".join([picture(raster(curve_figure(curve)), alt, 950), *lines, last])


def curve_figure(curve: Curve):
    """A matplotlib figure over steps: programs changed and change of score by intervention, obedience.

    Example: `curve_figure(rl.probe("runs/demo"))`.
    """
    import matplotlib.pyplot as plt

    frame = curve.table()
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
    dashes = ("-", "--", ":", "-.")
    for ax, name in zip(axes, ("code", "score"), strict=False):
        for question, colour in OF_QUESTION.items():
            some = [one.name for one in INTERVENTIONS if one.question == question]
            for k, one in enumerate(some):
                _line(ax, frame, (one, name), (one, f"{name} low"), (one, f"{name} high"), color=colour,
                      ls=dashes[k], label=one)
        ax.set(ylabel=AXES[name])
    _line(axes[2], frame, *((("obedience", column)) for column in ("value", "low", "high")), color=COLOURS[3])
    axes[2].set(ylabel="sentences followed", ylim=(-0.03, 1.03))
    for ax in axes:
        ax.set(xlabel="step", xticks=frame.index)
        ax.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    plt.close(figure)
    return figure


def _line(ax, frame, value, low, high, **style):
    sides = reach(frame[value], frame[low], frame[high])
    ax.errorbar(frame.index, frame[value], yerr=sides, marker="o", ms=4, capsize=3, elinewidth=0.7, **style)
