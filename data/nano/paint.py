"""Pictures of the dialect's charts, several times faster than executing their programs.

The cold start needs tens of thousands of charts. `Painter` draws them from cached layers (frame, ticks,
words) and fresh data artists, with matplotlib's own rasteriser; `Look` is what a picture has beyond its
chart.

Left out: pixels exactly as `program` draws them; a few at the edges of letters differ by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rrvf_lab.nano.dialect import LETTERS, Chart

SIZE = (400, 300)  # pixels of figsize=(4, 3) at matplotlib's default 100 dpi


@dataclass(frozen=True)
class Look:
    """Where the axes lie, lettering, outlines. `Look()` is the look of `program`.

    The cold start paints part of its charts in other looks, so that a value is found where its axes are and
    not in a fixed place of the page.
    """

    box: tuple[float, float, float, float] = (0.15, 0.2, 0.8, 0.68)
    font: str = "DejaVu Sans"
    points: float = 10.0
    bold: bool = False
    edge: str | None = None
    width: float = 0.8
    marker: str | None = "o"
    letters: bool = True
    open: bool = False

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Look:
        points = float(rng.uniform(9, 12.5))
        left = 0.012 * points + rng.uniform(-0.02, 0.03)
        bottom = 0.015 * points + rng.uniform(0, 0.04)
        top = rng.uniform(0.86, 0.92)
        return cls(
            box=(left, bottom, rng.uniform(0.93, 0.985) - left, top - bottom),
            font=str(rng.choice(["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral"])),
            points=points,
            bold=bool(rng.random() < 0.25),
            edge=[None, "black", "white"][rng.integers(3)],
            width=float(rng.uniform(0.55, 0.95)),
            marker=[None, "o", "s", "^"][rng.integers(4)],
            letters=bool(rng.random() < 0.5),
            open=bool(rng.random() < 0.3),
        )


PLAIN = Look()


class Painter:
    """Draw charts of the dialect as `program` would.

    Example: `Painter().paint(sample(np.random.default_rng(0)))` is a uint8 array of shape (300, 400, 3).
    """

    def __init__(self, look: Look = PLAIN):
        self._look, self._frames, self._words = look, {}, {}

    def paint(self, chart: Chart) -> np.ndarray:
        key = (chart.kind, len(chart.series[0]), chart.grid)
        if key not in self._frames:
            self._frames[key] = self._frame(*key)
        canvas, ax, under, over = self._frames[key]
        canvas.restore_region(under)
        for artist in self._artists(ax, chart):
            ax.draw_artist(artist)
            artist.remove()
        image = np.asarray(canvas.buffer_rgba())[..., :3].reshape(-1, 3).copy()
        layers = (over, self._word("title", chart.title), self._word("xlabel", chart.xlabel, chart.kind),
                  self._word("ylabel", chart.ylabel, chart.kind))
        for where, ink, keep in layers:
            image[where] = (image[where] * keep + ink).astype(np.uint8)
        return image.reshape(SIZE[1], SIZE[0], 3)

    def _axes(self, kind, n, grid):
        """Transparent axes without words, with data of `n` values in them."""
        figure = Figure(figsize=(4, 3), dpi=100)
        figure.patch.set_alpha(0)
        canvas = FigureCanvasAgg(figure)
        ax = figure.add_axes(self._look.box)
        ax.patch.set_alpha(0)
        ax.tick_params(labelsize=self._look.points, labelfontfamily=self._look.font)
        ax.spines[["top", "right"]].set_visible(not self._look.open)
        # the data set the limits and the category ticks; hidden, they leave only the frame to draw
        colours = ("red", "blue") if kind == "group" else ("red",)
        _draw(ax, Chart(kind, colours, ((5,) * n,) * 2, "", "", "", grid), self._look)
        if grid:
            ax.grid(True)
        return figure, canvas, ax

    def _frame(self, kind, n, grid):
        """(canvas, axes, what lies under the data, the layer that lies over them)."""
        figure, canvas, ax = self._axes(kind, n, grid)
        data = _marks(ax)
        for artist in data:
            artist.set_visible(False)
        canvas.draw()
        over = _layer(np.asarray(canvas.buffer_rgba()))
        figure.patch.set_alpha(1)
        if kind != "line":  # lines lie above the grid, every other mark lies below it
            ax.set_visible(False)
        canvas.draw()
        under = canvas.copy_from_bbox(figure.bbox)
        if kind == "line":
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_visible(False)
            figure.patch.set_alpha(0)
            canvas.draw()
            over = _layer(np.asarray(canvas.buffer_rgba()))
        ax.set_visible(True)
        for artist in data:
            artist.remove()
        return canvas, ax, under, over

    def _artists(self, ax, chart):
        before = set(_marks(ax))
        _draw(ax, chart, self._look)
        return [artist for artist in _marks(ax) if artist not in before]

    def _word(self, what, text, kind=None):
        """The layer of one word. How far an axis label stands off depends on the kind of chart."""
        if (what, text, kind) not in self._words:
            figure, canvas, ax = self._axes(kind or "bar", 9 if kind == "scatter" else 4, False)
            for artist in (*_marks(ax), *ax.spines.values()):
                artist.set_visible(False)
            style = {"size": self._look.points, "family": self._look.font}
            if what == "title":
                weight = "bold" if self._look.bold else "normal"
                style |= {"size": self._look.points * 1.2, "y": 1, "weight": weight}
            getattr(ax, "set_" + what)(text, **style)
            ax.tick_params(length=0)
            # transparent tick labels still take their room
            for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
                label.set_alpha(0)
            ax.tick_params(length=3.5, color=(0, 0, 0, 0))
            canvas.draw()
            self._words[what, text, kind] = _layer(np.asarray(canvas.buffer_rgba()))
        return self._words[what, text, kind]


def _marks(ax):
    return [*ax.patches, *ax.lines, *ax.collections]


def _draw(ax, chart: Chart, look: Look):
    """The data calls of `program`, made directly."""
    first, second, colour = list(chart.series[0]), list(chart.series[-1]), chart.colours[0]
    names = list(LETTERS[: len(first)]) if look.letters else list(range(1, len(first) + 1))
    if chart.kind not in ("hist", "scatter") and not look.letters:
        (ax.set_yticks if chart.kind == "barh" else ax.set_xticks)(names)
    if chart.kind == "bar":
        ax.bar(names, first, look.width, color=colour, edgecolor=look.edge)
    elif chart.kind == "barh":
        ax.barh(names, first, look.width, color=colour, edgecolor=look.edge)
    elif chart.kind == "line":
        ax.plot(names, first, marker=look.marker, color=colour)
    elif chart.kind == "area":
        ax.fill_between(names, first, color=colour)
    elif chart.kind == "hist":
        ax.stairs(first, fill=True, color=colour)
    elif chart.kind == "scatter":
        heights = [v or None for v in first]
        ax.scatter(range(1, 10), heights, s=60, color=colour, edgecolor=look.edge or colour)
    else:
        ax.bar(names, first, width=-0.4, align="edge", color=colour, edgecolor=look.edge)
        ax.bar(names, second, width=0.4, align="edge", color=chart.colours[-1], edgecolor=look.edge)
    if chart.kind in ("barh", "scatter"):
        ax.set_xlim(0, 10)
    if chart.kind != "barh":
        ax.set_ylim(0, 10)


def _layer(rgba: np.ndarray):
    """The inked pixels of an RGBA picture, to blend: (flat indices, colour x alpha + 0.5, 1 - alpha)."""
    flat = rgba.reshape(-1, 4)
    where = np.flatnonzero(flat[:, 3])
    alpha = flat[where, 3:].astype(np.float32) / 255
    return where, flat[where, :3] * alpha + 0.5, 1 - alpha
