"""Inside the sandbox: plotly. A program's last figure leaves as JSON; Chromium draws it (see `plotly_page`).

Loaded by `_zygote`, never imported; plotly itself is loaded in heavy lanes only.

Left out: exporting pictures, which needs a browser: it counts as showing the figure, and the program gets a
blank one of the right size.
"""

import io
import json
import os
import re

import sandbox
from _program import encoded, execute, explain, new_main, save_later

# What plotly 6 and 7 took away, where its own message names no replacement or a wrong one:
# pattern in the error, advice.
REMOVED = (
    (r"'(\w*)titlefont",
     "titlefont is gone: write title=dict(text='...', font=dict(...)) or title_font=dict(...)"),
    (r"'(\w*)title(side|position|offset|standoff)",
     "it moved into the title: write title=dict(text='...', {1}=...)"),
    (r"'(scatter|line|choropleth|density|\w+)_mapbox'",
     "it is px.{0}_map now, with map_style for mapbox_style"),
    (r"'(Scatter|Choropleth|Density)mapbox'", "it is go.{0}map now, drawn on layout.map"),
    (r"'mapbox\w*'", "layout.mapbox is layout.map now"),
    (r"'Heatmapgl'", "use go.Heatmap"),
    (r"'Pointcloud'", "use go.Scattergl(mode='markers')"),
    (r"'Area'", "use go.Barpolar, or go.Scatter(fill='tozeroy') for an area under a line"),
    (r"'transforms?'", "filter, group or sort the data in pandas before plotting"),
    (r"'create_(distplot|gantt|2d_density|annotated_heatmap|bullet|candlestick|ohlc|facet_grid|violin"
     r"|scatterplotmatrix)'",
     "the figure factory no longer has it: build it with plotly.express or plotly.graph_objects"),
    (r"'autotick'", "write tickmode='auto' or tickmode='linear'"),
    (r"'bardir'", "write orientation='v' or 'h'"),
    (r"No module named 'plotly\.plotly'|No module named 'chart_studio",
     "import plotly.graph_objects as go, end with fig.show()"),
    (r"has no attribute '(scope|orca)'|Kaleido|kaleido",
     "no export is needed: leave the figure in `fig` or call fig.show()"),
)


def patch_plotly(shown):
    """Have everything that shows or writes a figure append (figure, its size) to the list `shown`.

    A size is (width, height, scale) as asked for in the call, None where it was not.
    """
    import plotly.graph_objects
    import plotly.io
    import plotly.offline
    from plotly.basedatatypes import BaseFigure
    html, to_json = plotly.io.to_html, plotly.io.to_json

    def take(figure, width=None, height=None, scale=None):
        figure = figure if isinstance(figure, BaseFigure) else plotly.graph_objects.Figure(figure)
        usual = getattr(plotly.io, "defaults", None)
        scale = scale or getattr(usual, "default_scale", None)
        shown.append((figure, (width, height, scale)))
        return figure

    def show(figure, renderer=None, validate=True, *, width=None, height=None, scale=None, **_):
        take(figure, width, height, scale)

    def to_image(figure, format=None, width=None, height=None, scale=None, *_, **__):
        return blank(take(figure, width, height, scale), *shown[-1][1], format)

    def write_image(figure, file, format=None, scale=None, width=None, height=None, *_, **__):
        figure, size = take(figure, width, height, scale), shown[-1][1]
        if format is None and isinstance(file, (str, os.PathLike)):
            format = os.path.splitext(os.fspath(file))[1][1:]
        leave(file, lambda: blank(figure, *size, format))

    def write_images(fig, file, **options):
        figures, files = (one if isinstance(one, (list, tuple)) else [one] for one in (fig, file))
        for figure, path in zip(figures, files, strict=False):
            plain = {k: v for k, v in options.items() if not isinstance(v, (list, tuple))}
            write_image(figure, path, **plain)

    def to_html(figure, *_, **__):
        return html(take(figure), include_plotlyjs="cdn")

    def write_html(figure, file, *_, **__):
        figure = take(figure)
        leave(file, lambda: html(figure, include_plotlyjs="cdn").encode())

    def write_json(figure, file, *_, **__):
        figure = take(figure)
        leave(file, lambda: to_json(figure, validate=False).encode())

    for owner in (BaseFigure, plotly.io):
        owner.show, owner.to_image, owner.to_html = show, to_image, to_html
        owner.write_image, owner.write_html, owner.write_json = write_image, write_html, write_json
    plotly.io.write_images = write_images
    plotly.offline.plot, plotly.offline.iplot = to_html, show
    plotly.offline.init_notebook_mode = lambda *_, **__: None


def leave(file, make):
    """Write what `make()` returns to a path or to an open file."""
    if not hasattr(file, "write"):
        save_later(file, make)
    elif isinstance(file, io.TextIOBase):
        file.write(make().decode())
    else:
        file.write(make())


def blank(figure, width, height, scale, format):
    """A file of the figure's size in its background's colour: it is drawn when the program has ended."""
    from PIL import Image, ImageColor
    template = figure.layout.template.layout
    side = (width or figure.layout.width or template.width or 700,
            height or figure.layout.height or template.height or 500)
    side = [max(1, min(4000, round(length * (scale or 1)))) for length in side]
    try:
        paper = ImageColor.getrgb(figure.layout.paper_bgcolor or template.paper_bgcolor or "white")
    except ValueError:
        paper = "white"
    return encoded(Image.new("RGB", side, paper), (format or "png").lower().lstrip("."))


def run(code, job):
    """Run a program and return its report: its last figure and the size it asked for, as JSON.

    The JSON travels as one row of RGB pixels, padded with spaces.
    """
    import plotly.io
    from plotly.basedatatypes import BaseFigure
    shown, to_json = [], plotly.io.to_json
    patch_plotly(shown)
    namespace = new_main()
    error, printed = execute(code, namespace)
    report = {"width": 0, "height": 0, "error": error and advice(error), "printed": printed[-2000:]}
    if error is None:
        named = [namespace["fig"]] if isinstance(namespace.get("fig"), BaseFigure) else []
        own = [v for v in namespace.values() if isinstance(v, BaseFigure)] + named
        figures = [(figure, (None, None, None)) for figure in own] + shown
        if not figures:
            report["error"] = ("no figure was made: build a plotly figure and leave it in `fig` or call "
                               "fig.show()")
            return report
        try:
            figure, size = figures[-1]
            size = json.dumps([float(n) if n else None for n in size])
            text = f'{to_json(figure, validate=False).rstrip()[:-1]}, "asked": {size}}}'.encode()
        except BaseException as problem:
            report["error"] = advice(explain(problem, code))
            return report
        if len(text) > 3 * sandbox.MAX_PIXELS - 2:
            report["error"] = (f"the figure holds {len(text) / 1e6:.0f} MB of data; the limit is "
                               f"{3 * sandbox.MAX_PIXELS / 1e6:.0f} MB")
            return report
        report["pixels"] = text + b" " * (-len(text) % 3)
        report["width"], report["height"] = len(report["pixels"]) // 3, 1
    return report


def advice(error):
    """The error without plotly's list of valid properties, with what to write instead of what was removed."""
    last = error.rpartition("\n  File ")[2]
    error = re.sub(r"\n\s*Valid properties:.*", "", error, flags=re.DOTALL)
    for pattern, text in REMOVED:
        found = re.search(pattern, last)
        if found:
            return f"{error}\nIn this version of plotly: {text.format(*found.groups())}."
    return error
