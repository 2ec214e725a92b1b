"""Raw chart images, drawn with matplotlib from a seed: the wide distribution that RRVF trains on.

A chart is first *sampled* (`sample`, a numpy Generator and nothing else) and then *drawn* (`draw`). Only
pictures are written: no code, no labels. As the sampling is seeded, `truth` can say afterwards what an image
shows, without drawing it. That is for evaluation only; training from it would make labels out of a set that
has none.

What it leaves out: 3-D, maps, heat maps, box plots, subplots, log axes, dates, negative values, error bars,
annotations, and every look that matplotlib does not have. The pixels depend on the versions of matplotlib and
Pillow, so a new run may differ from the stored images in single pixels; the sampled values do not.

    python -m rrvf_lab.charts data/charts --train 480 --test 200 --seed 7
"""
import argparse
import hashlib
import io
from pathlib import Path

import numpy as np

from .nano.dialect import TITLES, XLABELS, YLABELS

SPLITS = {"train": 0, "test": 1}  # a split's own random stream

# share of each kind in percent
KINDS = {"bar": 19, "barh": 14, "line": 15, "scatter": 14, "area": 10, "hist": 10, "grouped": 6, "pie": 6,
         "stacked": 2, "lines": 2, "step": 2}
TWO_SERIES = ("grouped", "stacked", "lines")
NAMED_TICKS = ("bar", "barh", "grouped", "stacked", "line", "lines", "pie")

# Every colour stands under the one of the twelve names that is nearest to it (CIEDE2000; a test holds this).
COMMON = {
    "red": ["#ff0000", "#e41a1c", "#ff2a2a", "#f01818"],
    "blue": ["#0000ff", "#0000cd", "#1f1fe0", "#2a2aff"],
    "green": ["#008000", "#228b22", "#2ca02c", "#006400", "#4daf4a"],
    "orange": ["#ffa500", "#ff8c00", "#ff7f0e", "#f4a460", "#daa520"],
    "purple": ["#800080", "#8b008b", "#984ea3", "#6a3d9a"],
    "gray": ["#808080", "#7f7f7f", "#999999", "#696969", "#a9a9a9"],
}
RARE = {
    "steelblue": ["#4682b4", "#1f77b4", "#377eb8", "#6495ed", "#1e90ff", "#4169e1"],
    "teal": ["#008080", "#008b8b", "#20b2aa", "#5f9ea0"],
    "gold": ["#ffd700", "#ffd92f", "#f0e68c", "#bcbd22"],
    "salmon": ["#fa8072", "#fc8d62", "#ff7f50", "#e9967a", "#f08080"],
    "brown": ["#a52a2a", "#8c564b", "#8b0000", "#a0522d", "#8b4513"],
    "pink": ["#ffc0cb", "#ffb6c1", "#f781bf", "#e78ac3", "#dda0dd"],
}
COLOURS = COMMON | RARE

OTHER_TITLES = ("Budget Revenue Storage Runtime Defects Tourism Harvest Latency Members Orders Salary Fuel "
                "Births Snowfall Exports Clicks").split()
FIRST_WORDS = "Monthly Total Daily Net Mean City Team Winter Local Online Home Peak".split()
OTHER_XLABELS = "quarter class site batch distance round".split()
OTHER_YLABELS = "percent score euros minutes people height".split()
TICK_NAMES = (list("ABCDEFGH"), "Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q8".split(), "Mon Tue Wed Thu Fri Sat Sun Hol".split(),
              "Jan Feb Mar Apr May Jun Jul Aug".split())
LONG_TICK_NAMES = "Rome Oslo Lima Cairo Delhi Paris Tokyo Quito".split()  # only where names have a line each
FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral")  # matplotlib ships these four
PAPERS = ("#f7f7f7", "#fffff0", "#f0f8ff", "#fdf5f0", "#f4faf4")
LEGENDS = [("first", "second"), ("2024", "2025"), ("north", "south"), ("plan", "actual"), ("A", "B")]
SCALES = {"ten": (1, 9), "hundred": (5, 99), "five hundred": (20, 500), "fraction": (0.05, 0.98)}


def sample(rng):
    """One chart as a plain dict of numbers, names and style: everything `draw` needs, nothing drawn yet.

    Args: rng, a `numpy.random.Generator`. Values: 3 to 8 (two lists of 2 to 4 where there are two series).

        spec = sample(np.random.default_rng(0)); spec["kind"], spec["values"]
    """
    def pick(items, p=None):
        return items[int(rng.choice(len(items), p=p))]

    def chance(p):
        return bool(rng.random() < p)

    kind = pick(list(KINDS), np.array(list(KINDS.values())) / 100)
    scale = "ten" if kind == "pie" or chance(0.5) else pick(list(SCALES)[1:])
    n = int(rng.integers(2, 5)) if kind in TWO_SERIES else int(rng.integers(3, 7 if kind == "pie" else 9))
    rows = 2 if kind in TWO_SERIES else 1

    def numbers(shape):
        low, high = SCALES[scale]
        if scale == "fraction":
            return rng.uniform(low, high, shape).round(2)
        return rng.integers(low, high + 1, shape)

    values, x = numbers((rows, n)), np.arange(1, n + 1)
    if kind == "stacked" and scale == "ten":
        values = rng.integers(1, 5, (rows, n))  # so that the sum stays under the limit of 10
    if kind == "scatter":
        x = np.sort(rng.choice(np.arange(1, 10), n, replace=False) if scale == "ten" else numbers(n))
    if kind == "hist":
        x = np.arange(0, n + 1) if scale == "ten" else np.linspace(0, pick([10, 50, 80, 100]), n + 1).round(1)
        if scale != "ten":  # the counts of a bell curve, a skewed one or a flat one, as data would give them
            shape = pick([rng.normal(0.5, 0.17, 400), rng.gamma(2.0, 0.15, 400), rng.random(400)])
            counts, _ = np.histogram(shape, np.linspace(0, 1, n + 1))
            values = np.maximum(1, counts * int(rng.integers(20, 101)) // 100)[None]

    # six charts in ten are painted with colours that the cold start rarely saw
    groups = [RARE, COMMON] if chance(0.6) else [COMMON, RARE]
    first = pick(list(groups[0]))
    others = [c for c in rng.permutation(list(COLOURS)).tolist() if c != first]
    names = ([first] + others)[:n if kind == "pie" else rows]
    paint = [COLOURS[c][0] if chance(0.45) else pick(COLOURS[c]) for c in names]

    ticks = None  # plain numbers
    if kind in NAMED_TICKS and chance(1 if kind == "pie" else 0.45):
        ticks = pick(TICK_NAMES + ((LONG_TICK_NAMES,) if kind in ("barh", "pie") else ()))[:n]
    word = rng.random()
    title = (pick(TITLES) if word < 0.6 else pick(OTHER_TITLES) if word < 0.8 else
             f"{pick(FIRST_WORDS)} {pick([*TITLES, *OTHER_TITLES])}")
    xlabel, ylabel = (None if w > 0.85 else pick(known if w < 0.7 else other) for w, known, other in
                      ((rng.random(), XLABELS, OTHER_XLABELS), (rng.random(), YLABELS, OTHER_YLABELS)))
    if kind == "barh":
        xlabel, ylabel = ylabel, xlabel
    if kind == "pie":
        xlabel = ylabel = None

    roomy = scale != "ten" or values.max() < 8  # a legend above the data hides none of it
    # lengths are in pixels of the chart resized to 224 pixels of width, so that all of them survive that
    return {
        "kind": kind, "values": values.tolist() if rows == 2 else values[0].tolist(), "x": x.tolist(),
        "limits": (0, 10) if scale == "ten" and kind != "pie" else None,
        "colours": names, "paint": paint, "title": title, "xlabel": xlabel, "ylabel": ylabel, "ticks": ticks,
        "grid": kind != "pie" and chance(0.3), "grid_axis": pick(["both", "y" if kind != "barh" else "x"]),
        "grid_line": pick(["-", "--", ":"]),
        "width": int(rng.integers(360, 641)), "aspect": pick([4 / 3, 4 / 3, 4 / 3, 1.2, 1.4, 1.5]),
        "dpi": pick([72, 80, 100, 120, 150]), "font": pick(FONTS, [0.55, 0.2, 0.12, 0.13]),
        "font_px": float(rng.uniform(8.0, 9.8)), "title_px": float(rng.uniform(10.0, 12.5)),
        "title_weight": "bold" if chance(0.25) else "normal",
        "title_place": "left" if chance(0.15) else "center",
        "ink": "black" if chance(0.8) else "#444444", "paper": "white" if chance(0.85) else pick(PAPERS),
        "spines": pick(["all", "open", "none"], [0.7, 0.25, 0.05]),
        "edge": pick([None, "black", "white"], [0.55, 0.3, 0.15]), "bar_width": float(rng.uniform(0.5, 0.95)),
        "line_px": float(rng.uniform(1.5, 3.0)), "line": pick(["-", "-", "-", "--", ":"]),
        "marker": pick([None, "o", "s", "^", "D"], [0.4, 0.3, 0.1, 0.1, 0.1]),
        "marker_px": float(rng.uniform(5, 8.5)), "alpha": pick([1.0, 1.0, 0.9]),
        "legend": pick(LEGENDS) if rows == 2 and chance(0.5) and roomy else None,
        "hole": kind == "pie" and chance(0.2),
        "percent": kind == "pie" and chance(0.4), "start": pick([0, 90]),
        "steps": pick([5, 5, 6, 10]),
    }


def draw(spec):
    """The picture of a sampled chart, a PIL RGB image of 360 to 640 pixels' width.

        draw(sample(np.random.default_rng(0))).save("chart.png")
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

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
    from matplotlib import rcParams
    from matplotlib.colors import to_rgb

    kind, x, values, paint = s["kind"], np.array(s["x"]), np.array(s["values"]), s["paint"]
    edge = {"edgecolor": s["edge"]} if s["edge"] else {}
    limit_x, limit_y = kind in ("barh", "scatter"), kind not in ("barh", "pie")
    if kind in ("bar", "barh"):
        bars = axes.bar if kind == "bar" else axes.barh
        bars(x, values, s["bar_width"], color=paint[0], alpha=s["alpha"], **edge)
    elif kind in ("line", "lines"):
        for row, colour in zip(np.atleast_2d(values), paint):
            axes.plot(x, row, s["line"], color=colour, marker=s["marker"])
    elif kind == "step":
        axes.step(x, values, color=paint[0], where="mid")
    elif kind == "scatter":
        area = (1.2 * rcParams["lines.markersize"]) ** 2
        axes.scatter(x, values, area, color=paint[0], marker=s["marker"] or "o", **edge)
    elif kind == "area":
        axes.fill_between(x, values, color=paint[0], alpha=s["alpha"])
        if s["marker"]:
            axes.plot(x, values, color=s["ink"], linewidth=axes.spines["left"].get_linewidth() * 1.5)
    elif kind == "hist":
        axes.hist((x[:-1] + x[1:]) / 2, x, weights=values, color=paint[0], alpha=s["alpha"], **edge)
    elif kind == "grouped":
        for k, (row, colour) in enumerate(zip(values, paint)):
            axes.bar(x + (k - 0.5) * 0.4, row, 0.4, color=colour, **edge)
    elif kind == "stacked":
        axes.bar(x, values[0], s["bar_width"], color=paint[0], **edge)
        axes.bar(x, values[1], s["bar_width"], bottom=values[0], color=paint[1], **edge)
    elif kind == "pie":
        wedge = ({"width": 0.5} if s["hole"] else {}) | edge
        parts = axes.pie(values, labels=s["ticks"], colors=paint, startangle=s["start"], wedgeprops=wedge,
                 autopct="%d%%" if s["percent"] else None, pctdistance=0.75 if s["hole"] else 0.6)
        for text, colour in zip(parts[2] if s["percent"] else [], paint):
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


def spec(split, i, seed=7):
    """The sampled chart number `i` of a split ("train" or "test"); each has a random stream of its own."""
    if split not in SPLITS:
        raise ValueError(f"charts have the splits 'train' and 'test', not {split!r}")
    return sample(np.random.default_rng([seed, SPLITS[split], i]))


def truth(split, i, seed=7):
    """What chart number `i` shows, for evaluation only. Nothing is drawn.

    Returns a dict: id, kind, colours (the nearest of the twelve names, one per series or slice), values (a
    list, or two of them), x, limits (of the value axis; None: matplotlib's own), title, xlabel, ylabel (None:
    absent), grid.

        truth("test", 0)["kind"]
    """
    chart = spec(split, i, seed)
    kept = "kind colours values x limits title xlabel ylabel grid".split()
    return {"id": name(split, i)} | {key: chart[key] for key in kept}


def name(split, i):
    """The file stem, and so the id, of chart number `i`: "test-0003"."""
    return f"{split}-{i:04d}"


def write(folder, counts, seed=7):
    """Draw `counts` ({"train": 480, "test": 200}) into `folder`/train and /test. Returns the bytes written.

    Older charts of the same names are replaced. Raises RuntimeError where two images have the same pixels.
    """
    seen, total = {}, 0
    for split, count in counts.items():
        target = Path(folder) / split
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob(f"{split}-[0-9]*.png"):
            old.unlink()
        for i in range(count):
            total += store(draw(spec(split, i, seed)), target, name(split, i), seen)
    return total


def store(image, folder, name, seen):
    """Write `image` as `folder`/`name`.png and remember its pixels in `seen` (dict). Returns the bytes written.

    Raises RuntimeError where `seen` has the same pixels already: splits must not share an image.
    """
    digest = hashlib.sha256(repr(image.size).encode() + image.tobytes()).digest()
    if digest in seen:
        raise RuntimeError(f"{name} has the pixels of {seen[digest]}; give another --seed")
    seen[digest] = name
    packed = io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    (Path(folder) / f"{name}.png").write_bytes(packed.getvalue())
    return packed.tell()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw raw chart images (pictures only) from a seed.")
    parser.add_argument("folder")
    parser.add_argument("--train", type=int, default=480)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    size = write(options.folder, {"train": options.train, "test": options.test}, options.seed)
    print(f"{options.train} + {options.test} charts in {options.folder}, {size / 1e6:.1f} MB")
