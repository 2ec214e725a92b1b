"""How well the pixel judge orders spoiled charts, beside SSIM: `python tests/benchmarks/bench_judge.py [targets] [size]`.

Charts are made by this file's own generator (dark and gray styles, histograms, box plots, heat maps, step lines,
stacked areas, pies), which was not used to set the judge's constants. Prints the mean score of each rung,
Kendall's tau-b per target against the order of the rungs, the traps, and the CPU cost per pair.
Left out: real model output and human ranking; the order of the middle rungs is a choice, not a truth.
"""
import random
import sys
import time
import warnings

import matplotlib
import numpy as np
from PIL import Image, ImageFilter, ImageOps
from scipy.stats import kendalltau

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from skimage.metrics import structural_similarity  # noqa: E402

from rrvf_lab.judge import PixelJudge  # noqa: E402

KINDS = ["histogram", "box", "heat", "steps", "stacked area", "pie", "lollipop", "two bars", "points", "curve"]
STYLES = ["ggplot", "seaborn-v0_8-whitegrid", "bmh", "dark_background", "fivethirtyeight", "default"]
PALETTES = ["viridis", "plasma", "tab20b", "cool", "autumn", "Accent"]
TITLES = ["Glacier mass", "Queue length", "Fleet age", "Bike trips", "Solar yield", "Defects per batch", "Reading time"]
ROUGH = ["a", "b", "c", "d", "e", "f", "g"]


def spec(rng):
    return dict(kind=rng.choice(KINDS), style=rng.choice(STYLES), palette=rng.choice(PALETTES), title=rng.choice(TITLES),
                legend=rng.random() < 0.6, size=rng.choice([(4.5, 3.5), (6, 4), (7, 3.5), (4, 4.5)]), seed=rng.randrange(9999),
                values=[rng.uniform(2, 20) for _ in range(rng.randint(4, 7))], place=None)


def draw(s):
    values, kind = np.array(s["values"]), s["kind"]
    x, names, noise = np.arange(len(values)), ROUGH[:len(values)], np.random.default_rng(s["seed"])
    with plt.style.context(s["style"]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fig, ax = plt.subplots(figsize=s["size"], dpi=80)
        tone = plt.get_cmap(s["palette"])(np.linspace(0.15, 0.85, 7))
        if kind == "histogram":
            ax.hist(np.repeat(x, values.round().astype(int)), bins=len(x), color=tone[2], edgecolor="white", label="runs")
        elif kind == "box":
            box = ax.boxplot([noise.normal(v, v / 5, 40) for v in values], patch_artist=True, label="spread")
            [patch.set_facecolor(c) for patch, c in zip(box["boxes"], tone)]
        elif kind == "heat":
            ax.imshow(np.outer(values, values[::-1]), cmap=s["palette"], aspect="auto")
        elif kind == "steps":
            ax.step(x, values, color=tone[4], lw=2.5, where="mid", label="level")
        elif kind == "stacked area":
            ax.stackplot(x, values, values[::-1], colors=tone[[1, 5]], labels=["old", "new"])
        elif kind == "pie":
            ax.pie(values, labels=names, colors=tone)
        elif kind == "lollipop":
            ax.stem(x, values, label="gap")
            ax.collections[0].set_color(tone[3]), ax.lines[0].set_color(tone[3])
        elif kind == "two bars":
            ax.bar(x, values, 0.4, color=tone[1], label="one")
            ax.bar(x + 0.4, values[::-1], 0.4, color=tone[5], label="two")
        elif kind == "points":
            ax.scatter(np.repeat(x, 4), np.repeat(values, 4) + noise.normal(0, 1, 4 * len(x)), color=tone[2], label="trial")
        elif kind == "curve":
            ax.plot(x, values, "o--", color=tone[1], label="first")
            ax.plot(x, values[::-1], color=tone[5], label="second")
        ax.set_title(s["title"])
        if kind != "pie":
            ax.set_xlabel("stage"), ax.set_ylabel("amount")
            if s["legend"] and kind != "heat":
                ax.legend()
        fig.tight_layout()
        if s["place"]:
            ax.set_position(s["place"])
        fig.canvas.draw()
        image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
        plt.close(fig)
        return image


def moved(image, share=0.06):
    """The same drawing, a little smaller and off to one corner."""
    corner = image.getpixel((0, 0))
    width, height = image.size
    page = Image.new("RGB", image.size, corner)
    page.paste(image.resize((round(width * 0.92), round(height * 0.92)), Image.Resampling.LANCZOS),
               (round(width * share), round(height * 0.01)))
    return page


def rungs(s, rng, unrelated):
    """(rank, name, picture), best first."""
    target = draw(s)
    slight, heavy = ([v * rng.choice(f) for v in s["values"]] for f in ([0.93, 1.07], [0.3, 0.5, 1.8]))
    colours = rng.choice([p for p in PALETTES if p != s["palette"]])
    title = rng.choice([t for t in TITLES if t != s["title"]])
    others = [k for k in KINDS if k != s["kind"] and {k, s["kind"]} not in ({"box", "histogram"}, {"steps", "curve"})]
    empty = plt.figure(figsize=s["size"], dpi=80)
    empty.add_subplot()
    empty.canvas.draw()
    axes = Image.fromarray(np.asarray(empty.canvas.buffer_rgba())[..., :3].copy())
    plt.close(empty)
    yield 8, "same", target
    yield 7, "wrong title", draw(s | dict(title=title))
    if s["legend"] and s["kind"] not in ("pie", "heat"):
        yield 6.5, "no legend", draw(s | dict(legend=False))
    yield 6.5, "values slightly off", draw(s | dict(values=slight))
    yield 6, "moved and smaller", moved(target)
    yield 5, "wrong colours", draw(s | dict(palette=colours))
    yield 4.5, "values far off", draw(s | dict(values=heavy))
    yield 3.5, "values and colours", draw(s | dict(values=heavy, palette=colours))
    yield 2.5, "wrong type", draw(s | dict(kind=rng.choice(others)))
    yield 1, "unrelated chart", unrelated
    yield 0.3, "empty axes", axes
    yield 0, "blank", Image.new("RGB", target.size, target.getpixel((0, 0)))


def traps(target, seed):
    pixels = np.asarray(target)
    box, flat, size = Image.Resampling.BOX, Image.Resampling.NEAREST, target.size
    yield "black", Image.new("RGB", size)
    yield "mean colour", Image.new("RGB", size, tuple(int(v) for v in pixels.mean((0, 1))))
    yield "noise", Image.fromarray(np.random.default_rng(seed).integers(0, 255, pixels.shape, dtype=np.uint8))
    yield "mirrored", ImageOps.mirror(target)
    yield "upside down", ImageOps.flip(target)
    yield "mosaic 8", target.resize((8, 8), box).resize(size, flat)
    yield "mosaic 16", target.resize((16, 16), box).resize(size, flat)
    yield "mosaic 32", target.resize((32, 32), box).resize(size, flat)
    yield "blur 8", target.filter(ImageFilter.GaussianBlur(8))
    yield "blur 16", target.filter(ImageFilter.GaussianBlur(16))
    tile, page = target.resize((size[0] // 2, size[1] // 2)), Image.new("RGB", size)
    for x in (0, size[0] // 2):
        for y in (0, size[1] // 2):
            page.paste(tile, (x, y))
    yield "tiled 2 by 2", page
    yield "scaled 0.75", target.resize((size[0] * 3 // 4, size[1] * 3 // 4), Image.Resampling.LANCZOS)
    yield "scaled 1.5", target.resize((size[0] * 3 // 2, size[1] * 3 // 2), Image.Resampling.LANCZOS)


def ssim(target, image):
    a, b = (np.asarray(i.convert("L").resize((224, 168), Image.Resampling.BILINEAR)) for i in (target, image))
    return structural_similarity(a, b)


def main(targets=30, size=224, seed=20261121):
    rng, pixel = random.Random(seed), PixelJudge(size)
    metrics = {"judge": lambda a, b: pixel(a, b).score, "ssim": ssim}
    scores = {m: {} for m in metrics}
    taus, cost = {m: [] for m in metrics}, {m: [] for m in metrics} | {"feedback": []}
    unrelated = draw(spec(rng))
    for i in range(targets):
        ladder = list(rungs(spec(rng), rng, unrelated))
        target = unrelated = ladder[0][2]
        start = time.thread_time()
        pixel(target, target)
        cost.setdefault("target", []).append(time.thread_time() - start)
        for metric, function in metrics.items():
            found = []
            for rank, name, image in [*ladder, *((None, *t) for t in traps(target, i))]:
                start = time.thread_time()
                value = function(target, image)
                cost[metric].append(time.thread_time() - start)
                scores[metric].setdefault(name, []).append(value)
                found += [(rank, value)] if rank is not None else []
            taus[metric].append(kendalltau(*zip(*found)).statistic)
        start = time.thread_time()
        pixel.feedback(target, ladder[4][2])
        cost["feedback"].append(time.thread_time() - start)
    print(f"{targets} targets, judge at {size} px, seed {seed}\n{'':22}{'judge':>8}{'(max)':>8}{'SSIM':>8}{'(max)':>8}")
    for name, values in scores["judge"].items():
        other = scores["ssim"][name]
        print(f"{name:22}{np.mean(values):8.3f}{np.max(values):8.3f}{np.mean(other):8.3f}{np.max(other):8.3f}")
    for metric, values in taus.items():
        print(f"tau {metric}: mean {np.mean(values):.3f}, least {np.min(values):.3f}")
    for name, values in cost.items():
        print(f"CPU ms {name}: median {1000 * np.median(values):.1f}")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3]))
