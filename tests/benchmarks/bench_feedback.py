"""How often the first sentence of the feedback names the one thing that is wrong.

    python tests/benchmarks/bench_feedback.py --n 40 --seed 0 --show

Charts of this file's own generator (matplotlib in five styles, nine kinds, one or two series; neither those
of data/charts nor the nano model's dialect), each with every single error it can have. Named means that the
first sentence is the one the vocabulary has for that error, with the right colour or direction. "Anywhere"
counts the other sentences as well. `--show` prints what was said instead.

Left out: two errors at once, a missing bar among many, subplots, and whether the sentence helps a model to
repair. """
import argparse
import random
import warnings
from collections import defaultdict

import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from rrvf_lab.judge import PixelJudge  # noqa: E402
from rrvf_lab.judge.shades import NAMED_COLOURS  # noqa: E402

KINDS = ["bar", "barh", "line", "two lines", "grouped", "stacked", "scatter", "area", "step"]
TWO = ("two lines", "grouped", "stacked")
STYLES = ["default", "seaborn-v0_8-white", "seaborn-v0_8-ticks", "classic", "grayscale"]
PAINTS = ["red", "blue", "green", "orange", "purple", "teal", "gold", "brown", "magenta", "navy"]
TITLES = ["Lake level", "Late trains", "Bread prices", "Server load", "Catch by port", "Pollen count"]
XLABELS, YLABELS = ["station", "quarter", "cohort", "depth"], ["metres", "minutes", "share", "pieces"]
NAMES = ["Ann", "Ben", "Cy", "Dora", "Eli", "Fay", "Gus"]
ASKED = 0.8


def spec(rng):
    kind, n = rng.choice(KINDS), rng.randint(3, 7)
    rows = 2 if kind in TWO else 1
    return dict(
        kind=kind,
        style=rng.choice(STYLES),
        title=rng.choice(TITLES),
        x=rng.choice(XLABELS),
        y=rng.choice(YLABELS),
        values=[[round(rng.uniform(2, 9), 1) for _ in range(n)] for _ in range(rows)],
        top=10 * rows if kind == "stacked" else 10,
        paint=rng.sample(PAINTS, rows),
        legend=rng.random() < 0.6,
        grid=rng.random() < 0.3,
        named=rng.random() < 0.5,
        font=rng.choice([9, 10, 12]),
        size=rng.choice([(5, 4), (6, 4), (6.4, 4.8), (7, 4.2)]),
        place=(0.14, 0.16, 0.8, 0.72),
    )


def draw(s):
    kind, values, x = s["kind"], s["values"], np.arange(len(s["values"][0]))
    paint = [tuple(channel / 255 for channel in NAMED_COLOURS[name][0]) for name in s["paint"]]
    with plt.style.context(s["style"]), plt.rc_context({"font.size": s["font"]}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fig = plt.figure(figsize=s["size"], dpi=90, facecolor="white")
        ax = fig.add_axes(s["place"])
        below = np.zeros(len(x))
        for k, (row, colour) in enumerate(zip(values, paint, strict=False)):
            label = ["plan", "done", "spare"][k]
            if kind == "bar":
                ax.bar(x, row, 0.7, color=colour, label=label)
            elif kind == "barh":
                ax.barh(x, row, 0.7, color=colour, label=label)
            elif kind == "grouped":
                ax.bar(x + 0.4 * k, row, 0.4, color=colour, label=label)
            elif kind == "stacked":
                ax.bar(x, row, 0.6, below, color=colour, label=label)
                below = below + row
            elif kind == "scatter":
                ax.scatter(x, row, 60, color=colour, label=label)
            elif kind == "area":
                ax.fill_between(x, row, color=colour, label=label)
            elif kind == "step":
                ax.step(x, row, color=colour, lw=2.5, where="mid", label=label)
            else:
                ax.plot(x, row, color=colour, lw=2.5, label=label)
        (ax.set_xlim if kind == "barh" else ax.set_ylim)(0, 1.25 * s["top"])
        ax.set_title(s["title"]), ax.set_xlabel(s["x"]), ax.set_ylabel(s["y"])
        if s["named"]:
            (ax.set_yticks if kind == "barh" else ax.set_xticks)(x, NAMES[:len(x)])
        ax.grid(s["grid"])
        if s["legend"]:
            ax.legend(loc="upper right")
        fig.canvas.draw()
        image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
        plt.close(fig)
        return image


def errors(s, rng):
    """(error, spoilt chart, sentences of which the first should be one) for every error this chart can
    have."""
    other = rng.choice([p for p in PAINTS if p not in s["paint"]])
    at = rng.randrange(len(s["paint"]))
    yield ("colour", s | dict(paint=[other if k == at else p for k, p in enumerate(s["paint"])]),
           ["Colour "])
    for error, key, words, said in (("title", "title", TITLES, "Title"), ("x label", "x", XLABELS, "X label"),
                                    ("y label", "y", YLABELS, "Y label")):
        yield error, s | {key: rng.choice([w for w in words if w != s[key]])}, [f"{said} differs."]
    yield "grid", s | dict(grid=not s["grid"]), ["Grid on." if s["grid"] else "Grid off."]
    if s["legend"]:
        yield "legend removed", s | dict(legend=False), ["Legend missing."]
    else:
        yield "legend added", s | dict(legend=True), ["Extra legend."]
    for up in (False, True):
        row, i = rng.randrange(len(s["values"])), rng.randrange(len(s["values"][0]))
        values = [list(v) for v in s["values"]]
        values[row][i] = round(values[row][i] * (rng.uniform(1.3, 1.6) if up else rng.uniform(0.4, 0.7)), 1)
        yield f"one value {'higher' if up else 'lower'}", s | dict(values=values), ["Change "]
    groups = (("bar", "barh", "line", "scatter", "area", "step"), TWO)
    kinds = next(group for group in groups if s["kind"] in group)
    yield "type", s | dict(kind=rng.choice([k for k in kinds if k != s["kind"]])), ["Type "]
    left, low, wide, high = s["place"]
    way = rng.choice(["left", "right", "up", "down"])
    step = {"left": (-0.06, 0), "right": (0.055, 0), "up": (0, 0.055), "down": (0, -0.06)}[way]
    yield "shifted", s | dict(place=(left + step[0], low + step[1], wide, high)), [f"Shifted {way}."]
    yield "smaller", s | dict(place=(left + 0.1, low + 0.1, wide * 0.75, high * 0.75)), ["Too small."]
    yield "aspect", s | dict(size=(s["size"][0], s["size"][1] * rng.choice([0.75, 1.3]))), ["Aspect differs."]
    if s["kind"] in ("two lines", "grouped", "stacked"):
        yield ("series missing", s | dict(values=s["values"][:1], paint=s["paint"][:1]),
               ["Type ", "Colour ", "Change "])
    if s["kind"] == "two lines":
        more = [round(rng.uniform(2, 9), 1) for _ in s["values"][0]]
        yield ("series extra", s | dict(values=[*s["values"], more], paint=[*s["paint"], other]),
               ["Type ", "Colour ", "Change "])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    rng, judge, named = random.Random(options.seed), PixelJudge(), defaultdict(list)
    for _ in range(options.n):
        s = spec(rng)
        target = draw(s)
        for error, spoilt, right in errors(s, rng):
            feedback = judge.feedback(target, draw(spoilt))
            named[error].append(
                (any(feedback.startswith(r) for r in right), any(r in feedback for r in right))
            )
            if options.show and not named[error][-1][0]:
                print(f"{error:17}{s['kind']:10}{s['style']:20}wanted {' or '.join(right)} got: {feedback}")
    every = [hit for hits in named.values() for hit in hits]
    print(f"{options.n} charts, {len(every)} single errors, seed {options.seed}")
    print(f"{'':17}{'first':>7}{'anywhere':>10}{'n':>6}")
    for error, hits in [*named.items(), ("all", every)]:
        first, anywhere = np.mean(hits, 0)
        print(f"{error:17}{first:7.0%}{anywhere:10.0%}{len(hits):6}{'' if first >= ASKED else '  <-'}")


if __name__ == "__main__":
    main()
