"""The small language the nano model speaks: a chart's fields, the program that draws them, and a fast painter.

A `Chart` is seven kinds of plot with single-digit values on a fixed 0-10 scale. It reads as one line (`reading`, what
the model writes in `<think>`), draws as a short matplotlib program (`program`), and is told apart from another chart
as a list of edits (`edits`). The cold start (`coldstart.py`) needs tens of thousands of such charts, so `Painter` draws
them from cached layers with matplotlib's own rasteriser, several times faster than executing the program.

Left out: everything outside this narrow distribution (two-digit values, free text, legends, pies). Training with RRVF
never uses this file: it sees raw images only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

KINDS = ("bar", "barh", "line", "scatter", "area", "hist", "group")
COMMON = ("red", "blue", "green", "orange", "purple", "gray")
RARE = ("steelblue", "teal", "gold", "salmon", "brown", "pink")
COLOURS = COMMON + RARE
TITLES = tuple("Speed Heat Sales Rain Growth Energy Traffic Weight Price Votes Output Noise Demand Profit Stock Light Water "
               "Power Crime Score Visits Sleep Yield Waste".split())
XLABELS = tuple("week month day year hour city team region model stage age".split())
YLABELS = tuple("units count total level rate share points value tons cost index".split())
LETTERS = "ABCDEFGH"
SIZE = (400, 300)  # pixels of figsize=(4, 3) at matplotlib's default 100 dpi

HEAD = "import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(4, 3))\nax = fig.add_axes([0.15, 0.2, 0.8, 0.68])\n"


@dataclass(frozen=True)
class Chart:
    """One chart of the dialect.

    `series` holds one list of digits, or two for `group` (two bar heights); `colours` has two entries for `group`, else
    one. A `scatter` has one digit for each x from 1 to 9, where 0 is no point: in fixed places a point is found far
    sooner than in two lists of unknown length.
    """

    kind: str
    colours: tuple[str, ...]
    series: tuple[tuple[int, ...], ...]
    title: str
    xlabel: str
    ylabel: str
    grid: bool = False


def sample(rng: np.random.Generator, kinds=None) -> Chart:
    """Draw one chart from the narrow cold-start distribution (rare colours 6 %, 7-8 values 5 %, grid 25 %).

    `kinds` are the probabilities of `KINDS`, equal unless given.
    """
    kind = str(rng.choice(KINDS, p=kinds))
    palette = RARE if rng.random() < 0.06 else COMMON
    colours = tuple(map(str, rng.choice(palette, 2 if kind == "group" else 1, replace=False)))
    n = int(rng.integers(7, 9)) if rng.random() < 0.05 else int(rng.integers(3, 7))
    if kind == "group":
        n = min(n, 4)
    first = tuple(map(int, rng.integers(1, 10, n)))
    series = (first,)
    if kind == "group":
        series += (tuple(map(int, rng.integers(1, 10, n))),)
    if kind == "scatter":
        places = dict(zip(map(int, rng.choice(9, n, replace=False)), first, strict=True))
        series = (tuple(places.get(x, 0) for x in range(9)),)
    return Chart(kind, colours, series, str(rng.choice(TITLES)), str(rng.choice(XLABELS)), str(rng.choice(YLABELS)),
                 bool(rng.random() < 0.25))


def reading(chart: Chart) -> str:
    """The chart as one line: `Speed; week; units; bar; red: 9, 3, 5` (title first: fixed token positions learn first)."""
    values = " / ".join(_digits(s)[1:-1] for s in chart.series)
    return (f"{chart.title}; {chart.xlabel}; {chart.ylabel}; {chart.kind}; {'; '.join(chart.colours)}: {values}"
            + ("; grid" if chart.grid else ""))


def parse_reading(text: str) -> Chart | None:
    """The chart of a `reading`, or None where the line is malformed."""
    match = re.fullmatch(r"(\w+); (\w+); (\w+); (\w+); ([\w; ]+): ([\w, /]+?)(; grid)?", text.strip())
    if not match:
        return None
    title, xlabel, ylabel, kind, colours, values, grid = match.groups()
    try:
        series = tuple(map(_parse_digits, values.split(" / ")))
    except ValueError:
        return None
    return Chart(kind, tuple(colours.split("; ")), series, title, xlabel, ylabel, bool(grid))


def program(chart: Chart) -> str:
    """The matplotlib program that draws the chart; running it gives a 400 x 300 image."""
    first, second = chart.series[0], chart.series[-1]
    names, values = f"list('{LETTERS[:len(first)]}')", _digits(first)
    colour = chart.colours[0]
    limits = "ax.set_ylim(0, 10)\n"
    if chart.kind == "bar":
        draw = f"ax.bar({names}, {values}, color='{colour}')\n"
    elif chart.kind == "barh":
        draw, limits = f"ax.barh({names}, {values}, color='{colour}')\n", "ax.set_xlim(0, 10)\n"
    elif chart.kind == "line":
        draw = f"ax.plot({names}, {values}, marker='o', color='{colour}')\n"
    elif chart.kind == "area":
        draw = f"ax.fill_between({names}, {values}, color='{colour}')\n"
    elif chart.kind == "hist":
        draw = f"ax.stairs({values}, fill=True, color='{colour}')\n"
    elif chart.kind == "scatter":
        draw = f"ax.scatter(range(1, 10), {values}, s=60, color='{colour}')\n"
        limits = "ax.set_xlim(0, 10)\nax.set_ylim(0, 10)\n"
    elif chart.kind == "group":
        draw = (f"ax.bar({names}, {values}, width=-0.4, align='edge', color='{colour}')\n"
                f"ax.bar({names}, {_digits(second)}, width=0.4, align='edge', color='{chart.colours[-1]}')\n")
    else:
        raise ValueError(f"unknown kind {chart.kind!r}; known: {', '.join(KINDS)}")
    # y=1 pins the title, which saves matplotlib a second text layout per draw
    return (HEAD + draw + limits + f"ax.set_title('{chart.title}', y=1)\nax.set_xlabel('{chart.xlabel}')\n"
            f"ax.set_ylabel('{chart.ylabel}')" + ("\nax.grid(True)" if chart.grid else ""))


def _digits(values) -> str:
    return "[" + ", ".join(str(v) if v else "None" for v in values) + "]"


def _parse_digits(text: str) -> tuple[int, ...]:
    return tuple(0 if v == "None" else int(v) for v in text.split(", "))


def parse_program(code: str) -> Chart | None:
    """The chart that a program of the dialect draws, or None where the program is not of the dialect (never runs it)."""
    def word(call):
        found = re.search(call + r"\('([^']*)'", code)
        return found.group(1) if found else ""

    lists = [_parse_digits(body) for body in re.findall(r"\[((?:\d+|None)(?:, (?:\d+|None))*)\]", code)]
    colours = tuple(re.findall(r"color='(\w+)'", code))
    calls = {"ax.bar(": "bar", "ax.barh(": "barh", "ax.plot(": "line", "ax.fill_between(": "area",
             "ax.stairs(": "hist", "ax.scatter(": "scatter"}
    kind = next((k for call, k in calls.items() if call in code), None)
    if kind == "bar" and "align='edge'" in code:
        kind = "group"
    if kind is None or not lists or not colours:
        return None
    return Chart(kind, colours[:2 if kind == "group" else 1], tuple(lists[:2 if kind == "group" else 1]),
                 word("set_title"), word("set_xlabel"), word("set_ylabel"), "ax.grid(True)" in code)


def edits(draft: Chart, truth: Chart) -> str | None:
    """What to change in `draft` to get `truth`: `value 2: 3 -> 5; title: Heat -> Speed`, empty when equal.

    None where the charts differ in kind or count, or in more than four fields: such a draft is better read afresh.
    """
    if draft.kind != truth.kind or [len(s) for s in draft.series] != [len(s) for s in truth.series]:
        return None
    found = []
    for name in ("title", "xlabel", "ylabel"):
        old, new = getattr(draft, name), getattr(truth, name)
        if old != new:
            found.append(f"{name}: {old} -> {new}")
    for old, new in zip(draft.colours, truth.colours, strict=True):
        if old != new:
            found.append(f"colour: {old} -> {new}")
    if draft.grid != truth.grid:
        found.append("grid: on" if truth.grid else "grid: off")
    for label, a, b in zip(("value", "second"), draft.series, truth.series, strict=False):
        found += [f"{label} {i}: {old or None} -> {new or None}"
                  for i, (old, new) in enumerate(zip(a, b, strict=True), 1) if old != new]
    return "; ".join(found) if len(found) <= 4 else None


def corrupt(chart: Chart, rng: np.random.Generator) -> Chart:
    """Spoil one to three fields, mostly values by one or two, the way a weak reader errs."""
    for _ in range(int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))):
        what = rng.choice(["value", "title", "xlabel", "ylabel", "colour", "grid", "count", "kind"],
                          p=[0.50, 0.11, 0.07, 0.07, 0.12, 0.05, 0.05, 0.03])
        if what == "value":
            row = int(rng.integers(len(chart.series)))
            values = list(chart.series[row])
            i = int(rng.choice(np.flatnonzero(values)))
            step = int(rng.choice([1, 1, 1, 2, 2, 3, 4])) * int(rng.choice([-1, 1]))
            values[i] = values[i] + step if 1 <= values[i] + step <= 9 else values[i] - step
            values[i] = min(9, max(1, values[i]))
            chart = replace(chart, series=tuple(tuple(values) if r == row else s for r, s in enumerate(chart.series)))
        elif what == "colour":
            others = [c for c in (COLOURS if rng.random() < 0.3 else COMMON) if c not in chart.colours]
            i = int(rng.integers(len(chart.colours)))
            chart = replace(chart, colours=tuple(str(rng.choice(others)) if j == i else c
                                                 for j, c in enumerate(chart.colours)))
        elif what == "grid":
            chart = replace(chart, grid=not chart.grid)
        elif what == "count" and chart.kind == "scatter":
            values = list(chart.series[0])
            i = int(rng.integers(len(values)))
            values[i] = 0 if values[i] else int(rng.integers(1, 10))
            chart = replace(chart, series=(tuple(values),))
        elif what == "count" and len(chart.series[0]) > 3:
            i = int(rng.integers(len(chart.series[0])))
            chart = replace(chart, series=tuple(s[:i] + s[i + 1:] for s in chart.series))
        elif what == "kind" and chart.kind in ("bar", "line", "area", "hist"):
            chart = replace(chart, kind=str(rng.choice([k for k in ("bar", "line", "area", "hist") if k != chart.kind])))
        elif what in ("title", "xlabel", "ylabel"):
            words = {"title": TITLES, "xlabel": XLABELS, "ylabel": YLABELS}[what]
            chart = replace(chart, **{what: str(rng.choice([w for w in words if w != getattr(chart, what)]))})
    return chart


@dataclass(frozen=True)
class Look:
    """What a picture of a chart has beyond the chart: where the axes lie, lettering, outlines. `Look()` is `program`'s.

    The cold start paints part of its charts in other looks, so that a value is found where its axes are and not in
    a fixed place of the page.
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
        left, bottom = 0.012 * points + rng.uniform(-0.02, 0.03), 0.015 * points + rng.uniform(0, 0.04)
        top = rng.uniform(0.86, 0.92)
        return cls((left, bottom, rng.uniform(0.93, 0.985) - left, top - bottom),
                   str(rng.choice(["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral"])), points,
                   bool(rng.random() < 0.25), [None, "black", "white"][rng.integers(3)], float(rng.uniform(0.55, 0.95)),
                   [None, "o", "s", "^"][rng.integers(4)], bool(rng.random() < 0.5), bool(rng.random() < 0.3))


class Painter:
    """Draw charts of the dialect as `program` would, from cached layers (frame, ticks, words) and fresh data artists.

    Example: `Painter().paint(sample(np.random.default_rng(0)))` is a uint8 array of shape (300, 400, 3).
    """

    def __init__(self, look: Look = Look()):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure, self._canvas_of = Figure, FigureCanvasAgg
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
        for layer in (over, self._word("title", chart.title), self._word("xlabel", chart.xlabel, key),
                      self._word("ylabel", chart.ylabel, key)):
            where, ink, keep = layer
            image[where] = (image[where] * keep + ink).astype(np.uint8)
        return image.reshape(SIZE[1], SIZE[0], 3)

    def _axes(self, kind, n, grid):
        figure = self._figure(figsize=(4, 3), dpi=100)
        figure.patch.set_alpha(0)
        canvas = self._canvas_of(figure)
        ax = figure.add_axes(self._look.box)
        ax.patch.set_alpha(0)
        ax.tick_params(labelsize=self._look.points, labelfontfamily=self._look.font)
        ax.spines[["top", "right"]].set_visible(not self._look.open)
        # the data set the limits and the category ticks; hidden, they leave only the frame to draw
        hidden = Chart(kind, ("red", "blue")[: 2 if kind == "group" else 1], ((5,) * n,) * 2, "", "", "", grid)
        _draw(ax, hidden, self._look)
        ax.grid(True) if grid else None
        return figure, canvas, ax

    def _frame(self, kind, n, grid):
        figure, canvas, ax = self._axes(kind, n, grid)
        data = [*ax.patches, *ax.lines, *ax.collections]
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
        before = set(ax.patches) | set(ax.lines) | set(ax.collections)
        _draw(ax, chart, self._look)
        return [a for a in (*ax.patches, *ax.lines, *ax.collections) if a not in before]

    def _word(self, what, text, key=None):
        # tick labels decide how far the y label stands from the axis, so words are cached per kind of chart
        name = (what, text, key and key[0])
        if name not in self._words:
            kind = key[0] if key else "bar"
            figure, canvas, ax = self._axes(kind, 9 if kind == "scatter" else 4, False)
            for artist in (*ax.patches, *ax.lines, *ax.collections, *ax.spines.values()):
                artist.set_visible(False)
            size = self._look.points * (1.2 if what == "title" else 1)
            getattr(ax, "set_" + what)(text, size=size, family=self._look.font,
                                       **({"y": 1, "weight": "bold" if self._look.bold else "normal"} if what == "title" else {}))
            ax.tick_params(length=0)
            # drawn once with and once without the tick labels, which still take their room when transparent
            for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
                label.set_alpha(0)
            ax.tick_params(length=3.5, color=(0, 0, 0, 0))
            canvas.draw()
            self._words[name] = _layer(np.asarray(canvas.buffer_rgba()))
        return self._words[name]


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
        ax.scatter(range(1, 10), [v or None for v in first], s=60, color=colour, edgecolor=look.edge or colour)
    else:
        ax.bar(names, first, width=-0.4, align="edge", color=colour, edgecolor=look.edge)
        ax.bar(names, second, width=0.4, align="edge", color=chart.colours[-1], edgecolor=look.edge)
    if chart.kind in ("barh", "scatter"):
        ax.set_xlim(0, 10)
    if chart.kind != "barh":
        ax.set_ylim(0, 10)


def _layer(rgba: np.ndarray):
    """The inked pixels of an RGBA picture, ready to blend: (flat indices, colour x alpha + 0.5, 1 - alpha)."""
    flat = rgba.reshape(-1, 4)
    where = np.flatnonzero(flat[:, 3])
    alpha = flat[where, 3:].astype(np.float32) / 255
    return where, flat[where, :3] * alpha + 0.5, 1 - alpha
