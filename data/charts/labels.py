"""The raw charts with labels, each said in the embedded model's language as well as it goes: the highest
score that this language can reach, and what a supervised rival of RRVF may imitate.

    python data/charts/labels.py                            # the score: data/charts/test, 160 charts
    python data/charts/labels.py --split train --n 40
    python data/charts/labels.py --output runs/labels       # rollouts that draw each training chart as it is

What a chart shows and how it looks is sampled again from make.py, translated field by field, drawn at the
chart's width and judged: what a policy of this language would score that saw everything. Shades go to the
nearest word by CIEDE2000, sizes to the nearest the language has, values to the nearest tenth. No training on
images alone ever reads this.

Left out: a search for what scores best, which would find a little more.
"""

import argparse
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from rrvf_lab.data import load_images
from rrvf_lab.nano.dialect import (
    COLOUR_WORDS,
    LINE_WIDTHS,
    PAPERS,
    SHADES,
    SIZES,
    STEPS,
    TICK_NAMES,
    TITLE_SIZES,
    TOPS,
    WIDTHS,
    Chart,
    Look,
    plain,
    program,
    thought,
)
from rrvf_lab.nano.fields import axis
from rrvf_lab.play import play
from rrvf_lab.policy import Recording
from rrvf_lab.records import Recorder
from rrvf_lab.talk import write_turn

_spec = spec_from_file_location("make_charts", Path(__file__).with_name("make.py"))
charts = module_from_spec(_spec)
_spec.loader.exec_module(charts)
POINTS = 4 * 72 / 224  # in a picture four inches wide, of a pixel at a width of 224


def said(spec) -> Chart:
    """The chart of the language that is nearest to a `spec` of data/charts/make.py."""
    kind = kind_of(spec)
    fixed = spec["limits"] or spec["legend"]
    top = "10" if kind == "pie" else _nearest_top(value_axis(spec)[1] if fixed else _highest(spec) / 0.9)
    grid = f"{'both' if spec['grid_axis'] == 'both' else 'value'} {spec['grid_line']}"
    return plain(Chart(
        kind, tuple(nearest_word(paint, (*COLOUR_WORDS, *SHADES)) for paint in spec["paint"]),
        _slices(spec["values"]) if kind == "pie" else _digits(tenths(spec)),
        spec["title"], spec["xlabel"] or "", spec["ylabel"] or "", grid if spec["grid"] else "",
        _ticks(spec["ticks"]), top, _look(spec)))


def nearest_word(paint, words) -> str:
    """The colour word that looks most like a paint. Example: `nearest_word("#e41a1c", ["red", "blue"])`."""
    seen = _lab([paint])
    return words[deltaE_ciede2000(seen, _lab(words)).argmin()]


def _lab(paints):
    return rgb2lab(np.array([[to_rgb(paint) for paint in paints]]))[0]


def kind_of(spec) -> str:
    """The language's word for the kind of a spec."""
    return {"grouped": "group"}.get(spec["kind"], spec["kind"])


def tenths(spec) -> list[list[float | None]]:
    """Rows of values in tenths of the axis they are drawn on, unrounded; of a scatter nine places, None where
    there is no point."""
    low, high = value_axis(spec)
    rows = [[10 * (value - low) / (high - low) for value in row] for row in _rows(spec)]
    return [_places(spec, rows[0])] if spec["kind"] == "scatter" else rows


def value_axis(spec) -> tuple[float, float]:
    """Ends of the value axis; a legend has room above the data."""
    low, high = spec["limits"] or axis(kind_of(spec), _rows(spec))
    return low, high if spec["limits"] or not spec["legend"] else 1.2 * high


def _rows(spec):
    return spec["values"] if isinstance(spec["values"][0], list) else [spec["values"]]


def _highest(spec):
    rows = _rows(spec)
    return max(map(sum, zip(*rows, strict=True))) if spec["kind"] == "stacked" else max(map(max, rows))


def _places(spec, values):
    """A scatter's values at nine places; where two points share one, the next of them moves on."""
    x, out = spec["x"], [None] * 9
    first, last = spec["limits"] or (min(x) - (max(x) - min(x)) / 20, max(x) + (max(x) - min(x)) / 20)
    taken = [_digit(10 * (at - first) / (last - first)) for at in x]
    for i in range(1, len(taken)):
        taken[i] = max(taken[i], taken[i - 1] + 1)
    for i in range(len(taken)):
        out[min(taken[i], 10 - len(taken) + i) - 1] = values[i]
    return out


def _digits(rows):
    return tuple(tuple(0 if value is None else _digit(value) for value in row) for row in rows)


def _digit(value):
    return min(9, max(1, round(value)))


def _slices(values):
    most = max(values)
    return (tuple(values if most <= 9 else [_digit(9 * value / most) for value in values]),)


def _ticks(names):
    return next((key for key, known in TICK_NAMES.items() if names and names[0] == known[0]), "")


def _nearest(value, known):
    return min(known, key=lambda word: abs(float(word) - value))


def _nearest_top(value):
    return min(TOPS, key=lambda word: abs(np.log(float(word) / value)))


def _look(spec):
    letter = POINTS * (1.12 if spec["font"] == "STIXGeneral" else 1)
    edge = spec["marker"] and "black" if spec["kind"] == "area" else spec["edge"]
    return Look(
        aspect=spec["aspect"], font=spec["font"], size=_nearest(spec["font_px"] * letter, SIZES),
        title_size=_nearest(spec["title_px"] * letter, TITLE_SIZES), bold=spec["title_weight"] == "bold",
        left=spec["title_place"] == "left", ink="black" if spec["ink"] == "black" else "0.27",
        paper="white" if spec["paper"] == "white" else nearest_word(spec["paper"], PAPERS[1:]),
        spines=spec["spines"], edge=edge or "", width=_nearest(spec["bar_width"], WIDTHS), line=spec["line"],
        line_width=_nearest(spec["line_px"] * POINTS, LINE_WIDTHS), marker=spec["marker"] or "",
        steps=_nearest(spec["steps"], STEPS), legend=tuple(spec["legend"] or ()), hole=spec["hole"],
        percent=spec["percent"], start=spec["start"])


def labelled(split="test", n=160, start=0):
    """The first charts of a split as rollouts (with their kind in `info`) that draw each as well as the
    language can, and choose that."""
    images = load_images(f"data/charts/{split}")
    for i in range(start, min(start + n, len(images))):
        row = images[i]
        spec = charts.spec(split, int(row["id"].split("-")[1]))
        chart = said(spec)
        turns = [write_turn(thought(chart), program(chart)), write_turn("Looks right.", answer="turn 1")]
        rollout = play(Recording(turns), row)
        rollout.info["kind"] = spec["kind"]
        yield rollout


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--split", choices=("train", "test"))
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--n", type=int)
    parser.add_argument("--output", help="record them in this folder instead of printing what they score")
    options = parser.parse_args()
    split = options.split or ("train" if options.output else "test")
    found = list(labelled(split, options.n or (480 if options.output else 160), options.start))
    if options.output:
        Recorder(options.output).write("labels", found)
        return
    for kind in ["all", *charts.KIND_SHARES]:
        scores = [one.reward.vision for one in found if kind in ("all", one.info["kind"])]
        if scores:
            print(f"{kind:8} {np.mean(scores):.3f}  lowest {min(scores):.2f}  (n = {len(scores)})")
    print(f"programs that failed: {sum(not one.ran for one in found)}")


if __name__ == "__main__":
    main()
