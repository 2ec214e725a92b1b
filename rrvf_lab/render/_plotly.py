"""Inside the sandbox: plotly. A program's last figure leaves as JSON; Chromium draws it (see `plotly_page`).

Loaded by `_zygote`, never imported; plotly itself is loaded in heavy lanes only.

Left out: exporting pictures, which needs a browser: it counts as showing the figure.
"""

import re

import sandbox
from _program import execute, explain, new_main

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
    """Have everything that shows or writes a figure append it to the list `shown` instead."""
    import plotly.graph_objects
    import plotly.io
    import plotly.offline
    from plotly.basedatatypes import BaseFigure

    def as_figure(figure):
        return figure if isinstance(figure, BaseFigure) else plotly.graph_objects.Figure(figure)

    def show(figure, *_, **__):
        shown.append(as_figure(figure))

    def text(figure, *_, **__):
        show(figure)
        return ""

    def data(figure, *_, **__):
        show(figure)
        return b""

    for owner in (BaseFigure, plotly.io):
        owner.show = owner.write_image = owner.write_html = owner.write_json = show
        owner.to_html, owner.to_image = text, data
    plotly.offline.plot, plotly.offline.iplot = text, show
    plotly.offline.init_notebook_mode = lambda *_, **__: None


def run(code, job):
    """Run a program and return its report: its last figure as JSON.

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
        figures = [v for v in namespace.values() if isinstance(v, BaseFigure)] + named + shown
        if not figures:
            report["error"] = ("no figure was made: build a plotly figure and leave it in `fig` or call "
                               "fig.show()")
            return report
        try:
            text = to_json(figures[-1], validate=False).encode()
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
