"""ChartMimic's four low-level scores: F1 of text, layout, type and colour between a reference and a candidate program.

The benchmark (arXiv 2406.09961) compares what two programs did, not their pictures. Both are run once in our sandbox
with listeners on matplotlib; what was heard comes back as the pixels of a small figure, so that no hook is
needed there.

    text    every string drawn, after the ticks of all axes were removed; a multiset, position ignored
    layout  the place in a grid (rows, columns, first and last of both) of each axes that has one; a multiset
    type    outermost plotting calls by name; a multiset
    colour  a set of (plotting call, final colour or colormap's name); inside each call the best one-to-one assignment
            of max(0, 1 - dE2000 / 100); more than ten colours are thinned first: none within 0.3 of an earlier
            one stays

Precision divides by what the candidate has, recall by what the reference has. Names of calls are those of matplotlib
3.8.4, which the benchmark pins: 2-D and 3-D `scatter` share one name there, and so do the two `bar`s, Ellipse
and Circle.

Where the official evaluators (github ChartMimic/ChartMimic and its copy in VLMEvalKit) fall over, we differ.
Each place, with its effect:

    stale-score       chart_type_evaluator, `_calculate_metrics`: no plotting call in the candidate -> returns at once,
                      and the score is that of the item before (the copy makes fresh evaluators: 0, as here)
    stuck-flag        both *_prefix files, `in_decorator`: set without try/finally. After a call that raises and is
                      caught, nothing more is counted
    crash-on-colour   color_evaluator_prefix: a colour it cannot convert (a bar recoloured by name: it reads the letters
                      of `_original_facecolor`; a venn region without patch; an empty collection) raises inside the
                      program or at its end, the log is missing, and the whole colour score is 0
    seen-once         color_evaluator_prefix, `drawed_objects`: artists of one call and one first colour replace each
                      other, so of boxes recoloured later only the last counts. Deterministic, so kept: published
                      numbers have it
    hash-order        `filter_color` thins a set in hash order: with more than ten colours the score changes from run to
                      run. Here in sorted order
    pdf-twice         text_evaluator: a PDF that the program writes itself (`fig.savefig("a.pdf")`) is heard as well,
                      ticks included. Here only the figure that is evaluated
    first-savefig     text_evaluator: the code that removes ticks is pasted before the first text "plt.savefig"; inside
                      an indented block the script no longer compiles, and text is 0. Here at the first call
    empty-reference   color_evaluator: no colour in the reference divides by zero unless the path has "box" in it.
                      Here 0
    lines-lost        the copy's color_evaluator_prefix with matplotlib 3.11: the method that makes lines was renamed,
                      the copy hears it and then does not read it, so `plot` has no colours and such charts score 0
    permutations      color_evaluator tries all permutations; the Hungarian method finds the same maximum

The harness is part of a number, so its choices are arguments: `cut` (drop all from the first `plt.savefig(` or
`plt.show(`, as both harnesses do, whatever follows), `graph` (networks: every axes counts as the same place),
`subclasses` (the original and its copy differ), `failures` of `summarise` (0 over all items as published, or only those
that ran), the judge's `swap`.

A candidate can forge what is heard about itself, there as here; it never sees the reference.
Needs squarify and matplotlib-venn for programs that use them.

Left out: ChartMimic's legend and grid scores (the harness does not report them), seaborn's own objects (they arrive as
the matplotlib calls they make), its judge's exact words and the unpacking of answers ("Score: 91/100").
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..render.renderer import shared

PARTS = ("text", "layout", "type", "color")
WIDTH = 256               # pixels in a row of the figure that carries the facts
THIN_ABOVE, THIN_AT = 10, 0.7
MOST = 5000               # colours of one program: more would take minutes to compare, which a hostile one may want


def _observe(code, labels, subclasses, width):
    """Run a program, listen, and leave what was heard as a figure. This function's source runs inside the sandbox."""
    import functools
    import importlib
    import json
    import traceback

    import matplotlib
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.axes._base import _process_plot_var_args
    from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
    from matplotlib.colors import to_hex, to_rgba
    from matplotlib.figure import Figure
    from matplotlib.image import NonUniformImage
    from matplotlib.patches import Circle, Ellipse, PathPatch
    from matplotlib.projections.polar import PolarAxes
    from matplotlib.text import Text
    from mpl_toolkits.mplot3d import Axes3D

    types, painted, texts, unread, inside = {}, {}, None, [], {"type": False, "colour": False}

    class Name(str):
        """A colormap's name, where others have colours."""

    def hexed(colour):
        if isinstance(colour, Name):
            return str(colour)
        if isinstance(colour, str) and colour[:1] == "#" and len(colour) in (7, 9):
            return colour.upper()
        return to_hex(to_rgba(colour)).upper()

    # How to read the colours of what a call made: a function per artist (or group of them) that gives them, also later.
    def each(get, artists):
        return [lambda a=a: [get(a)] for a in artists]

    def face(artist):
        return artist.get_facecolor()

    def first_face(artist):
        return artist.get_facecolor()[0]

    def faces(self, made, given):
        return [lambda: list(made.get_facecolor())]

    def edges(self, made, given):
        return [lambda: list(made.get_edgecolor())]

    def one_line(self, made, given):
        return each(lambda a: a.get_color(), [made])

    def lines(self, made, given):
        return each(lambda a: a.get_color(), made)

    def patches(self, made, given):
        return each(face, made)

    def one_patch(self, made, given):
        return each(face, [made])

    def one_face(self, made, given):
        return each(first_face, [made] if len(made.get_facecolor()) else [])

    def cmap_or(otherwise):
        def read(self, made, given):
            named = given.get("cmap")
            if named is not None:
                return [lambda: [Name(named if isinstance(named, str) else named.name)]]
            return otherwise(self, made, given)
        return read

    def colormap(self, made, given):
        return [lambda: [Name((self if made is None else made).get_cmap().name)]]

    def bars_of_histogram(self, made, given):
        several = type(made[2]) is matplotlib.cbook.silent_list
        return each(face, [p for group in made[2] for p in group] if several else made[2])

    def of(artist, kind):
        return isinstance(artist, kind) if subclasses else type(artist) is kind

    def exactly(kind):
        return lambda self, made, given: each(face, [self] if of(self, kind) else [])

    def regions(self, made, given):
        return [lambda: [p.get_facecolor() for p in self.patches if p is not None]]

    def edges_of_graph(self, made, given):
        return [lambda: [a.get_facecolor() for a in made]] if isinstance(made, list) else edges(self, made, given)

    def listen(owner, name, kind=None, colour=None, read=None):
        """Note the calls of `owner.name`: under `kind` for types, with what `read` finds under `colour` for colours."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def heard(*args, **given):
            polar = bool(args) and of(args[0], PolarAxes)
            type_here = kind and not inside["type"]
            colour_here = colour and not inside["colour"]
            if type_here:
                known = "polar plot" if polar and name == "plot" else kind
                types[known] = types.get(known, 0) + 1
                inside["type"] = True
            if colour_here:
                inside["colour"] = True
            try:
                made = function(*args, **given)
                if colour_here:
                    known = "polar " + colour if polar and name == "scatter" else colour
                    try:
                        for colours in read(args[0] if args else None, made, given):
                            first = [hexed(c) for c in colours()]
                            if first:
                                painted[known, first[-1]] = colours
                    except Exception:
                        unread.append(known)
                return made
            finally:
                if type_here:
                    inside["type"] = False
                if colour_here:
                    inside["colour"] = False
        setattr(owner, name, heard)

    plain = {  # call: how to read its colours
        "scatter": cmap_or(one_face), "axhline": one_line, "axvline": one_line, "axhspan": one_patch,
        "axvspan": one_patch, "hlines": edges, "vlines": edges, "bar": patches, "hist": bars_of_histogram,
        "quiver": faces,
        "pie": lambda self, made, given: each(face, made[0]), "fill": patches, "broken_barh": faces,
        "boxplot": lambda self, made, given: each(face, [b for b in made["boxes"] if type(b) is PathPatch]),
        "violinplot": lambda self, made, given: each(first_face, made["bodies"]),
        "imshow": colormap, "pcolor": colormap, "contour": colormap, "contourf": colormap, "tripcolor": colormap}
    for name, read in plain.items():
        listen(Axes, name, name, name, read)
    for name in ("barh", "plot", "errorbar", "violin", "fill_between", "fill_betweenx"):
        listen(Axes, name, name)
    listen(Axes, "_fill_between_x_or_y", None, "fill_between", one_face)
    listen(_process_plot_var_args, "_make_line" if hasattr(_process_plot_var_args, "_make_line") else "_makeline", None,
           "line", lambda self, made, given: each(lambda a: a.get_color(), made[:1]))
    listen(PolarAxes, "plot", None, "polar plot", lambda self, made, given:
           lines(self, made, given) if of(self, PolarAxes) else [])
    for name, kind, read in (("scatter", "scatter", cmap_or(faces)), ("plot", "3-D plot", lines),
                             ("bar", "bar", patches), ("plot_surface", "plot_surface", cmap_or(one_face)),
                             ("bar3d", "bar3d", one_face), ("add_collection3d", "add_collection3d", faces)):
        listen(Axes3D, name, kind, "3-D " + name, read)
    listen(NonUniformImage, "__init__", "NonUniformImage", "NonUniformImage", colormap)
    listen(Ellipse, "__init__", "ellipse", "ellipse", exactly(Ellipse))
    listen(Circle, "__init__", "ellipse", "ellipse", exactly(Circle))
    graphs = "network" "x"               # in one word it would put every program into the renderer's slow lane
    for library, owner, name, read in (
            ("squarify", "", "plot", lambda self, made, given: each(face, [b for c in made.containers for b in c])),
            ("matplotlib_venn._common", "VennDiagram", "__init__", regions),
            (graphs + ".drawing.nx_pylab", "", "draw_networkx_nodes", faces),
            (graphs + ".drawing.nx_pylab", "", "draw_networkx_edges", edges_of_graph),
            (graphs + ".drawing.nx_pylab", "", "draw_networkx_labels", lambda self, made, given:
             each(lambda a: a.get_color(), made.values()))):
        if library.partition(".")[0] not in code:            # they take longer to load than most charts to draw
            continue
        try:
            module = importlib.import_module(library)
        except ImportError:                                  # the program meets the same error, and says so
            continue
        called = f"{library.partition('.')[0]} {name}"
        listen(getattr(module, owner) if owner else module, name, called, called, read)
        if name.startswith("draw_"):
            setattr(importlib.import_module(graphs), name, getattr(module, name))

    draw_text = RendererAgg.draw_text

    def noting(self, gc, x, y, s, *rest, **given):
        texts.append(s)
        return draw_text(self, gc, x, y, s, *rest, **given)

    def take(*_, **__):
        """The first `plt.savefig`: note the texts of the current figure without ticks.

        At 72 dpi as a PDF would be, but not as one: the same texts arrive, for a third of the time.
        """
        nonlocal texts
        if texts is not None:
            return
        texts, figure = [], plt.gcf()
        for axes in figure.get_axes():
            axes.set_xticks([])
            axes.set_yticks([])
        dpi, figure.dpi = figure.dpi, 72
        RendererAgg.draw_text = noting
        try:
            figure.canvas.draw()
        finally:
            RendererAgg.draw_text = draw_text
            figure.dpi = dpi

    def place(axes):
        spec = axes.get_subplotspec()
        if spec is None:
            return None
        rows, columns = spec.get_gridspec().get_geometry()
        return [int(n) for n in (rows, columns, spec.rowspan.start, spec.rowspan.stop - 1, spec.colspan.start,
                                 spec.colspan.stop - 1)]

    def labels_of(figure):
        """Every visible text artist: its text and its own coordinates (None where these are no numbers)."""
        figure.canvas.draw()
        found = []
        for text in figure.findobj(Text):
            said = text.get_text().strip().lower()
            if text.get_visible() and said:
                try:
                    found.append([said, *(float(n) for n in text.get_position())])
                except (TypeError, ValueError):
                    found.append([said, None, None])
        return found

    facts = {"error": None}
    if not labels:
        plt.savefig = take
    try:
        exec(compile(code, "chart.py", "exec"), {"__name__": "__main__", "__file__": "chart.py"})
        figure = plt.gcf()
        if labels:
            facts |= {"labels": labels_of(figure), "size": [float(n) for n in figure.get_size_inches()]}
        else:
            take()
            facts |= {"texts": texts, "types": types, "places": [place(a) for a in figure.axes], "unread": unread,
                      "colours": sorted({(known, hexed(c)) for (known, _), colours
                                         in painted.items() for c in colours()})}
    except (Exception, SystemExit) as problem:
        at = [f.lineno for f in traceback.extract_tb(problem.__traceback__) if f.filename == "chart.py"]
        facts["error"] = f"{type(problem).__name__}: {problem}"[:1000] + (f" (line {at[-1]})" if at else "")
    said = json.dumps(facts).encode()
    said += b" " * (-len(said) % (3 * width))
    matplotlib.rcdefaults()
    pixels = np.frombuffer(said, np.uint8).reshape(-1, width, 3)
    picture = Figure(figsize=((width + 0.01) / 100, (len(pixels) + 0.01) / 100), dpi=100)
    FigureCanvasAgg(picture)
    picture.figimage(pixels, origin="upper")
    picture.savefig("facts.png", dpi=100)


# ---------------------------------------------------------------------------------------------------- what was heard

@dataclass(frozen=True)
class Facts:
    """What a program did: `texts`, `places` in grids (None where there is none), `types` (call: count), `colours`.

    `colours` are sorted (call, "#RRGGBB" or colormap). `error` is why there is nothing, else None; `unread` names calls
    whose colours could not be read.
    """
    texts: tuple = ()
    places: tuple = ()
    types: dict = field(default_factory=dict)
    colours: tuple = ()
    unread: tuple = ()
    error: str | None = None


def observe(codes, cut=True, subclasses=False, renderer=None) -> list[Facts]:
    """Run matplotlib programs in the sandbox and note what the four scores need -> a `Facts` for each, in order.

    `cut` drops everything from the first `plt.savefig(` or `plt.show(` and saves there, as the harness treats
    candidates; references run whole. `subclasses` as in `low_level`. `renderer` defaults to the shared one. A program
    that fails is a `Facts` with `error`.

        observe(["import matplotlib.pyplot as plt\\nplt.bar([1, 2], [3, 4])"])[0].types     # {"bar": 1}
    """
    codes = [as_harness(code) if cut else code for code in codes]
    return [_facts(said) for said in _listen(codes, False, subclasses, renderer)]


@dataclass(frozen=True)
class Labels:
    """What a program wrote: `texts` of (lower-case text, (x, y) in its own coordinates or None), the figure's `size` in
    inches; `error` is why there is nothing, else None."""
    texts: tuple = ()
    size: tuple = (1.0, 1.0)
    error: str | None = None


def labels(codes, renderer=None) -> list[Labels]:
    """Run matplotlib programs in the sandbox and note every visible text of their current figure -> `Labels`, in
    order."""
    out = []
    for said in _listen(codes, True, False, renderer):
        try:
            out.append(Labels(error=said["error"]) if said["error"] is not None else Labels(
                tuple((str(text), None if x is None else (float(x), float(y))) for text, x, y in said["labels"]),
                tuple(map(float, said["size"]))))
        except (KeyError, TypeError, ValueError) as problem:
            out.append(Labels(error=f"the program forged what it wrote ({type(problem).__name__})"))
    return out


def as_harness(code: str) -> str:
    """The program as both harnesses run it: cut at the first `plt.savefig(`, then at `plt.show(`, and saved there."""
    for end in (r"plt\.savefig\(.*", r"plt.show\(.*"):
        code = re.sub(end, "", code, flags=re.DOTALL)
    return code.strip() + '\nplt.savefig("chart.pdf")'


def _listen(codes, labels, subclasses, renderer):
    """What `_observe` says about each program: a dict, {"error": ...} where it came to nothing."""
    source = inspect.getsource(_observe)
    programs = [f"{source}\n_observe({code!r}, {labels}, {subclasses}, {WIDTH})\n" for code in codes]
    return [_said(rendering) for rendering in (renderer or shared()).map(programs)]


def _said(rendering):
    if rendering.image is None:
        return {"error": rendering.error}
    try:
        said = json.loads(rendering.image.tobytes())
        if isinstance(said, dict) and isinstance(said.get("error", 0), (str, type(None))):
            return said
    except ValueError:
        pass
    return {"error": "the program ended without telling what it drew"}


def _facts(said) -> Facts:
    """Checked, as the program that was listened to may have forged it."""
    if said["error"] is not None:
        return Facts(error=said["error"])
    try:
        if len(said["colours"]) > MOST:
            return Facts(error=f"the program uses {len(said['colours'])} colours; at most {MOST} are compared")
        return Facts(tuple(str(t) for t in said["texts"]),
                     tuple(None if p is None else tuple(int(n) for n in p) for p in said["places"]),
                     {str(k): max(1, int(n)) for k, n in said["types"].items()},
                     tuple((str(call), _checked(colour)) for call, colour in said["colours"]), tuple(said["unread"]))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        return Facts(error=f"the program forged what it drew ({type(problem).__name__})")


def _checked(colour):
    if str(colour).startswith("#"):
        int(colour[1:7].ljust(6, "?"), 16)
    return str(colour)


# --------------------------------------------------------------------------------------------------------- the scores

@dataclass(frozen=True)
class F1:
    """Precision, recall and their harmonic mean, each in [0, 1]."""
    precision: float = 0.0
    recall: float = 0.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class LowLevel:
    """The four scores of one candidate; `error` says why all are 0, `average` is the mean of the four F1 in [0, 1]."""
    text: F1 = F1()
    layout: F1 = F1()
    type: F1 = F1()
    color: F1 = F1()
    error: str | None = None

    @property
    def average(self) -> float:
        return sum(getattr(self, part).f1 for part in PARTS) / len(PARTS)


def low_level(reference: str, candidate: str, graph=False, cut=True, subclasses=False, renderer=None) -> LowLevel:
    """ChartMimic's low-level scores of one candidate program against the reference program -> `LowLevel`.

    `graph`: the item is of the benchmark's kind "graph" (its name begins so), where layout only counts axes.
    `subclasses`: what a subclass of PolarAxes or Ellipse draws (radar charts, arcs) counts as its parent's, as in
    VLMEvalKit's copy; the original counts polar lines of a subclass as plain `plot` and misses their colours. A
    candidate that fails scores 0 with its error; a reference that fails raises ValueError, as no candidate can be
    scored by it.

        low_level("import matplotlib.pyplot as plt\\nplt.plot([1, 2])", "import matplotlib.pyplot as plt\\nplt.plot([3,
        4])")
    """
    return low_levels([(reference, candidate, graph)], cut, subclasses, renderer)[0]


def low_levels(items, cut=True, subclasses=False, renderer=None) -> list[LowLevel]:
    """`low_level` of many (reference, candidate) or (reference, candidate, graph), as many at a time as the renderer
    has workers; an equal reference is run once."""
    items = [(*item, False)[:3] for item in items]
    references = list(dict.fromkeys(item[0] for item in items))
    known = dict(zip(references, observe(references, False, subclasses, renderer), strict=True))
    for facts in known.values():
        if facts.error:
            raise ValueError(f"a reference program does not run here: {facts.error.splitlines()[-1]}"
                             f"{_advice(facts.error)}")
    drawn = observe([item[1] for item in items], cut, subclasses, renderer)
    return [score(known[reference], facts, graph) for (reference, _, graph), facts in zip(items, drawn, strict=True)]


def _advice(error):
    missing = re.search(r"No module named '(squarify|matplotlib_venn|seaborn|networkx)", error)
    return f"; pip install {missing[1].replace('_', '-')}" if missing else ""


def score(reference: Facts, candidate: Facts, graph=False) -> LowLevel:
    """The four scores from what was heard; all 0 when the candidate failed."""
    if candidate.error:
        return LowLevel(error=candidate.error)
    places = [[1] * len(f.places) if graph else [p for p in f.places if p] for f in (reference, candidate)]
    return LowLevel(_multiset(reference.texts, candidate.texts), _multiset(*places),
                    _multiset(Counter(reference.types), Counter(candidate.types)),
                    color_f1(reference.colours, candidate.colours))


def _multiset(reference, candidate):
    reference, candidate = Counter(reference), Counter(candidate)
    return _f1((reference & candidate).total(), reference.total(), candidate.total())


def _f1(shared_by_both, reference, candidate):
    return F1(shared_by_both / candidate, shared_by_both / reference) if reference and candidate else F1()


def color_f1(reference, candidate) -> F1:
    """The colour score of two collections of (call, "#RRGGBB" or colormap's name).

        color_f1([("bar", "#FF0000")], [("bar", "#FF0000"), ("bar", "#0000FF")]).f1          # 0.667
    """
    from scipy.optimize import linear_sum_assignment

    sides, groups = [thinned(reference), thinned(candidate)], []
    for side in sides:
        groups.append({})
        for call, colour in side:
            groups[-1].setdefault(call, []).append(colour)
    total = 0.0
    for call in sorted(groups[0].keys() & groups[1].keys()):
        alike = similarities(groups[0][call], groups[1][call])
        total += alike[linear_sum_assignment(alike, maximize=True)].sum()
    return _f1(float(total), len(sides[0]), len(sides[1]))


def thinned(colours) -> list:
    """Distinct (call, colour), sorted; of more than ten, those too like one already kept are dropped, whatever the
    call."""
    colours = sorted(set(colours))
    if len(colours) <= THIN_ABOVE:
        return colours
    kept = []
    while colours:
        first, *colours = colours
        kept.append(first)
        alike = similarities([first[1]], [colour for _, colour in colours])[0]
        colours = [colour for colour, a in zip(colours, alike) if a <= THIN_AT]
    return kept


def similarities(first, second) -> np.ndarray:
    """How alike colours are, [len(first), len(second)] in [0, 1]: 1 - dE2000 / 100; names are equal or not, 1 or 0."""
    out = np.array([[float(a == b) for b in second] for a in first]).reshape(len(first), len(second))
    rows, columns = ([i for i, c in enumerate(side) if c.startswith("#")] for side in (first, second))
    if rows and columns:
        labs = [lab([[int(side[i][k:k + 2], 16) for k in (1, 3, 5)] for i in which])
                for side, which in ((first, rows), (second, columns))]
        out[np.ix_(rows, columns)] = np.maximum(0, 1 - ciede2000(labs[0][:, None], labs[1][None]) / 100)
    return out


def lab(rgb) -> np.ndarray:
    """CIE L*a*b* (D65, 2 degrees) of sRGB values 0 to 255, [..., 3], with the constants of colormath 3.0.

    skimage's differ in the fourth digit, which moves a score by about 1e-5.
    """
    rgb = np.asarray(rgb, float) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.412424, 0.212656, 0.0193324], [0.357579, 0.715158, 0.119193],
                             [0.180464, 0.0721856, 0.950444]]) / (0.95047, 1.0, 1.08883)
    x, y, z = np.moveaxis(np.where(xyz > 216 / 24389, np.cbrt(xyz), 7.787 * xyz + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def ciede2000(first, second) -> np.ndarray:
    """The CIEDE2000 colour difference of Lab values [..., 3], which broadcast -> [...] (Sharma and others, 2005)."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(side, float), -1, 0) for side in (first, second))
    chroma = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma / (chroma + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    far = np.abs(h1 - h2) > 180
    turn = h2 - h1 + np.where(far, np.where(h2 <= h1, 360, -360), 0)
    lightness, c, h = (l1 + l2) / 2, (c1 + c2) / 2, np.radians((h1 + h2 + 360 * far) / 2)
    t = (1 - 0.17 * np.cos(h - np.radians(30)) + 0.24 * np.cos(2 * h) + 0.32 * np.cos(3 * h + np.radians(6))
         - 0.2 * np.cos(4 * h - np.radians(63)))
    dl = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * c)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * c * t)
    blue = np.radians(60) * np.exp(-((np.degrees(h) - 275) / 25) ** 2)
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(blue)
    return np.sqrt(np.maximum(0, dl**2 + dc**2 + dh**2 + rotation * dc * dh))


# ------------------------------------------------------------------------------------------- the judge, and the table

def high_level(judge, reference, candidate) -> dict:
    """The six-criteria judge's score of two pictures (PIL) -> {"score": 0 to 100 or NaN, "parts": shares, "why": text}.

    `judge` is a `VLMJudge` with its criteria "chart": ChartMimic's six and their points, in our words. The reference is
    shown first; `swap=True` of the judge asks in both orders. No picture (`None`) is 0.

        high_level(VLMJudge("a-model", url), reference_image, rendering.image)["score"]
    """
    if candidate is None:
        return {"score": 0.0, "parts": {}, "why": "the program drew nothing"}
    verdict = judge(reference, candidate)
    return {"score": 100 * verdict.score, "parts": verdict.parts, "why": verdict.reason}


def summarise(scores, judged=None, failures="zero", unscored="drop") -> dict:
    """The benchmark's table from `LowLevel`s and, beside them, the judge's scores (0 to 100, NaN: unscored), if there
    are.

    `failures`: "zero" counts failed candidates as 0 over all items, as published; "drop" takes those that ran.
    `unscored`: "drop" leaves unscored items out of the judge's mean, "zero" counts them as 0, as VLMEvalKit does with
    an answer that it cannot read. Values are 0 to 100: exec, text, layout, type, color, average (of the four), gpt,
    overall (mean of average and gpt), and n.

        summarise(low_levels(items), failures="drop")["average"]
    """
    if failures not in ("zero", "drop") or unscored not in ("zero", "drop"):
        raise ValueError(f"failures={failures!r}, unscored={unscored!r}: each is 'zero' or 'drop'")
    if judged is not None and len(judged) != len(scores):
        raise ValueError(f"{len(scores)} low-level scores and {len(judged)} of the judge; give one of each per item")
    ran = [s.error is None for s in scores]
    kept = [i for i in range(len(scores)) if ran[i] or failures == "zero"]
    out = {"n": len(kept), "exec": 100 * float(np.mean(ran)) if scores else math.nan}
    for part in PARTS:
        out[part] = 100 * float(np.mean([getattr(scores[i], part).f1 for i in kept])) if kept else math.nan
    out["average"] = sum(out[part] for part in PARTS) / len(PARTS)
    if judged is not None:
        values = [float(judged[i]) if ran[i] else 0.0 for i in kept]
        values = [0.0 if math.isnan(v) else v for v in values if unscored == "zero" or not math.isnan(v)]
        out["gpt"] = float(np.mean(values)) if values else math.nan
        out["overall"] = (out["average"] + out["gpt"]) / 2
    return out
