"""Draws the raw chart images of data/charts from a seed: the wide distribution that RRVF trains on.

    python data/charts/make.py              # what lies here: 480 + 200 charts of seed 7, and truth.json

A chart is first *sampled* (`sample`, a numpy Generator and nothing else) and then *drawn* (`draw`). The
folders of the splits get pictures only: no code, no labels. What each of them shows goes into truth.json,
which is for evaluation alone: training from it would make labels out of a set that has none.

Left out: 3-D, maps, heat maps, box plots, subplots, log axes, dates, negative values, error bars,
annotations, and every look that matplotlib does not have. The pixels depend on the versions of matplotlib and
Pillow, so a new run may differ from the stored images in single pixels; the sampled values do not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from rrvf_lab.leaves.files import write_whole
from rrvf_lab.nano.dialect import TITLE_WORDS, XLABEL_WORDS, YLABEL_WORDS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from store import name, write_split

SPLITS = {"train": 0, "test": 1}  # a split's own random stream
SEED = 7

KIND_SHARES = {"bar": 19, "barh": 14, "line": 15, "scatter": 14, "area": 10, "hist": 10, "grouped": 6,
               "pie": 6, "stacked": 2, "lines": 2, "step": 2}  # percent
TWO_SERIES = ("grouped", "stacked", "lines")
NAMED_TICKS = ("bar", "barh", "grouped", "stacked", "line", "lines", "pie")

# Every paint stands under the one of the twelve names that is nearest to it (CIEDE2000; a test holds this).
COMMON_PAINTS = {
    "red": ["#ff0000", "#e41a1c", "#ff2a2a", "#f01818"],
    "blue": ["#0000ff", "#0000cd", "#1f1fe0", "#2a2aff"],
    "green": ["#008000", "#228b22", "#2ca02c", "#006400", "#4daf4a"],
    "orange": ["#ffa500", "#ff8c00", "#ff7f0e", "#f4a460", "#daa520"],
    "purple": ["#800080", "#8b008b", "#984ea3", "#6a3d9a"],
    "gray": ["#808080", "#7f7f7f", "#999999", "#696969", "#a9a9a9"],
}
RARE_PAINTS = {
    "steelblue": ["#4682b4", "#1f77b4", "#377eb8", "#6495ed", "#1e90ff", "#4169e1"],
    "teal": ["#008080", "#008b8b", "#20b2aa", "#5f9ea0"],
    "gold": ["#ffd700", "#ffd92f", "#f0e68c", "#bcbd22"],
    "salmon": ["#fa8072", "#fc8d62", "#ff7f50", "#e9967a", "#f08080"],
    "brown": ["#a52a2a", "#8c564b", "#8b0000", "#a0522d", "#8b4513"],
    "pink": ["#ffc0cb", "#ffb6c1", "#f781bf", "#e78ac3", "#dda0dd"],
}
PAINTS = COMMON_PAINTS | RARE_PAINTS

OTHER_TITLES = ("Budget", "Revenue", "Storage", "Runtime", "Defects", "Tourism", "Harvest", "Latency",
                "Members", "Orders", "Salary", "Fuel", "Births", "Snowfall", "Exports", "Clicks")
FIRST_WORDS = ("Monthly", "Total", "Daily", "Net", "Mean", "City", "Team", "Winter", "Local", "Online",
               "Home", "Peak")
OTHER_XLABELS = ("quarter", "class", "site", "batch", "distance", "round")
OTHER_YLABELS = ("percent", "score", "euros", "minutes", "people", "height")
TICK_NAMES = (
    ["A", "B", "C", "D", "E", "F", "G", "H"],
    ["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8"],
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Hol"],
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug"],
)
LONG_TICK_NAMES = ["Rome", "Oslo", "Lima", "Cairo", "Delhi", "Paris", "Tokyo", "Quito"]  # need a line each
FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral")  # matplotlib ships these four
PAPERS = ("#f7f7f7", "#fffff0", "#f0f8ff", "#fdf5f0", "#f4faf4")
LEGENDS = [("first", "second"), ("2024", "2025"), ("north", "south"), ("plan", "actual"), ("A", "B")]
SCALES = {"ten": (1, 9), "hundred": (5, 99), "five hundred": (20, 500), "fraction": (0.05, 0.98)}


class Dice:
    """What `sample` asks of a `numpy.random.Generator`."""

    def __init__(self, rng):
        self.rng = rng

    def pick(self, items, p=None):
        return items[int(self.rng.choice(len(items), p=p))]

    def chance(self, p):
        return bool(self.rng.random() < p)

    def numbers(self, scale, shape):
        low, high = SCALES[scale]
        if scale == "fraction":
            return self.rng.uniform(low, high, shape).round(2)
        return self.rng.integers(low, high + 1, shape)


def sample(rng):
    """One chart as a plain dict of numbers, names and style: everything `draw` needs, nothing drawn yet.

    Args: rng, a `numpy.random.Generator`. Values: 3 to 8 (two lists of 2 to 4 where there are two series).

        spec = sample(np.random.default_rng(0)); spec["kind"], spec["values"]
    """
    dice = Dice(rng)
    kind = dice.pick(list(KIND_SHARES), np.array(list(KIND_SHARES.values())) / 100)
    scale = "ten" if kind == "pie" or dice.chance(0.5) else dice.pick(list(SCALES)[1:])
    x, values = _sample_data(dice, kind, scale)
    rows, n = values.shape
    roomy = scale != "ten" or values.max() < 8  # a legend above the data hides none of it
    return {
        "kind": kind, "values": values.tolist() if rows == 2 else values[0].tolist(), "x": x.tolist(),
        "limits": (0, 10) if scale == "ten" and kind != "pie" else None,
        **_sample_colours(dice, n if kind == "pie" else rows),
        **_sample_words(dice, kind, n),
        **_sample_style(dice, kind, legend=rows == 2, roomy=roomy),
    }


def _sample_data(dice, kind, scale):
    """(x, values): places or edges, and an array with a row for each series."""
    rng = dice.rng
    if kind in TWO_SERIES:
        rows, n = 2, int(rng.integers(2, 5))
    else:
        rows, n = 1, int(rng.integers(3, 7 if kind == "pie" else 9))
    values, x = dice.numbers(scale, (rows, n)), np.arange(1, n + 1)
    if kind == "stacked" and scale == "ten":
        values = rng.integers(1, 5, (rows, n))  # so that the sum stays under the limit of 10
    if kind == "scatter":
        x = rng.choice(np.arange(1, 10), n, replace=False) if scale == "ten" else dice.numbers(scale, n)
        x = np.sort(x)
    if kind == "hist" and scale == "ten":
        x = np.arange(0, n + 1)
    elif kind == "hist":  # the counts of a bell curve, a skewed one or a flat one, as data would give them
        x = np.linspace(0, dice.pick([10, 50, 80, 100]), n + 1).round(1)
        shape = dice.pick([rng.normal(0.5, 0.17, 400), rng.gamma(2.0, 0.15, 400), rng.random(400)])
        counts, _ = np.histogram(shape, np.linspace(0, 1, n + 1))
        values = np.maximum(1, counts * int(rng.integers(20, 101)) // 100)[None]
    return x, values


def _sample_colours(dice, number):
    """Names and paints; six charts in ten begin with a colour that the cold start rarely saw."""
    first = dice.pick(list(RARE_PAINTS if dice.chance(0.6) else COMMON_PAINTS))
    others = [colour for colour in dice.rng.permutation(list(PAINTS)).tolist() if colour != first]
    colours = ([first] + others)[:number]
    paint = [PAINTS[colour][0] if dice.chance(0.45) else dice.pick(PAINTS[colour]) for colour in colours]
    return {"colours": colours, "paint": paint}


def _sample_words(dice, kind, n):
    """Title, axis labels and tick names; None where a chart has none."""
    ticks = None  # plain numbers
    if kind in NAMED_TICKS and dice.chance(1 if kind == "pie" else 0.45):
        long = (LONG_TICK_NAMES,) if kind in ("barh", "pie") else ()
        ticks = dice.pick(TICK_NAMES + long)[:n]
    word = dice.rng.random()
    if word < 0.6:
        title = dice.pick(TITLE_WORDS)
    elif word < 0.8:
        title = dice.pick(OTHER_TITLES)
    else:
        title = f"{dice.pick(FIRST_WORDS)} {dice.pick([*TITLE_WORDS, *OTHER_TITLES])}"
    chances = dice.rng.random(2)
    labels = [None if p > 0.85 else dice.pick(known if p < 0.7 else other) for p, known, other in
              zip(chances, (XLABEL_WORDS, YLABEL_WORDS), (OTHER_XLABELS, OTHER_YLABELS), strict=True)]
    if kind == "barh":
        labels.reverse()
    if kind == "pie":
        labels = [None, None]
    return {"title": title, "xlabel": labels[0], "ylabel": labels[1], "ticks": ticks}


def _sample_style(dice, kind, legend, roomy):
    """The look. Lengths are in pixels of the chart at 224 pixels of width, so that all survive that size."""
    pick, chance, uniform = dice.pick, dice.chance, dice.rng.uniform
    return {
        "grid": kind != "pie" and chance(0.3), "grid_axis": pick(["both", "y" if kind != "barh" else "x"]),
        "grid_line": pick(["-", "--", ":"]),
        "width": int(dice.rng.integers(360, 641)), "aspect": pick([4 / 3, 4 / 3, 4 / 3, 1.2, 1.4, 1.5]),
        "dpi": pick([72, 80, 100, 120, 150]), "font": pick(FONTS, [0.55, 0.2, 0.12, 0.13]),
        "font_px": float(uniform(8.0, 9.8)), "title_px": float(uniform(10.0, 12.5)),
        "title_weight": "bold" if chance(0.25) else "normal",
        "title_place": "left" if chance(0.15) else "center",
        "ink": "black" if chance(0.8) else "#444444", "paper": "white" if chance(0.85) else pick(PAPERS),
        "spines": pick(["all", "open", "none"], [0.7, 0.25, 0.05]),
        "edge": pick([None, "black", "white"], [0.55, 0.3, 0.15]), "bar_width": float(uniform(0.5, 0.95)),
        "line_px": float(uniform(1.5, 3.0)), "line": pick(["-", "-", "-", "--", ":"]),
        "marker": pick([None, "o", "s", "^", "D"], [0.4, 0.3, 0.1, 0.1, 0.1]),
        "marker_px": float(uniform(5, 8.5)), "alpha": pick([1.0, 1.0, 0.9]),
        "legend": pick(LEGENDS) if legend and chance(0.5) and roomy else None,
        "hole": kind == "pie" and chance(0.2),
        "percent": kind == "pie" and chance(0.4), "start": pick([0, 90]),
        "steps": pick([5, 5, 6, 10]),
    }


def draw(spec):
    """The picture of a sampled chart, a PIL RGB image of 360 to 640 pixels' width.

        draw(sample(np.random.default_rng(0))).save("chart.png")
    """
    s = spec
    px = s["width"] / 224 * 72 / s["dpi"]  # points in one pixel of the chart at a width of 224
    letter = px * (1.12 if s["font"] == "STIXGeneral" else 1)  # STIX letters are small for their size
    style = {
        "font.family": s["font"], "font.size": s["font_px"] * letter,
        "axes.titlesize": s["title_px"] * letter, "axes.titleweight": s["title_weight"],
        "axes.titlelocation": s["title_place"], "axes.titlepad": 3 * px,
        "axes.labelpad": 1.5 * px, "axes.linewidth": 0.7 * px, "grid.linewidth": 0.6 * px,
        "xtick.major.size": 2 * px, "ytick.major.size": 2 * px, "xtick.major.width": 0.6 * px,
        "ytick.major.width": 0.6 * px, "xtick.major.pad": 2 * px, "ytick.major.pad": 2 * px,
        "text.color": s["ink"], "axes.labelcolor": s["ink"], "xtick.color": s["ink"], "ytick.color": s["ink"],
        "axes.edgecolor": s["ink"], "axes.facecolor": s["paper"], "figure.facecolor": s["paper"],
        "figure.constrained_layout.h_pad": 3.5 * px / 72, "figure.constrained_layout.w_pad": 3.5 * px / 72,
        "axes.axisbelow": True, "patch.linewidth": 0.8 * px, "hatch.linewidth": 0.6 * px,
        "legend.fontsize": s["font_px"] * letter * 0.9, "lines.linewidth": s["line_px"] * px,
        "lines.markersize": s["marker_px"] * px,
    }
    with matplotlib.rc_context(style):
        size = s["width"] / s["dpi"], s["width"] / s["aspect"] / s["dpi"]
        figure = Figure(figsize=size, dpi=s["dpi"], layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.locator_params(axis="x", nbins=5)  # the automatic number changes with the layout, which then
        axes.locator_params(axis="y", nbins=s["steps"])  # has no room for the last label
        _plot(axes, s)
        axes.set_title(s["title"])
        axes.set_xlabel(s["xlabel"] or "")
        axes.set_ylabel(s["ylabel"] or "")
        if s["grid"]:
            axes.grid(True, axis=s["grid_axis"], linestyle=s["grid_line"])
        if s["legend"]:
            if not s["limits"]:  # room above the data, so that the legend hides none of it
                axes.set_ylim(top=axes.get_ylim()[1] * 1.2)
            axes.legend(s["legend"], ncols=2, loc="upper right")
        if s["spines"] != "all":
            axes.spines[["top", "right"]].set_visible(False)
        if s["spines"] == "none":
            axes.spines[:].set_visible(False)
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _plot(axes, s):
    kind, x, values, paint = s["kind"], np.array(s["x"]), np.array(s["values"]), s["paint"]
    edge = {"edgecolor": s["edge"]} if s["edge"] else {}
    limit_x, limit_y = kind in ("barh", "scatter"), kind not in ("barh", "pie")
    if kind in ("bar", "barh"):
        bars = axes.bar if kind == "bar" else axes.barh
        bars(x, values, s["bar_width"], color=paint[0], alpha=s["alpha"], **edge)
    elif kind in ("line", "lines"):
        for row, colour in zip(np.atleast_2d(values), paint, strict=True):
            axes.plot(x, row, s["line"], color=colour, marker=s["marker"])
    elif kind == "step":
        axes.step(x, values, color=paint[0], where="mid")
    elif kind == "scatter":
        area = (1.2 * matplotlib.rcParams["lines.markersize"]) ** 2
        axes.scatter(x, values, area, color=paint[0], marker=s["marker"] or "o", **edge)
    elif kind == "area":
        axes.fill_between(x, values, color=paint[0], alpha=s["alpha"])
        if s["marker"]:
            axes.plot(x, values, color=s["ink"], linewidth=axes.spines["left"].get_linewidth() * 1.5)
    elif kind == "hist":
        axes.hist((x[:-1] + x[1:]) / 2, x, weights=values, color=paint[0], alpha=s["alpha"], **edge)
    elif kind == "grouped":
        for k, (row, colour) in enumerate(zip(values, paint, strict=True)):
            axes.bar(x + (k - 0.5) * 0.4, row, 0.4, color=colour, **edge)
    elif kind == "stacked":
        axes.bar(x, values[0], s["bar_width"], color=paint[0], **edge)
        axes.bar(x, values[1], s["bar_width"], bottom=values[0], color=paint[1], **edge)
    elif kind == "pie":
        wedge = ({"width": 0.5} if s["hole"] else {}) | edge
        parts = axes.pie(values, labels=s["ticks"], colors=paint, startangle=s["start"], wedgeprops=wedge,
                         autopct="%d%%" if s["percent"] else None, pctdistance=0.75 if s["hole"] else 0.6)
        for text, colour in zip(parts[2] if s["percent"] else [], paint, strict=False):
            text.set_color("white" if np.dot(to_rgb(colour), [0.3, 0.59, 0.11]) < 0.5 else "black")
    if s["ticks"] and kind != "pie":
        (axes.set_yticks if kind == "barh" else axes.set_xticks)(x, s["ticks"])
    elif kind in ("bar", "grouped", "stacked", "line", "lines", "area", "step"):
        axes.set_xticks(x)
    elif kind == "barh":
        axes.set_yticks(x)
    if s["limits"]:
        if limit_x:
            axes.set_xlim(*s["limits"])
        if limit_y:
            axes.set_ylim(*s["limits"])
    elif kind in ("line", "lines", "area", "step"):
        axes.set_ylim(bottom=0)


def spec(split, i, seed=SEED):
    """The sampled chart number `i` of a split ("train" or "test"); each has a random stream of its own."""
    if split not in SPLITS:
        raise ValueError(f"charts have the splits 'train' and 'test', not {split!r}")
    return sample(np.random.default_rng([seed, SPLITS[split], i]))


def truth(split, i, seed=SEED):
    """What chart number `i` shows, for evaluation only. Nothing is drawn.

    Returns a dict: id, kind, colours (the nearest of the twelve names, one per series or slice), values (a
    list, or two of them), x, limits (of the value axis; None: matplotlib's own), title, xlabel, ylabel (None:
    absent), grid.

        truth("test", 0)["kind"]
    """
    chart = spec(split, i, seed)
    kept = ("kind", "colours", "values", "x", "limits", "title", "xlabel", "ylabel", "grid")
    return {"id": name(split, i)} | {key: chart[key] for key in kept}


def write(folder, counts, seed=SEED):
    """Draw `counts` ({"train": 480, "test": 200}) into folders of `folder`, and write its truth.json.

    Returns the bytes of the pictures. Older charts of the same names are replaced. Raises RuntimeError where
    two images have the same pixels.
    """
    seen, total, truths = {}, 0, []
    for split, count in counts.items():
        total += write_split(folder, split, (draw(spec(split, i, seed)) for i in range(count)), seen)
        truths += [truth(split, i, seed) for i in range(count)]
    write_whole(Path(folder) / "truth.json", as_json(truths))
    return total


def as_json(truths):
    """Truths as one JSON object by id, with a line for each chart."""
    lines = (f"{json.dumps(row['id'])}:{json.dumps(row, separators=(',', ':'))}" for row in truths)
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="?", default=Path(__file__).parent,
                        help="gets train/, test/ and truth.json")
    parser.add_argument("--train", type=int, default=480)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(argv)
    size = write(options.folder, {"train": options.train, "test": options.test}, options.seed)
    print(f"{options.train} + {options.test} charts in {options.folder}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
