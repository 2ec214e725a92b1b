"""Figures of training and evaluation: matplotlib for paper, plotly to explore; they only read numbers.

Left out: figures of a run folder (`runs`), pictures of rollouts (`rollout`, `pages.gallery`).
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from .html import picture

COLOURS = ("#7f7f7f", "#1f77b4", "#d95f02", "#2ca02c", "#d62728")


def raster(figure, dpi: int = 110) -> Image.Image:
    """A matplotlib figure as a PIL image. Example: `raster(learning_curve(log))`."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=dpi)
    return Image.open(data)


class show:
    """A picture (PIL image or matplotlib figure) with its alt text, which one shown bare in a cell lacks.

    Example: `show(contact_sheet(images), "sixteen held-out charts")`.
    """

    def __init__(self, image, alt: str, width: int = 900):
        self.image = raster(image) if hasattr(image, "savefig") else image
        self.alt, self.width = alt, width

    def _repr_html_(self):
        return picture(self.image, self.alt, self.width)


def learning_curve(log, before=None, after=None):
    """Reward, execution rate, tool calls by step, with held-out scores as bars; of a supervised run the loss.

    `log` is TRL's log history, a row for each step; `before` and `after` are summaries of reports.
    """
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained",
                                                 gridspec_kw={"width_ratios": [2, 2, 1]})

    def line(ax, key, label, colour):
        steps = [row["step"] for row in log]
        values = np.array([np.nan if row.get(key) is None else row[key] for row in log], float)
        ax.plot(steps, values, color=colour, alpha=0.3, lw=1)
        ax.plot(steps, _smooth(values), color=colour, lw=2, label=label)

    imitates = any("mean_token_accuracy" in row for row in log)
    titles = ("Loss", "Next token guessed") if imitates else ("Sampled rollouts", "What they do")
    if imitates:
        line(left, "loss", "of recorded turns", "#1f77b4")
        line(middle, "mean_token_accuracy", "share right", "#2ca02c")
    else:
        line(left, "reward/vision", "R_vision, training images", "#1f77b4")
        line(left, "score/turn_1", "score of the first draft", "#ff7f0e")
        line(middle, "exec_rate", "execution rate", "#2ca02c")
        line(middle, "tool_calls", "tool calls a rollout", "#9467bd")
        line(middle, "copy_rate", "copied code", "#8c564b")
    for ax, title in zip((left, middle), titles, strict=True):
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


def _smooth(values):
    """The mean of each value and those before it, an eighth of all at a time; NaN where none is known."""
    width, smooth = max(1, len(values) // 8), []
    for end in range(1, len(values) + 1):
        known = values[max(0, end - width):end]
        known = known[~np.isnan(known)]
        smooth.append(known.mean() if len(known) else np.nan)
    return smooth


def scores(report):
    """How an evaluation's scores spread, and the mean score after each turn."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    vision = [r.reward.vision for r in report.rollouts]
    left.hist(vision, bins=np.linspace(0, 1, 21), color="#1f77b4")
    left.set(xlabel="final vision score", ylabel="rollouts", title=f"n = {report.summary['n']}")
    turns = report.per("turn")
    right.errorbar(turns.index, turns["value"], yerr=reach(turns["value"], turns["low"], turns["high"]),
                   marker="o", capsize=4, color="#ff7f0e")
    right.set(xlabel="after turn", ylabel="mean vision score, 95 % interval", xticks=turns.index,
              title="Turn by turn")
    right.grid(alpha=0.3)
    plt.close(figure)
    return figure


def estimates(frames, label: str = "mean vision score"):
    """Values with their 95 % intervals and n, one line each, for one frame of `Report.per` or for several.

    `frames` is a frame with value, low, high, n, or {name: frame} over the same lines.

    Example: `estimates({"before": before.per("kind"), "after": after.per("kind")})`.
    """
    import matplotlib.pyplot as plt

    frames = frames if isinstance(frames, dict) else {"": frames}
    lines = list(dict.fromkeys(name for frame in frames.values() for name in frame.index))
    height = 0.9 + 0.34 * len(lines) + 0.1 * len(frames)
    figure, ax = plt.subplots(figsize=(7, height), layout="constrained")
    for k, (name, frame) in enumerate(frames.items()):
        places = np.array([lines.index(line) for line in frame.index]) + 0.22 * (k - (len(frames) - 1) / 2)
        ax.errorbar(frame["value"], places, xerr=reach(frame["value"], frame["low"], frame["high"]),
                    fmt="os^D"[k % 4], capsize=3, ms=5, color=COLOURS[k % len(COLOURS)], label=name)
    ax.set_yticks(range(len(lines)), [_line_name(line, frames.values()) for line in lines])
    ax.set(xlabel=f"{label}, 95 % interval", ylim=(len(lines) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    if len(frames) > 1:
        figure.legend(loc="outside upper right", ncols=len(frames), frameon=False)
    plt.close(figure)
    return figure


def _line_name(line, frames):
    """A line's name with the n of each frame, said once where they are equal."""
    counts = dict.fromkeys(int(frame.loc[line, "n"]) for frame in frames if line in frame.index)
    turn = "after turn " if any(frame.index.name == "turn" for frame in frames) else ""
    return f"{turn}{line}  (n = {' / '.join(map(str, counts))})"


def reach(values, low, high):
    """How far an interval reaches below and above its values; no reach where it is not known."""
    return np.nan_to_num(np.clip([np.subtract(values, low), np.subtract(high, values)], 0, None))


def contributions(comparison):
    """Where a paired effect comes from: crashes repaired, quality gained, newly broken; they add up to it.

    Example: `contributions(before.compare(after))`.
    """
    import matplotlib.pyplot as plt

    frame = comparison.split()
    names = [f"{name}  (n = {row.n:.0f})" for name, row in frame.iterrows()]
    names.append(f"effect  (n = {comparison.n})")
    values = [*frame["contribution"], comparison.effect]
    errors = reach(values, [*frame["low"], comparison.low], [*frame["high"], comparison.high])
    colours = ["#1f77b4" if value >= 0 else "#d62728" for value in values[:-1]] + ["#444444"]
    figure, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
    ax.barh(names, values, color=colours, xerr=errors, capsize=3)
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="contribution to the mean change of the vision score, 95 % interval")
    ax.invert_yaxis()
    plt.close(figure)
    return figure


def explore(comparison):
    """A plotly scatter of each image's score before and after; hover for its id, click the legend to hide.

    Example: `explore(before.compare(after))`.
    """
    import plotly.graph_objects as go

    figure = go.Figure(layout={
        "template": "plotly_white", "width": 640, "height": 480, "margin": {"t": 50, "b": 40},
        "title": f"Vision score of {comparison.n} images, before and after",
        "xaxis": {"title": "before", "range": [-0.03, 1]}, "yaxis": {"title": "after", "range": [-0.03, 1]}})
    hover = "%{text}<br>%{x:.3f} to %{y:.3f} (%{customdata:+.3f})<extra></extra>"
    for k, (name, pairs) in enumerate(comparison.pairs.groupby("split")):
        figure.add_scatter(x=pairs["before"], y=pairs["after"], text=pairs["id"], customdata=pairs["change"],
                           mode="markers", name=f"{name} ({len(pairs)})",
                           marker={"color": COLOURS[1:][k], "symbol": k, "size": 8},
                           hovertemplate=hover)
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"dash": "dot", "color": "#888888"})
    return figure
