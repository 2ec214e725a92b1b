"""The program that runs another inside the sandbox and tells what it did.

Left out: everything that is worked out from it (`heard`).
"""


def run_and_listen(code, labels, subclasses, width):
    """Run a program, listen, and leave what was heard as a figure.

    This function's source runs inside the sandbox, so it imports all that it needs.
    """
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

    # How to read the colours of what a call made: a function per artist (or group of them) that gives them,
    # also later.
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
        if isinstance(made, list):
            return [lambda: [a.get_facecolor() for a in made]]
        return edges(self, made, given)

    def listen(owner, name, kind=None, colour=None, read=None):
        """Note the calls of `owner.name`: under `kind` for types, with what `read` finds under `colour` for
        colours."""
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
        "imshow": colormap, "pcolor": colormap, "contour": colormap, "contourf": colormap,
        "tripcolor": colormap}
    for name, read in plain.items():
        listen(Axes, name, name, name, read)
    for name in ("barh", "plot", "errorbar", "violin", "fill_between", "fill_betweenx"):
        listen(Axes, name, name)
    listen(Axes, "_fill_between_x_or_y", None, "fill_between", one_face)
    makes_lines = "_make_line" if hasattr(_process_plot_var_args, "_make_line") else "_makeline"
    listen(_process_plot_var_args, makes_lines, None, "line",
           lambda self, made, given: each(lambda a: a.get_color(), made[:1]))
    listen(PolarAxes, "plot", None, "polar plot", lambda self, made, given:
           lines(self, made, given) if of(self, PolarAxes) else [])
    for name, kind, read in (("scatter", "scatter", cmap_or(faces)), ("plot", "3-D plot", lines),
                             ("bar", "bar", patches), ("plot_surface", "plot_surface", cmap_or(one_face)),
                             ("bar3d", "bar3d", one_face), ("add_collection3d", "add_collection3d", faces)):
        listen(Axes3D, name, kind, "3-D " + name, read)
    listen(NonUniformImage, "__init__", "NonUniformImage", "NonUniformImage", colormap)
    listen(Ellipse, "__init__", "ellipse", "ellipse", exactly(Ellipse))
    listen(Circle, "__init__", "ellipse", "ellipse", exactly(Circle))
    graphs = "network" "x"  # in one word it would put every program into the renderer's slow lane
    for library, owner, name, read in (
            ("squarify", "", "plot", lambda self, made, given:
             each(face, [b for c in made.containers for b in c])),
            ("matplotlib_venn._common", "VennDiagram", "__init__", regions),
            (graphs + ".drawing.nx_pylab", "", "draw_networkx_nodes", faces),
            (graphs + ".drawing.nx_pylab", "", "draw_networkx_edges", edges_of_graph),
            (graphs + ".drawing.nx_pylab", "", "draw_networkx_labels", lambda self, made, given:
             each(lambda a: a.get_color(), made.values()))):
        if library.partition(".")[0] not in code:  # they take longer to load than most charts to draw
            continue
        try:
            module = importlib.import_module(library)
        except ImportError:  # the program meets the same error, and says so
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
            used = {(known, hexed(c)) for (known, _), colours in painted.items() for c in colours()}
            facts |= {"texts": texts, "types": types, "places": [place(a) for a in figure.axes],
                      "unread": unread, "colours": sorted(used)}
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
