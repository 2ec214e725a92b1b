"""How well the pixel judge orders spoilt charts, pages and drawings: `python
tests/benchmarks/bench_judge.py`.

Each target has a ladder of 10 to 13 pictures, from the same one down to a blank page; Kendall's tau-b
compares the order of the scores with the order of the rungs. Beside it: traps made of the target's own
pixels, and the CPU cost.

    --split test    (default) matplotlib and plotly charts from this file's generators, whose styles and kinds
                    the judge was not tuned on, pages and drawings of data/pages/make.py's held-out stream
    --split train   what the judge's constants were tuned on: charts of data/charts/make.py, and the training
                    stream of data/pages/make.py. Never report these
    --only pages    one domain;  --n 8  targets in each;  --size 112  another working size

`<-` marks what misses the ask. Spoilings are made in the source wherever it has the thing to spoil; one
that changes nothing is no rung. Pages and drawings of both splits come from one generator with other seeds.
Left out: real model output and human ranking; the order of the middle rungs is a choice, made before
anything was measured, not a truth."""
import argparse
import colorsys
import itertools
import random
import re
import sys
import time
import warnings
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageFilter, ImageOps
from scipy.stats import kendalltau

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from skimage.metrics import structural_similarity  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from makers import maker  # noqa: E402

from rrvf_lab.judge import PixelJudge  # noqa: E402
from rrvf_lab.judge.spoilings import turned  # noqa: E402
from rrvf_lab.render import Renderer  # noqa: E402

charts, pages = maker("charts"), maker("pages")
SEED = 20261121
KINDS = [
    "histogram",
    "box",
    "heat",
    "steps",
    "stacked area",
    "pie",
    "lollipop",
    "two bars",
    "points",
    "curve",
]
STYLES = ["ggplot", "seaborn-v0_8-whitegrid", "bmh", "dark_background", "fivethirtyeight", "default"]
PALETTES = ["viridis", "plasma", "tab20b", "cool", "autumn", "Accent"]
TEMPLATES = ["plotly", "plotly_white", "plotly_dark", "ggplot2", "seaborn", "simple_white", "presentation"]
TITLES = ["Glacier mass", "Queue length", "Fleet age", "Bike trips", "Solar yield", "Defects per batch",
          "Reading time"]
ROUGH = ["a", "b", "c", "d", "e", "f", "g"]
NO_LEGEND = ("pie", "heat")


# ---- charts in matplotlib -------------------------------------------------------------------------------


def spec(rng):
    return dict(kind=rng.choice(KINDS), style=rng.choice(STYLES), palette=rng.choice(PALETTES),
                title=rng.choice(TITLES), legend=rng.random() < 0.6,
                size=rng.choice([(4.5, 3.5), (6, 4), (7, 3.5), (4, 4.5)]), seed=rng.randrange(9999),
                values=[rng.uniform(2, 20) for _ in range(rng.randint(4, 7))])


def draw(s):
    values, kind = np.array(s["values"]), s["kind"]
    x, names, noise = np.arange(len(values)), ROUGH[:len(values)], np.random.default_rng(s["seed"])
    with plt.style.context(s["style"]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fig, ax = plt.subplots(figsize=s["size"], dpi=80)
        tone = plt.get_cmap(s["palette"])(np.linspace(0.15, 0.85, 7))
        if kind == "histogram":
            ax.hist(np.repeat(x, values.round().astype(int)), bins=len(x), color=tone[2], edgecolor="white",
                    label="runs")
        elif kind == "box":
            box = ax.boxplot([noise.normal(v, v / 5, 40) for v in values], patch_artist=True, label="spread")
            for patch, colour in zip(box["boxes"], tone, strict=False):
                patch.set_facecolor(colour)
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
            ax.scatter(np.repeat(x, 4), np.repeat(values, 4) + noise.normal(0, 1, 4 * len(x)), color=tone[2],
                       label="trial")
        elif kind == "curve":
            ax.plot(x, values, "o--", color=tone[1], label="first")
            ax.plot(x, values[::-1], color=tone[5], label="second")
        ax.set_title(s["title"])
        if kind != "pie":
            ax.set_xlabel("stage"), ax.set_ylabel("amount")
            if s["legend"] and kind != "heat":
                ax.legend()
        fig.tight_layout()
        return _image(fig)


def _image(fig):
    fig.canvas.draw()
    image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
    plt.close(fig)
    return image


def axes(s):
    fig = plt.figure(figsize=s["size"], dpi=80)
    fig.add_subplot()
    return _image(fig)


def moved(image, share=0.06):
    """The same drawing, a little smaller and off to one corner."""
    width, height = image.size
    page = Image.new("RGB", image.size, image.getpixel((0, 0)))
    page.paste(image.resize((round(width * 0.92), round(height * 0.92)), Image.Resampling.LANCZOS),
               (round(width * share), round(height * 0.01)))
    return page


def chart_rungs(s, rng, draw, kinds, palettes, titles, axes, unrelated):
    """(rank, name, picture), best first, of one chart; the same rungs for every generator."""
    target = draw(s)
    slight, heavy = ([v * rng.choice(f) for v in s["values"]] for f in ([0.93, 1.07], [0.3, 0.5, 1.8]))
    colours, title = (rng.choice([p for p in every if p != s[k]])
                      for every, k in ((palettes, "palette"), (titles, "title")))
    alike = {"box", "histogram"}, {"steps", "curve"}
    kind = rng.choice([k for k in kinds if k != s["kind"] and {k, s["kind"]} not in alike])
    yield 8, "same", target
    yield 7, "wrong title", draw(s | dict(title=title))
    if s["legend"] and s["kind"] not in NO_LEGEND:
        yield 6.5, "no legend", draw(s | dict(legend=False))
    yield 6.5, "values slightly off", draw(s | dict(values=slight))
    yield 6, "moved and smaller", moved(target)
    yield 5, "wrong colours", draw(s | dict(palette=colours))
    yield 4.5, "values far off", draw(s | dict(values=heavy))
    yield 3.5, "values and colours", draw(s | dict(values=heavy, palette=colours))
    yield 2.5, "wrong type", draw(s | dict(kind=kind))
    yield (
        1,
        "unrelated",
        unrelated or draw(s | dict(kind=kind, values=heavy[::-1], palette=colours, title=title)),
    )
    yield 0.3, "empty frame", axes(s)
    yield 0, "blank", Image.new("RGB", target.size, target.getpixel((0, 0)))


def matplotlib_ladders(n, split, renderer):
    rng, before = random.Random(SEED), None
    before = draw(spec(rng))
    for _ in range(n):
        ladder = list(chart_rungs(spec(rng), rng, draw, KINDS, PALETTES, TITLES, axes, before))
        before = ladder[0][2]
        yield ladder


# ---- charts in plotly -----------------------------------------------------------------------------------

PLOTLY_KINDS = ["bar", "barh", "line", "points", "area", "pie", "heat", "box", "two bars", "funnel"]
PLOTLY_PALETTES = ["Plotly", "D3", "Set2", "Dark24", "Antique", "Bold"]


def plotly_spec(rng):
    return dict(
        kind=rng.choice(PLOTLY_KINDS),
        template=rng.choice(TEMPLATES),
        palette=rng.choice(PLOTLY_PALETTES),
        title=rng.choice(TITLES),
        legend=rng.random() < 0.6,
        size=rng.choice([(560, 420), (640, 400), (480, 480)]),
        values=[round(rng.uniform(2, 20), 2) for _ in range(rng.randint(4, 7))],
    )


def plotly_program(s):
    v, names = s["values"], ROUGH[:len(s["values"])]
    back = v[::-1]
    traces = {
        "bar": f"go.Bar(x={names}, y={v}, name='runs')",
        "barh": f"go.Bar(x={v}, y={names}, orientation='h', name='runs')",
        "line": f"go.Scatter(x={names}, y={v}, name='first'), go.Scatter(x={names}, y={back}, name='second')",
        "points": f"go.Scatter(x={[i % 5 + i / 9 for i in range(14)]}, y={(v * 4)[:14]}, mode='markers', "
        "name='trial', marker_size=11)",
        "area": f"go.Scatter(x={names}, y={v}, stackgroup='s', name='old'), "
        f"go.Scatter(x={names}, y={back}, stackgroup='s', name='new')",
        "pie": f"go.Pie(labels={names}, values={v}, marker_colors=tone)",
        "heat": f"go.Heatmap(z=[[a * b for a in {v}] for b in {back}], colorscale=tone[:5])",
        "box": ", ".join(
            f"go.Box(y={[a, a * 1.2, a * 0.7, a * 1.1, a * 0.9]}, name='{k}')"
            for a, k in zip(v, names, strict=False)
        ),
        "two bars": f"go.Bar(x={names}, y={v}, name='one'), go.Bar(x={names}, y={back}, name='two')",
        "funnel": f"go.Funnel(y={names}, x={sorted(v, reverse=True)}, name='stage', marker_color=tone[2])",
    }[s["kind"]]
    labels = "" if s["kind"] == "pie" else "xaxis_title='stage', yaxis_title='amount', "
    return (f"import plotly.graph_objects as go\nimport plotly.express as px\n"
            f"tone = px.colors.qualitative.{s['palette']}\nfig = go.Figure([{traces}])\n"
            f"fig.update_layout(template='{s['template']}', title='{s['title']}', colorway=tone, "
            f"{labels}showlegend={s['legend']}, width={s['size'][0]}, height={s['size'][1]})\nfig")


def plotly_ladders(n, split, renderer):
    def draw(s):
        return _drawn(renderer, plotly_program(s), "plotly")

    def axes(s):
        return _drawn(
            renderer,
            "import plotly.graph_objects as go\nfig = go.Figure()\nfig.update_layout(template="
            f"'{s['template']}', width={s['size'][0]}, height={s['size'][1]})\nfig",
            "plotly",
        )

    rng = random.Random(SEED)
    before = draw(plotly_spec(rng))
    for _ in range(n):
        ladder = list(
            chart_rungs(plotly_spec(rng), rng, draw, PLOTLY_KINDS, PLOTLY_PALETTES, TITLES, axes, before)
        )
        before = ladder[0][2]
        yield ladder


def _drawn(renderer, program, language):
    rendering = renderer.render(program, language)
    if rendering.image is None:
        raise RuntimeError(f"a {language} program of this benchmark failed: {rendering.error}")
    return rendering.image


# ---- the charts the judge was tuned on ------------------------------------------------------------------


def training_ladders(n, split, renderer):
    """Charts of data/charts/make.py (train); a palette is one colour, an empty frame holds a white line."""
    def drawn(s):
        top = s["limits"][1] - 0.2 if s["limits"] else np.inf
        values = np.minimum(np.ravel(s["values"]), top).reshape(np.shape(s["rows"])).tolist()
        paint = [s["palette"], *[p for p in s["paint"] if p != s["palette"]]][:len(s["paint"])]
        if s["kind"] == "pie" != s["was"]:
            paint = (paints * 2)[:len(values)]
        return charts.draw(s | dict(values=values, paint=paint, grid=s["grid"] and s["kind"] != "pie"))

    def axes(s):
        return charts.draw(
            s
            | dict(
                kind="line",
                values=[0] * len(s["x"]),
                paint=["#ffffff"],
                title="",
                xlabel=None,
                ylabel=None,
                legend=None,
                ticks=None,
                grid=False,
                marker=None,
            )
        )

    rng, before = random.Random(SEED), None
    paints = [paint[0] for paint in charts.PAINTS.values()]
    kinds = ["bar", "barh", "line", "scatter", "area", "pie", "step"]
    chosen = (s for s in (charts.spec(split, i) for i in range(480)) if s["kind"] in (*kinds, "grouped"))
    for s in itertools.islice(chosen, n):
        s |= dict(
            rows=s["values"], values=np.ravel(s["values"]).tolist(), was=s["kind"], palette=s["paint"][0]
        )
        if s["kind"] != "scatter":
            s["x"] = list(range(1, len(s["x"]) + 1))
        others = ["lines", "stacked"] if s["kind"] == "grouped" else kinds
        ladder = list(chart_rungs(s, rng, drawn, others, paints, list(charts.TITLE_WORDS), axes, before))
        before = ladder[0][2]
        yield ladder


# ---- web pages ------------------------------------------------------------------------------------------


def page_ladders(n, split, renderer):
    def draw(code):
        return _drawn(renderer, code, "html")

    before = draw(pages.code("pages", split, 998))
    for i in range(n):
        code = pages.code("pages", split, i)
        theme = re.search(":root.*?}", code)[0]
        later = (pages.code("pages", split, j) for j in range(i + 1, i + 99))
        other = next(page for page in later if theme not in page)
        ladder = [(rank, name, draw(source)) for rank, name, source in page_rungs(code, other, i)]
        target = ladder[0][2]
        ladder += [
            (1, "unrelated", before),
            (0, "blank", Image.new("RGB", target.size, target.getpixel((0, 0)))),
        ]
        before = target
        yield ladder


def page_rungs(code, other, seed):
    """(rank, name, source); what a model gets wrong on a page: words, a block, place, colours, structure."""
    r = random.Random(seed)
    head, body = code.split("<body>")
    body = body.removesuffix("</body></html>")
    blocks = re.findall(r"<(?:header|section|footer)\b.*?</(?:header|section|footer)>", body, re.S)
    recoloured = re.sub(":root.*?}", re.search(":root.*?}", other)[0], head, count=1)

    def page(body, head=head, css=""):
        return f"{head.replace('</style>', css + '</style>')}<body>{body}</body></html>"

    heading = re.search(r"<(h[123])\b[^>]*>(.*?)</\1>", body)
    words = maker("pages/website").headline(r)
    yield 10, "same", code
    yield 9, "wrong title", page(body[:heading.start(2)] + words + body[heading.end(2):])
    yield 8, "one block missing", page("".join(blocks[:-1]))
    yield 7.5, "moved", page(body, css="body{transform:translate(24px,18px)}")
    yield 6.5, "narrower", page(body, css="body{padding:0 7%}")
    yield 6, "wrong colours", page(body, recoloured)
    yield 5, "half missing", page("".join(blocks[:(len(blocks) + 1) // 2]))
    yield 4, "half missing and colours", page("".join(blocks[:(len(blocks) + 1) // 2]), recoloured)
    yield 3, "no words", page(body, css="*{color:transparent!important}")
    yield 2, "another page in this style", page(other.split("<body>")[1].removesuffix("</body></html>"))
    yield 0.3, "empty frame", page("", css="body{border:1px solid #888;height:560px}")


# ---- drawings -------------------------------------------------------------------------------------------

ELEMENT = re.compile(r"<(?:circle|rect|polygon|path|line|ellipse)\b[^>]*/>|<text\b.*?</text>", re.S)


def drawing_ladders(n, split, renderer):
    """Only drawings of four elements or more: fewer leave no ladder."""
    def draw(code):
        return _drawn(renderer, code, "svg")

    i, done, before = 0, 0, draw(pages.code("drawings", split, 997))
    while done < n:
        code, i = pages.code("drawings", split, i), i + 1
        if len(ELEMENT.findall(code)) < 5:
            continue
        ladder = [(rank, name, draw(source)) for rank, name, source in drawing_rungs(code, i)]
        target = ladder[0][2]
        ladder += [
            (1, "unrelated", before),
            (0, "blank", Image.new("RGB", target.size, target.getpixel((0, 0)))),
        ]
        before, done = target, done + 1
        yield ladder


def drawing_rungs(code, seed):
    r = random.Random(seed)
    width, height = (int(re.search(f'{side}="(\\d+)"', code)[1]) for side in ("width", "height"))
    ground = ELEMENT.search(code)
    head, rest = code[:ground.end()], code[ground.end():].removesuffix("</svg>")
    elements = list(ELEMENT.finditer(rest))

    def without(dropped):
        out = rest
        for element in reversed(dropped):
            out = out[:element.start()] + out[element.end():]
        return out

    def recolour(text, turn=0.4):
        def turned(match):
            h, v, s = colorsys.rgb_to_hls(*(int(match[0][k:k + 2], 16) / 255 for k in (1, 3, 5)))
            return "#" + "".join(
                f"{round(255 * c):02x}" for c in colorsys.hls_to_rgb((h + turn) % 1, v, max(s, 0.5))
            )

        return re.sub("#[0-9a-fA-F]{6}", turned, text)

    def svg(body, place=""):
        return f'{head}<g transform="{place}">{body}</g></svg>'

    def scattered():
        def far(side):
            return round(r.choice((-1, 1)) * r.uniform(0.15, 0.3) * side)
        return ELEMENT.sub(lambda m: f'<g transform="translate({far(width)} {far(height)})">{m[0]}</g>', rest)

    half = without(elements[1::2])
    first = next(e for e in elements if recolour(e[0]) != e[0] and 'fill="#ffffff"' not in e[0])
    yield 10, "same", code
    yield 9, "one element missing", svg(without(elements[-1:]))
    yield 8, "moved", svg(rest, f"translate({width * .05:.0f} {height * .03:.0f})")
    yield 7.5, "one element recoloured", svg(rest[:first.start()] + recolour(first[0]) + rest[first.end():])
    yield 7, "smaller", svg(rest, f"translate({width * .09:.0f} {height * .09:.0f}) scale(.82)")
    yield 6, "wrong colours", svg(recolour(rest))
    yield 5, "half missing", svg(half)
    yield 4, "half missing and colours", svg(recolour(half))
    yield 3, "scattered", svg(scattered())
    yield (
        0.3,
        "empty frame",
        svg(f'<rect x="20" y="20" width="{width - 40}" height="{height - 40}" fill="none" stroke="#222"/>'),
    )


# ---- traps, scores and the table -------------------------------------------------------------------------


def traps(target, seed):
    pixels = np.asarray(target)
    box, flat, size = Image.Resampling.BOX, Image.Resampling.NEAREST, target.size
    yield "black", Image.new("RGB", size)
    yield "mean colour", Image.new("RGB", size, tuple(int(v) for v in pixels.mean((0, 1))))
    yield "noise", Image.fromarray(np.random.default_rng(seed).integers(0, 255, pixels.shape, dtype=np.uint8))
    for name, other in (("mirrored", ImageOps.mirror(target)), ("upside down", ImageOps.flip(target))):
        if turned(target, other):  # a symmetric drawing is the same drawing
            yield name, other
    for cells in (8, 16, 32):
        shape = [max(1, round(cells * side / max(size))) for side in size]
        yield f"mosaic {cells}", target.resize(shape, box).resize(size, flat)
    longest = max(size)
    for share in (0.025, 0.05):
        yield f"blur {share}", target.filter(ImageFilter.GaussianBlur(share * longest))
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


DOMAINS = {
    "test": {
        "matplotlib": (matplotlib_ladders, 20),
        "plotly": (plotly_ladders, 12),
        "pages": (page_ladders, 12),
        "drawings": (drawing_ladders, 12),
    },
    "train": {
        "charts": (training_ladders, 20),
        "pages": (page_ladders, 12),
        "drawings": (drawing_ladders, 12),
    },
}
# name, rungs or traps it looks at, whether higher is better, limit of the mean, limit of the single worst
ASKS = [
    ("identity", ("same",), True, 1.0, 1.0),
    ("blank, solid, empty frame", ("blank", "black", "mean colour", "empty frame"), False, 0.05, 0.05),
    ("mirrored, upside down", ("mirrored", "upside down"), False, 0.35, 0.35),
    ("mosaic of 8 and 16", ("mosaic 8", "mosaic 16"), False, 0.35, 0.35),
    ("mosaic of 32", ("mosaic 32",), False, 0.35, 0.35),
    ("noise", ("noise",), False, 0.35, 0.35),
    ("blur", ("blur 0.025", "blur 0.05"), False, 0.35, 0.35),
    ("wrong title", ("wrong title",), False, 0.93, None),
    ("no legend", ("no legend",), False, 0.93, None),
]
TAU = {"pages": (0.85, None)}  # mean, least; charts and drawings: 0.92, 0.75
BUDGET = 15  # ms of CPU a pair


def measure(ladders, pixel):
    """Scores of every rung and trap by name, taus of the judge and of SSIM, CPU ms of a pair and of a new
    target."""
    scores, taus, plain, cost, fresh = {}, [], [], [], []
    for i, ladder in enumerate(ladders):
        target, found = ladder[0][2], []
        start = time.thread_time()
        pixel.remembered(target)
        fresh.append(1000 * (time.thread_time() - start))
        shown = []
        for rank, name, image in [*ladder, *((None, *trap) for trap in traps(target, i))]:
            if rank is not None and image in shown:  # a spoiling that changed nothing is no rung
                continue
            shown.append(image)
            start = time.thread_time()
            score = pixel(target, image).score
            cost.append(1000 * (time.thread_time() - start))
            scores.setdefault(name, []).append(score)
            found += [(rank, score, ssim(target, image))] if rank is not None else []
        ranks, ours, theirs = zip(*found, strict=True)
        taus.append(kendalltau(ranks, ours).statistic)
        plain.append(kendalltau(ranks, theirs).statistic)
    return scores, taus, plain, cost, fresh


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--split", choices=DOMAINS, default="test")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--n", type=int)
    parser.add_argument("--size", type=int, default=224)
    options = parser.parse_args(argv)
    pixel, rows, every = PixelJudge(options.size), [], []
    with Renderer(timeout=60) as renderer:
        for domain, (ladders, n) in DOMAINS[options.split].items():
            if options.only and domain not in options.only:
                continue
            n = options.n or n
            scores, taus, plain, cost, fresh = measure(ladders(n, options.split, renderer), pixel)
            every += taus
            print(f"\n{domain}, n = {n}: score of each rung and trap, mean (least to highest)")
            for name, values in scores.items():
                print(
                    f"  {name:27}{np.mean(values):.3f}  ({min(values):.3f} to {max(values):.3f}, "
                    f"n = {len(values)})"
                )
            mean, least = TAU.get(domain, (0.92, 0.75))
            rows += [(domain, "tau", np.mean(taus), mean, min(taus), least, True),
                     (domain, "tau of SSIM", np.mean(plain), None, min(plain), None, True)]
            for name, rungs, higher, limit, bound in ASKS:
                found = [scores[rung] for rung in rungs if rung in scores]
                if found:
                    pick = min if higher else max
                    rows.append((domain, name, pick(np.mean(values) for values in found), limit,
                                 pick(v for values in found for v in values), bound, higher))
            rows += [(domain, "CPU ms a pair", np.median(cost), BUDGET, np.max(cost), None, False),
                     (domain, "CPU ms a new target", np.median(fresh), None, np.max(fresh), None, False)]
    print(f"\n{len(every)} targets, judge at {options.size} px; tau over all: mean {np.mean(every):.3f}, "
          f"least {min(every):.3f}")
    print(f"{'':39}{'mean':>8}{'asked':>7}{'worst':>11}{'asked':>7}")
    for domain, name, mean, limit, worst, bound, higher in rows:
        shown = [f"{value:8.3f}{'' if ask is None else f'{ask:g}':>7}"
                 f"{'   ' if ask is None or (value >= ask if higher else value <= ask) else ' <-'}"
                 for value, ask in ((mean, limit), (worst, bound))]
        print(f"{domain:12}{name:27}{''.join(shown)}")


if __name__ == "__main__":
    main()
