"""Pictures of the language's charts, about as their programs draw them, in a third of the time.

`paint` makes matplotlib's calls itself, and lays the axes out by the sizes of letters instead of measuring
every text. With a random generator the layout, the sizes and the tints wander, so that no two pictures have
one look: a cold start that always sees one layout reads no other.

Left out: pixels exactly as `program` draws them.
"""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from rrvf_lab.nano.dialect import HEIGHTS, TICK_NAMES, Chart

INCH = 72


class Steady:
    """What `paint` asks of chance where there is none: every size as the program has it."""

    def uniform(self, low, high):
        return (low + high) / 2


def paint(chart: Chart, rng: np.random.Generator | None = None) -> Image.Image:
    """One picture of a chart, 320 to 440 pixels wide; `rng` makes its look wander.

    Example: `paint(Chart("bar", ("red",), ((3, 5, 2),), "Speed"), np.random.default_rng(0))`.
    """
    wander = rng or Steady()
    look, height = chart.look, float(HEIGHTS[chart.look.aspect])
    dpi = wander.uniform(80, 110)
    figure = Figure(figsize=(4, height), dpi=dpi, facecolor=look.paper)
    canvas = FigureCanvasAgg(figure)
    size = float(look.size) * wander.uniform(0.95, 1.05) * (0.95 if look.font == "DejaVu Sans Mono" else 1)
    axes = figure.add_axes(_box(chart, size, height, wander))
    axes.patch.set_alpha(0)
    axes.set_axisbelow(True)
    _draw(axes, chart, wander)
    _words(axes, chart, size, wander)
    if chart.kind != "pie":
        _frame(axes, chart, size, wander)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _box(chart, size, height, wander):
    """Left, bottom, width, height of the axes, as shares of the figure."""
    names = TICK_NAMES[chart.ticks] if chart.ticks else ("8",)
    beside = names if chart.kind == "barh" else (f"{chart.top}0" if "." in chart.top else chart.top,)
    letter = size / INCH
    tick = 0.6 * letter * max(map(len, beside)) + 5.2 / INCH
    left = 0.0625 + bool(chart.ylabel) * (1.3 * letter + 0.03) + tick
    bottom = 0.0625 + bool(chart.xlabel) * (1.3 * letter + 0.03) + 1.1 * letter + 5.2 / INCH
    top = 0.0625 + 1.2 * float(chart.look.title_size) / INCH + 3.9 / INCH
    right = 0.0625 + 0.3 * letter
    if chart.kind == "pie":
        left = right = bottom = 0.25
    left, bottom, top, right = (side * wander.uniform(0.9, 1.12) for side in (left, bottom, top, right))
    return left / 4, bottom / height, 1 - (left + right) / 4, 1 - (bottom + top) / height


def _draw(axes, chart, wander):
    """The calls of `program` that draw."""
    look, kind, top = chart.look, chart.kind, float(chart.top)
    n = len(chart.series[0])
    a, *b = (top / 10 * np.array([v or np.nan for v in row]) for row in chart.series)
    colour, other = chart.colours[0], chart.colours[-1]
    edge = {"edgecolor": look.edge, "linewidth": wander.uniform(0.8, 1.3)} if look.edge else {}
    x = np.arange(n) + (0 if chart.ticks or kind == "hist" else 1)
    width = float(look.width)
    if kind in ("bar", "barh"):
        (axes.bar if kind == "bar" else axes.barh)(x, a, width, color=colour, **edge)
    elif kind == "hist":
        axes.bar(x, a, 1, align="edge", color=colour, **edge)
    elif kind == "group":
        axes.bar(x, a, -0.4, align="edge", color=colour, **edge)
        axes.bar(x, b[0], 0.4, align="edge", color=other, **edge)
    elif kind == "stacked":
        axes.bar(x, a, width, color=colour, **edge)
        axes.bar(x, b[0], width, bottom=a, color=other, **edge)
    elif kind in ("line", "lines"):
        style = {"linestyle": look.line, "linewidth": float(look.line_width) * wander.uniform(0.85, 1.15),
                 "marker": look.marker or None, "markersize": 8.5 * wander.uniform(0.75, 1.25)}
        for row, paint in zip((a, *b), chart.colours, strict=True):
            axes.plot(x, row, color=paint, **style)
    elif kind == "step":
        axes.step(x, a, where="mid", color=colour, linewidth=float(look.line_width))
    elif kind == "area":
        axes.fill_between(x, a, color=colour, linewidth=0)
        if look.edge:
            axes.plot(x, a, color="black", linewidth=1.4)
    elif kind == "scatter":
        axes.scatter(range(1, 10), a, 92 * wander.uniform(0.6, 1.4), marker=look.marker, color=colour, **edge)
    else:
        wedge = ({"width": 0.5} if look.hole else {}) | ({"edgecolor": look.edge} if look.edge else {})
        axes.pie(a, labels=TICK_NAMES[chart.ticks][:n], colors=chart.colours, startangle=look.start,
                 autopct="%d%%" if look.percent else None, wedgeprops=wedge)


def _words(axes, chart, size, wander):
    look = chart.look
    style = {"fontfamily": look.font, "color": look.ink}
    axes.set_title(chart.title, fontsize=float(look.title_size) * wander.uniform(0.96, 1.04), y=1,
                   pad=3.9 * wander.uniform(0.5, 1.5), fontweight="bold" if look.bold else "normal",
                   loc="left" if look.left else "center", **style)
    for put, word in ((axes.set_xlabel, chart.xlabel), (axes.set_ylabel, chart.ylabel)):
        if word:
            put(word, fontsize=size, labelpad=1.9 * wander.uniform(0.5, 1.5), **style)
    if chart.kind == "pie":
        for text in axes.texts:
            text.set(fontsize=size, **style)


def _frame(axes, chart, size, wander):
    """Limits, ticks, grid, spines, legend."""
    look, kind, n = chart.look, chart.kind, len(chart.series[0])
    value, other = ("x", "y") if kind == "barh" else ("y", "x")
    if chart.ticks:
        getattr(axes, f"set_{other}ticks")(range(n), TICK_NAMES[chart.ticks][:n])
    elif kind not in ("scatter", "hist"):
        getattr(axes, f"set_{other}ticks")(range(1, n + 1))
    if chart.top == "10" or look.legend:
        getattr(axes, f"set_{value}lim")(0, float(chart.top))
        if kind == "scatter":
            axes.set_xlim(0, 10)
    elif kind in ("line", "lines", "area", "step"):
        axes.set_ylim(bottom=0)
    axes.locator_params(axis=value, nbins=int(look.steps))
    axes.tick_params(length=2.6, pad=2.6, color=look.ink, labelcolor=look.ink, labelsize=size,
                     labelfontfamily=look.font)
    if chart.grid:
        along, line = chart.grid.split()
        axes.grid(axis=value if along == "value" else along, linestyle=line,
                  linewidth=wander.uniform(0.65, 0.9))
    if look.legend:
        axes.legend(look.legend, ncols=2, loc="upper right",
                    prop={"family": look.font, "size": 0.9 * size}, labelcolor=look.ink)
    axes.spines[:].set(color=look.ink, linewidth=wander.uniform(0.8, 1.0))
    if look.spines != "all":
        axes.spines[["top", "right"] if look.spines == "open" else slice(None)].set_visible(False)
