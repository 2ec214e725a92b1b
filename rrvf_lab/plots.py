"""Figures of a training run and of an evaluation, in matplotlib. They only read rollouts and logged numbers."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from .rollout import picture


def raster(figure, dpi: int = 110) -> Image.Image:
    """A matplotlib figure as a PIL image. Example: `raster(learning_curve(log))`."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=dpi)
    return Image.open(data)


class show:
    """A picture (PIL image or matplotlib figure) with its description; shown bare in a cell it has no alt text.

    Example: `show(contact_sheet(images), "sixteen held-out charts")`.
    """

    def __init__(self, image, alt: str, width: int = 900):
        self.image, self.alt, self.width = raster(image) if hasattr(image, "savefig") else image, alt, width

    def _repr_html_(self):
        return picture(self.image, self.alt, self.width)


def learning_curve(log, before=None, after=None):
    """Reward parts, execution rate and tool calls by step (`log` is TRL's log history), with held-out scores as bars."""
    import matplotlib.pyplot as plt

    steps = [row["step"] for row in log]
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained", gridspec_kw={"width_ratios": [2, 2, 1]})
    left, middle, right = axes

    def line(ax, key, label, colour):
        values = np.array([np.nan if row.get(key) is None else row[key] for row in log], float)
        ax.plot(steps, values, color=colour, alpha=0.3, lw=1)
        width = max(1, len(values) // 8)
        smooth = [np.nanmean(values[max(0, i - width + 1):i + 1]) for i in range(len(values))]
        ax.plot(steps, smooth, color=colour, lw=2, label=label)

    line(left, "reward/vision", "R_vision, training images", "#1f77b4")
    line(left, "score/turn_1", "score of the first draft", "#ff7f0e")
    line(middle, "exec_rate", "execution rate", "#2ca02c")
    line(middle, "tool_calls", "tool calls a rollout", "#9467bd")
    line(middle, "copy_rate", "copied code", "#8c564b")
    for ax, title in ((left, "Sampled rollouts"), (middle, "What they do")):
        ax.set(xlabel="step", title=title)
        ax.grid(alpha=0.3)
        ax.legend(frameon=False, fontsize=8)
    if before and after:
        means, errors = [before["vision"], after["vision"]], [before["se"], after["se"]]
        right.bar(["before", "after"], means, yerr=errors, color=["#bbbbbb", "#1f77b4"], capsize=4)
        for i, value in enumerate(means):
            right.text(i, value + errors[i] + 0.01, f"{value:.3f}", ha="center")
        right.set(title=f"Held out, n = {after['n']}", ylim=(0, max(means) * 1.3 + 0.02))
    else:
        right.axis("off")
    plt.close(figure)
    return figure


def scores(report):
    """How an evaluation's scores spread, and the mean score after each turn."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    vision = [r.reward.vision for r in report.rollouts]
    left.hist(vision, bins=np.linspace(0, 1, 21), color="#1f77b4")
    left.set(xlabel="final vision score", ylabel="rollouts", title=f"n = {report.summary['n']}")
    turns = sorted(k for k in report.summary if k.startswith("vision_turn_"))
    right.plot(range(1, len(turns) + 1), [report.summary[k] for k in turns], marker="o", color="#ff7f0e")
    right.set(xlabel="after turn", ylabel="mean vision score", xticks=range(1, len(turns) + 1), title="Turn by turn")
    right.grid(alpha=0.3)
    plt.close(figure)
    return figure
