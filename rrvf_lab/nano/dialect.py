"""The embedded model's small language: a chart and its look as fields, and the program that draws them.

A `Chart` is one of eleven kinds of plot, its values in tenths of the axis, its words, and what a picture of
it looks like. `program` draws it in about fifteen lines of ordinary matplotlib; every line is one of few
forms (`pieces`), each a token of the model, so that a whole program has thirty to sixty tokens. `thought` is
what the model thinks before its first program. Both can be read back, without running anything.

Left out: values finer than a tenth of the axis, value axes that do not start at zero, negative values,
several plots in one picture, free words: it has those below. What only the cold start needs is in data/nano.
Training with RRVF never uses this file: it sees raw images only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

KIND_WORDS = ("bar", "barh", "line", "scatter", "area", "hist", "group", "stacked", "lines", "step", "pie")
TWO_ROWS = ("group", "stacked", "lines")
COLOUR_WORDS = ("red", "blue", "green", "orange", "purple", "gray",
                "steelblue", "teal", "gold", "salmon", "brown", "pink")
# Finer words, each with the one of the twelve that is nearest to it (CIEDE2000; a test holds this).
SHADES = {
    "tab:red": "red", "mediumblue": "blue",
    "forestgreen": "green", "darkgreen": "green", "tab:green": "green", "mediumseagreen": "green",
    "darkorange": "orange", "tab:orange": "orange", "sandybrown": "orange", "goldenrod": "orange",
    "darkorchid": "purple", "darkmagenta": "purple", "tab:purple": "purple",
    "darkgray": "gray", "dimgray": "gray",
    "tab:blue": "steelblue", "dodgerblue": "steelblue", "cornflowerblue": "steelblue",
    "royalblue": "steelblue", "lightseagreen": "teal", "cadetblue": "teal", "tab:cyan": "teal",
    "khaki": "gold", "tab:olive": "gold", "coral": "salmon", "lightcoral": "salmon",
    "sienna": "brown", "darkred": "brown", "tab:brown": "brown", "saddlebrown": "brown",
    "hotpink": "pink", "plum": "pink", "tab:pink": "pink",
}
TITLE_WORDS = ("Speed", "Heat", "Sales", "Rain", "Growth", "Energy", "Traffic", "Weight", "Price", "Votes",
               "Output", "Noise", "Demand", "Profit", "Stock", "Light", "Water", "Power", "Crime", "Score",
               "Visits", "Sleep", "Yield", "Waste")
OTHER_TITLE_WORDS = ("Budget", "Revenue", "Storage", "Runtime", "Defects", "Tourism", "Harvest", "Latency",
                     "Members", "Orders", "Salary", "Fuel", "Births", "Snowfall", "Exports", "Clicks")
FIRST_WORDS = ("Monthly", "Total", "Daily", "Net", "Mean", "City", "Team", "Winter", "Local", "Online",
               "Home", "Peak")
XLABEL_WORDS = ("week", "month", "day", "year", "hour", "city", "team", "region", "model", "stage", "age")
YLABEL_WORDS = ("units", "count", "total", "level", "rate", "share", "points", "value", "tons", "cost",
                "index")
OTHER_LABEL_WORDS = ("quarter", "class", "site", "batch", "distance", "round", "percent", "score", "euros",
                     "minutes", "people", "height")
TICK_NAMES = {  # what stands under the marks; "" is plain numbers
    "A": tuple("ABCDEFGH"),
    "Q1": tuple(f"Q{i}" for i in range(1, 9)),
    "Mon": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Hol"),
    "Jan": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug"),
    "Rome": ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Paris", "Tokyo", "Quito"),
}
LEGENDS = (("first", "second"), ("2024", "2025"), ("north", "south"), ("plan", "actual"), ("A", "B"))
TOPS = ("10", "20", "30", "40", "50", "60", "65", "70", "75", "80", "85", "90", "95", "100", "105", "110",
        "150", "200", "250", "300", "350", "400", "425", "450", "475", "500", "525", "550",
        "0.3", "0.4", "0.5", "0.6", "0.7", "0.75", "0.8", "0.85", "0.9", "0.95", "1.0", "1.1")

NAME_WORDS = TITLE_WORDS + OTHER_TITLE_WORDS  # of a title; one of FIRST_WORDS may stand before
LABEL_WORDS = XLABEL_WORDS + YLABEL_WORDS + OTHER_LABEL_WORDS

HEIGHTS = {1.2: "3.33", 4 / 3: "3", 1.4: "2.86", 1.5: "2.67"}  # inches of a picture four inches wide
ASPECTS = tuple(HEIGHTS)
FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral")
SIZES, TITLE_SIZES = ("10", "10.6", "11.2", "11.8", "12.4", "13.4"), ("13", "14", "15", "16", "17.5")
INKS = ("black", "0.27")
PAPERS = ("white", "whitesmoke", "ivory", "aliceblue", "linen", "mintcream")
GRIDS = ("", *(f"{axis} {line}" for axis in ("both", "value") for line in ("-", "--", ":")))
SPINES = ("all", "open", "none")
EDGES = ("", "black", "white")
WIDTHS = ("0.5", "0.6", "0.7", "0.8", "0.9")
LINES, LINE_WIDTHS = ("-", "--", ":"), ("2", "3", "4")
MARKERS = ("", "o", "s", "^", "D")
STEPS = ("5", "10")

HEAD = """\
import matplotlib.pyplot as plt
from numpy import array, nan
plt.rcParams.update({'axes.labelpad': 1.9, 'axes.titlepad': 3.9, 'axes.linewidth': 0.9,
    'xtick.major.pad': 2.6, 'ytick.major.pad': 2.6, 'xtick.major.size': 2.6, 'ytick.major.size': 2.6,
    'figure.constrained_layout.h_pad': 0.0625, 'figure.constrained_layout.w_pad': 0.0625,
    'axes.facecolor': 'none', 'axes.axisbelow': True, 'lines.markersize': 8.5, """


@dataclass(frozen=True)
class Look:
    """What a picture has beyond what it shows. Every field has one of the values above; `marker`, `line` and
    `line_width` are of lines and points, `edge` and `width` of bars; `start`, `hole` and `percent` of a
    pie."""

    aspect: float = 4 / 3
    font: str = "DejaVu Sans"
    size: str = "11.2"
    title_size: str = "14"
    bold: bool = False
    left: bool = False
    paper: str = "white"
    ink: str = "black"
    spines: str = "all"
    edge: str = ""
    width: str = "0.8"
    line: str = "-"
    line_width: str = "3"
    marker: str = ""
    steps: str = "5"
    legend: tuple[str, ...] = ()
    hole: bool = False
    percent: bool = False
    start: int = 0


@dataclass(frozen=True)
class Chart:
    """One chart of the language.

    `series` holds one row of digits, or two for the kinds of `TWO_ROWS`; `colours` as many names, for a pie
    one for each slice. A `scatter` has one digit for each x from 1 to 9 tenths, where 0 is no point: in fixed
    places a point is found far sooner than in two lists of unknown length. `top` is what ten
    tenths are: the end of the axis where it is 10 or a legend needs room, else a ninth above the largest
    value; `ticks` a key of `TICK_NAMES` or "" for numbers, `grid` one of `GRIDS`. Words are "" where there
    are none; a title may have two.
    """

    kind: str
    colours: tuple[str, ...]
    series: tuple[tuple[int, ...], ...]
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    grid: str = ""
    ticks: str = ""
    top: str = "10"
    look: Look = Look()


def plain(chart: Chart) -> Chart:
    """The same picture with every field at its default that its kind does not draw."""
    look, kind, default = chart.look, chart.kind, Look()
    lines, bars = kind in ("line", "lines"), kind in ("bar", "barh", "hist", "group", "stacked", "pie")
    used = {
        "edge": bars or kind in ("scatter", "area"), "width": kind in ("bar", "barh", "stacked"),
        "line": lines, "line_width": lines or kind == "step", "marker": lines or kind == "scatter",
        "hole": kind == "pie", "percent": kind == "pie", "start": kind == "pie",
        "spines": kind != "pie", "steps": kind != "pie", "legend": kind in TWO_ROWS,
    }
    look = replace(look, **{name: getattr(default, name) for name, drawn in used.items() if not drawn})
    if kind == "scatter":
        look = replace(look, marker=look.marker or "o")
    if kind == "area" and look.edge:
        look = replace(look, edge="black")
    if kind == "pie":
        return replace(chart, look=look, grid="", top="10", xlabel="", ylabel="", ticks=chart.ticks or "A")
    return replace(chart, look=look, ticks="" if kind in ("scatter", "hist") else chart.ticks)


def basic(colour: str) -> str:
    """The one of the twelve names that a colour word belongs to. Example: `basic("darkred") == "brown"`."""
    return SHADES.get(colour, colour)


def thought(chart: Chart) -> str:
    """What is thought before a program: `bar; teal; 5.`, the kind, the colours, the number of marks."""
    count = sum(value > 0 for value in chart.series[0])
    return "; ".join([chart.kind, *map(basic, chart.colours)]) + f"; {count}."


def program(chart: Chart) -> str:
    """The matplotlib program that draws the chart; running it gives an image 400 pixels wide.

    Raises ValueError for a kind or another field that the language does not have.
    """
    return "".join(pieces(chart))


def pieces(chart: Chart) -> list[str]:
    """The program in the pieces that are one token each; a title of two words is two of them."""
    if chart.kind not in KIND_WORDS:
        raise ValueError(f"unknown kind {chart.kind!r}; known: {', '.join(KIND_WORDS)}")
    look = chart.look
    weight = ", 'axes.titleweight': 'bold'" if look.bold else ""
    out = [HEAD, f"'font.family': '{look.font}', ", f"'font.size': {look.size}, ",
           f"'axes.titlesize': {look.title_size}{weight}, "]
    out += ["'axes.titlelocation': 'left', "] if look.left else []
    out += [f"**dict.fromkeys(['text.color', 'axes.labelcolor', 'axes.edgecolor', 'xtick.color', "
            f"'ytick.color'], '{look.ink}'), "] if look.ink != "black" else []
    out += [f"'figure.facecolor': '{look.paper}'}})\n",
            f"fig, ax = plt.subplots(figsize=(4, {HEIGHTS[look.aspect]}), layout='constrained')\n"]
    first, *second = chart.title.split(" ")
    out += ["ax.set_title('", first, *(f" {word}" for word in second), "')\n"]
    for axis, word in (("x", chart.xlabel), ("y", chart.ylabel)):
        out += [f"ax.set_{axis}label('", word, "')\n"] if word else []
    return out + _data(chart) + _marks(chart) + _axes(chart)


def _data(chart):
    """The lines that hold the numbers: places, the end of the value axis, one array for each row."""
    n = len(chart.series[0])
    if chart.kind == "scatter":
        x = "range(1, 10)"
    elif chart.kind == "hist":
        x = f"range({n})"
    elif chart.ticks:
        x = f"{list(TICK_NAMES[chart.ticks][:n])}"
    else:
        x = f"range(1, {n + 1})"
    out = [f"x = {x}\n", f"top = {chart.top}\n"]
    for name, row in zip("ab", chart.series, strict=False):
        digits = [str(v) if v else "nan" for v in row]
        out += [f"{name} = top / 10 * array([", digits[0], *(f", {digit}" for digit in digits[1:]), "])\n"]
    return out


def _marks(chart):
    """The calls that draw."""
    look, kind = chart.look, chart.kind
    edge = f", ec='{look.edge}'" if look.edge else ""
    line = [f", '{look.line}'", f", lw={look.line_width}"]
    line += [f", marker='{look.marker}'"] if look.marker else []
    colours = [["color='", colour, "'"] for colour in chart.colours]
    end = [edge + ")\n"]
    if kind == "bar":
        return [f"ax.bar(x, a, {look.width}, ", *colours[0], *end]
    if kind == "barh":
        return [f"ax.barh(x, a, {look.width}, ", *colours[0], *end]
    if kind == "hist":
        return ["ax.bar(x, a, 1, align='edge', ", *colours[0], *end]
    if kind == "group":
        return ["ax.bar(x, a, -0.4, align='edge', ", *colours[0], *end,
                "ax.bar(x, b, 0.4, align='edge', ", *colours[1], *end]
    if kind == "stacked":
        return [f"ax.bar(x, a, {look.width}, ", *colours[0], *end,
                f"ax.bar(x, b, {look.width}, bottom=a, ", *colours[1], *end]
    if kind in ("line", "lines"):
        out = ["ax.plot(x, a", *line, ", ", *colours[0], ")\n"]
        return out + (["ax.plot(x, b", *line, ", ", *colours[1], ")\n"] if kind == "lines" else [])
    if kind == "step":
        return ["ax.step(x, a, where='mid'", line[1], ", ", *colours[0], ")\n"]
    if kind == "area":
        outline = ["ax.plot(x, a, color='black', lw=1.4)\n"] if look.edge else []
        return ["ax.fill_between(x, a, ", *colours[0], ")\n", *outline]
    if kind == "scatter":
        return [f"ax.scatter(x, a, 92, marker='{look.marker or 'o'}', ", *colours[0], *end]
    wedge = (["'width': 0.5"] if look.hole else []) + ([f"'ec': '{look.edge}'"] if look.edge else [])
    percent = ", autopct='%d%%'" if look.percent else ""
    out = ["ax.pie(a, labels=x, colors=['", chart.colours[0]]
    for colour in chart.colours[1:]:
        out += ["', '", colour]
    return [*out, "']", f", startangle={look.start}{percent}, wedgeprops={{{', '.join(wedge)}}})\n"]


def _axes(chart):
    """Limits, ticks, grid, spines, legend."""
    kind, look, out = chart.kind, chart.look, []
    if kind == "pie":
        return out
    value, other = ("x", "y") if kind == "barh" else ("y", "x")
    if not chart.ticks and kind not in ("scatter", "hist"):
        out.append(f"ax.set_{other}ticks(x)\n")
    if chart.top == "10" or look.legend:
        limits = f"ax.set_{value}lim(0, top)\n"
        limits += "ax.set_xlim(0, 10)\n" if kind == "scatter" else ""
    else:  # matplotlib's own, as most charts have them
        limits = "ax.set_ylim(bottom=0)\n" if kind in ("line", "lines", "area", "step") else ""
    out.append(f"{limits}ax.locator_params(axis='{value}', nbins={look.steps})\n")
    if chart.grid:
        axis, line = chart.grid.split()
        out.append(f"ax.grid(axis='{value if axis == 'value' else axis}', ls='{line}')\n")
    if look.legend:
        out.append(f"ax.legend({list(look.legend)}, ncols=2, loc='upper right')\n")
    if look.spines == "open":
        out.append("ax.spines[['top', 'right']].set_visible(False)\n")
    if look.spines == "none":
        out.append("ax.spines[:].set_visible(False)\n")
    return out


def parse_program(code: str) -> Chart | None:
    """The chart that a program draws, or None where it is not of the language. Never runs it.

    Lists of unequal length are a chart too: what such a program lacks is for the renderer to find out.
    """
    rows = tuple(tuple(0 if v == "nan" else int(v) for v in row.split(", ")) for row in _ROW.findall(code))
    colours = tuple(word for word in _colours(code) if word in COLOUR_WORDS or word in SHADES)
    kind = _kind(code)
    if kind is None or not rows or not colours or (kind in TWO_ROWS) != (len(rows) == 2):
        return None
    value = "x" if kind == "barh" else "y"
    grid = re.search(r"ax\.grid\(axis='(\w+)', ls='(-|--|:)'\)", code)
    legend = re.search(r"ax\.legend\(\['(\w+)', '(\w+)'\]", code)
    first = _one(r"^x = \['(\w+)'", code)
    return Chart(
        kind, colours, rows, *(_one(rf"ax\.set_{what}\('([^']*)'\)", code) for what in
                               ("title", "xlabel", "ylabel")),
        grid=f"{'value' if grid[1] == value else 'both'} {grid[2]}" if grid else "",
        ticks=first if first in TICK_NAMES else "", top=_one(r"^top = (\S+)$", code) or "10",
        look=_look(code, legend.groups() if legend else ()))


_ROW = re.compile(r"^[ab] = top / 10 \* array\(\[((?:\d|nan)(?:, (?:\d|nan))*)\]\)$", re.MULTILINE)


def _kind(code):
    for kind, call in (("pie", "ax.pie("), ("barh", "ax.barh("), ("scatter", "ax.scatter("),
                       ("area", "ax.fill_between("), ("step", "ax.step("), ("lines", "ax.plot(x, b"),
                       ("stacked", "bottom=a"), ("group", "ax.bar(x, b"), ("hist", "ax.bar(x, a, 1, align"),
                       ("bar", "ax.bar("), ("line", "ax.plot(")):
        if call in code:
            return kind
    return None


def _colours(code):
    slices = re.search(r"colors=\[([^\]]*)\]", code)
    if slices:
        return re.findall(r"'([\w:]+)'", slices[1])
    return re.findall(r"(?:, |\()color='([\w:]+)'", code.replace("color='black', lw=1.4", ""))


def _look(code, legend):
    plain = Look()
    aspects = {inches: aspect for aspect, inches in HEIGHTS.items()}
    spines = "none" if "ax.spines[:]" in code else "open" if "ax.spines[[" in code else "all"
    edge = _one(r"'?ec'?[=:] ?'(\w+)'", code) or ("black" if "color='black', lw=1.4" in code else "")
    return replace(
        plain, aspect=aspects.get(_one(r"figsize=\(4, ([\d.]+)\)", code), plain.aspect),
        font=_one(r"'font\.family': '([^']+)'", code) or plain.font,
        size=_one(r"'font\.size': ([\d.]+)", code) or plain.size,
        title_size=_one(r"'axes\.titlesize': ([\d.]+)", code) or plain.title_size,
        bold="'bold'" in code, left="'axes.titlelocation': 'left'" in code,
        paper=_one(r"'figure\.facecolor': '(\w+)'", code) or plain.paper,
        ink=_one(r"'ytick\.color'\], '([\w.]+)'", code) or plain.ink, spines=spines, edge=edge,
        width=_one(r"ax\.barh?\(x, a, (0\.\d)", code) or plain.width,
        line=_one(r"ax\.plot\(x, a, '([-:]+)'", code) or plain.line,
        line_width=_one(r"lw=(\d),", code) or plain.line_width, marker=_one(r"marker='([^'])'", code),
        steps=_one(r"nbins=(\d+)", code) or plain.steps, legend=legend, hole="'width': 0.5" in code,
        percent="autopct" in code, start=int(_one(r"startangle=(\d+)", code) or 0))


def _one(pattern, code):
    """The first group of the first match; "" where there is none."""
    found = re.search(pattern, code, re.MULTILINE)
    return found.group(1) if found else ""
