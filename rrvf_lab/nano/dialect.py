"""The embedded model's small language: a chart's fields, a line that tells them, a program that draws them.

A `Chart` is seven kinds of plot with single-digit values on a fixed scale from 0 to 10. It reads as one line
(`reading`, what the model writes in `<think>`) and draws as a short matplotlib program (`program`). Both can
be read back, without running anything.

Left out: everything outside this narrow distribution (two-digit values, free text, legends, pies), and what
only the cold start needs, which is in data/nano. Training with RRVF never uses this file: it sees raw images
only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KIND_WORDS = ("bar", "barh", "line", "scatter", "area", "hist", "group")
COLOUR_WORDS = ("red", "blue", "green", "orange", "purple", "gray",
                "steelblue", "teal", "gold", "salmon", "brown", "pink")
TITLE_WORDS = ("Speed", "Heat", "Sales", "Rain", "Growth", "Energy", "Traffic", "Weight", "Price", "Votes",
               "Output", "Noise", "Demand", "Profit", "Stock", "Light", "Water", "Power", "Crime", "Score",
               "Visits", "Sleep", "Yield", "Waste")
XLABEL_WORDS = ("week", "month", "day", "year", "hour", "city", "team", "region", "model", "stage", "age")
YLABEL_WORDS = ("units", "count", "total", "level", "rate", "share", "points", "value", "tons", "cost",
                "index")
LETTERS = "ABCDEFGH"

HEAD = """\
import matplotlib.pyplot as plt
fig = plt.figure(figsize=(4, 3))
ax = fig.add_axes([0.15, 0.2, 0.8, 0.68])
"""
CALLS = {"ax.bar(": "bar", "ax.barh(": "barh", "ax.plot(": "line", "ax.fill_between(": "area",
         "ax.stairs(": "hist", "ax.scatter(": "scatter"}


@dataclass(frozen=True)
class Chart:
    """One chart of the dialect.

    `series` holds one list of digits, or two for `group` (two bar heights); `colours` has two entries for
    `group`, else one. A `scatter` has one digit for each x from 1 to 9, where 0 is no point: in fixed places
    a point is found far sooner than in two lists of unknown length.
    """

    kind: str
    colours: tuple[str, ...]
    series: tuple[tuple[int, ...], ...]
    title: str
    xlabel: str
    ylabel: str
    grid: bool = False


def reading(chart: Chart) -> str:
    """The chart as one line: `Speed; week; units; bar; red: 9, 3, 5`.

    The title comes first: what stands at a fixed place of the text is learnt first.
    """
    words = [chart.title, chart.xlabel, chart.ylabel, chart.kind, *chart.colours]
    values = " / ".join(_digits(row)[1:-1] for row in chart.series)
    return f"{'; '.join(words)}: {values}" + ("; grid" if chart.grid else "")


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
    """The matplotlib program that draws the chart; running it gives a 400 x 300 image.

    Raises ValueError for a kind that the dialect does not have.
    """
    names, colour = f"list('{LETTERS[:len(chart.series[0])]}')", f"color='{chart.colours[0]}'"
    first, second = _digits(chart.series[0]), _digits(chart.series[-1])
    draw = {
        "bar": f"ax.bar({names}, {first}, {colour})",
        "barh": f"ax.barh({names}, {first}, {colour})",
        "line": f"ax.plot({names}, {first}, marker='o', {colour})",
        "area": f"ax.fill_between({names}, {first}, {colour})",
        "hist": f"ax.stairs({first}, fill=True, {colour})",
        "scatter": f"ax.scatter(range(1, 10), {first}, s=60, {colour})",
        "group": f"ax.bar({names}, {first}, width=-0.4, align='edge', {colour})\n"
                 f"ax.bar({names}, {second}, width=0.4, align='edge', color='{chart.colours[-1]}')",
    }
    if chart.kind not in draw:
        raise ValueError(f"unknown kind {chart.kind!r}; known: {', '.join(KIND_WORDS)}")
    lines = [draw[chart.kind]]
    if chart.kind in ("barh", "scatter"):
        lines.append("ax.set_xlim(0, 10)")
    if chart.kind != "barh":
        lines.append("ax.set_ylim(0, 10)")
    # y=1 pins the title, which saves matplotlib a second text layout per draw
    lines += [f"ax.set_title('{chart.title}', y=1)", f"ax.set_xlabel('{chart.xlabel}')",
              f"ax.set_ylabel('{chart.ylabel}')"]
    if chart.grid:
        lines.append("ax.grid(True)")
    return HEAD + "\n".join(lines)


def parse_program(code: str) -> Chart | None:
    """The chart that a program draws, or None where it is not of the dialect. Never runs it."""
    lists = re.findall(r"\[((?:\d+|None)(?:, (?:\d+|None))*)\]", code)
    colours = tuple(re.findall(r"color='(\w+)'", code))
    kind = next((kind for call, kind in CALLS.items() if call in code), None)
    if kind == "bar" and "align='edge'" in code:
        kind = "group"
    if kind is None or not lists or not colours:
        return None
    rows = 2 if kind == "group" else 1
    series = tuple(map(_parse_digits, lists[:rows]))
    words = (_argument(code, call) for call in ("set_title", "set_xlabel", "set_ylabel"))
    return Chart(kind, colours[:rows], series, *words, "ax.grid(True)" in code)


def _argument(code, call):
    """The quoted first argument of a call; "" where there is none."""
    found = re.search(call + r"\('([^']*)'", code)
    return found.group(1) if found else ""


def _digits(values) -> str:
    return "[" + ", ".join(str(v) if v else "None" for v in values) + "]"


def _parse_digits(text: str) -> tuple[int, ...]:
    return tuple(0 if v == "None" else int(v) for v in text.split(", "))
