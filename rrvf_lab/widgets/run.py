"""A training run to look into, as one view: what may be wrong, curves, filters, rollouts, and beside them one
that is opened. `watch` follows a run from its first second, `inspect_run` opens any.

A box of controls round plain functions: `diagnose`, `Run.find`, `show.runs`. What the controls do can be done
by setting their `value` in code.

Left out: clicks on the curves where anywidget, which plotly's figure needs, is not installed; they are a
picture then, and the table under them has the numbers in any case.
"""

from __future__ import annotations

import asyncio
import math

import ipywidgets as w
import numpy as np

from ..diagnose import FINDINGS
from ..show import html as show
from ..show.runs import CURVES, curves_picture, curves_table, logged, phases, run_html
from ..training.runs import ORDERS, ROLLOUT_KINDS, Run
from .base import NAMED, Following, area, button, choice, columns, number, row, status_html, visible
from .findings import Cards, Detail, Findings
from .still import Still

PAGE = 12      # rollouts on a page of the run browser
LAST = 10**9   # after any step
HIGH = 380     # pixels of the rollouts and of the one opened beside them, which scroll inside
LARGE = 1.5    # a curve that goes beyond has the axis on the right
COLOURS = "#9467bd #d62728 #17becf #bcbd22 #e377c2 #1f77b4 #2ca02c #ff7f0e".split()
GREY = "#777"  # read on white and on black


def inspect_run(run, findings=FINDINGS) -> RunView:
    """A run's browser: what may be wrong with it, curves, filters and orders over its rollouts, the groups
    behind a point of a curve.

    `run` is a `Run` or its folder; it may still be going on. `findings` are those of `diagnose`; with your
    own: `[*FINDINGS, mine]`. Without widgets: `diagnose`, `Run.find`, `Run.curves`, `Run.group`.

    Example: `inspect_run("runs/demo")`.
    """
    run = run if isinstance(run, Run) else Run(run)
    return RunView(run, findings, follow=run.state == "running")


def watch(run) -> RunView:
    """A run in progress, in the view of `inspect_run`: its state, curves and newest group; stop it, resume
    it.

    `run` is a `Run` or its folder, started here or in a terminal. Without widgets: show the `Run` itself in a
    cell.

    Example: `watch(start("demo", steps=10))`.
    """
    return RunView(run if isinstance(run, Run) else Run(run), follow=True)


class Curves(w.VBox):
    """A run's curves, those chosen in `which`, as lines that can be clicked (a picture without anywidget),
    and as a table.

    `clicked(step)` is called for a point that was clicked. plotly takes longer to import than a large run to
    index, so where a loop runs it is imported beside it, after the rest of the view is shown: `figure` is
    None until then, and awaiting `task` waits for it.
    """

    def __init__(self, run, clicked=None):
        self.run, self.clicked, self.figure, self.table = run, clicked, None, area()
        self._plotly, self._known = None, logged(run)
        self.which = w.SelectMultiple(options=list(self._known), value=self._first(), description="Curves",
                                      layout={"width": "98%", "height": "225px", "flex_flow": "column"},
                                      style=NAMED)
        self.which.observe(lambda _: self._draw(), "value")
        self.place = w.VBox([area("<p>The curves are being loaded ...</p>")],
                            layout={"min_height": "250px", "overflow": "hidden"})
        sides = columns([self.place], [self.which], ("560px", "200px"))
        super().__init__([sides, self.table], layout={"overflow": "visible"})
        try:
            self.task = asyncio.get_running_loop().create_task(self._later())
        except RuntimeError:
            self._build(_plotly())

    def look(self) -> None:
        """Draw what the run has recorded by now."""
        self.table.value = curves_table(self.run)
        before, self._known = self._known, logged(self.run)
        if list(before) != list(self._known):
            kept = self.which.value or self._first()
            self.which.options = list(self._known)
            self.which.value = tuple(name for name in kept if name in self._known)
        if isinstance(self.figure, w.HTML):
            self.figure.value = curves_picture(self.run)
        elif self.figure is not None:
            with self.figure.batch_update():
                for trace in self.figure.data:
                    trace.x, trace.y = self._known[trace.name]
                self.figure.layout.xaxis.dtick = self._dtick()

    def _first(self):
        """The curves shown until others are chosen."""
        return tuple(name for name in CURVES if name in self._known)

    def _dtick(self):
        steps = next((steps for steps, _ in self._known.values()), ())
        few = len(steps) and steps[-1] - steps[0] < 12
        return 1 if few else None  # else plotly marks half steps, rounded

    async def _later(self):
        self._build(await asyncio.to_thread(_plotly))

    def _build(self, plotly):
        self._plotly = plotly
        visible(self.which, plotly is not None)
        if plotly is None:
            self.figure = area()
            self.place.children = [self.figure]
        else:
            self._draw()
        self.look()

    def _draw(self):
        """The chosen curves as a new figure."""
        if self._plotly is not None:
            self.figure = self._lines(self._plotly)
            self.place.children = [self.figure]

    def _lines(self, plotly):
        """plotly's figure, sent to the page whole: what comes after it may come after its script, and be
        lost."""
        lines, large = [], False
        for k, name in enumerate(self.which.value):
            steps, values = self._known[name]
            colour, dash = CURVES.get(name, (COLOURS[k % len(COLOURS)], "solid"))
            far = np.nanmax(np.abs(values), initial=0) > LARGE
            large |= far
            lines.append({"type": "scatter", "name": name, "mode": "lines+markers", "marker": {"size": 5},
                          "x": steps, "y": values, "line": {"color": colour, "dash": dash},
                          "yaxis": "y2" if far else "y"})
        figure = _sent_whole(plotly)(lines, _layout(large, self._dtick()))
        figure._config = {"displayModeBar": False, "responsive": True}  # plotly has no public way to set it
        figure.complete = True
        figure.open()
        for trace in figure.data:
            trace.on_click(self._hit)
        return figure

    def _hit(self, trace, points, state):
        if self.clicked and points.xs:
            self.clicked(int(points.xs[0]))


def _layout(large, dtick):
    """plotly's layout, readable on a light and on a dark page; with `large` an axis on the right too."""
    clear, lines = "rgba(0,0,0,0)", "rgba(128,128,128,.3)"
    layout = {"height": 250, "margin": {"l": 50, "r": 50 if large else 10, "t": 10, "b": 40},
              "template": "none",
              "hovermode": "x unified", "hoverlabel": {"bgcolor": "#fff", "font": {"color": "#111"}},
              "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"}, "font": {"color": GREY},
              "paper_bgcolor": clear, "plot_bgcolor": clear, "showlegend": True,
              "xaxis": {"title": "step", "tickformat": "d", "dtick": dtick, "gridcolor": lines},
              "yaxis": {"title": "mean of a step", "gridcolor": lines}}
    right = {"overlaying": "y", "side": "right", "showgrid": False, "tickmode": "auto"}
    return layout | ({"yaxis2": right} if large else {})


def _sent_whole(plotly):
    """plotly's FigureWidget, which opens itself on the page empty, opened only when it is `complete`: a busy
    kernel sends the lines too late."""
    class Whole(plotly.FigureWidget):
        complete = False

        def open(self):
            if self.complete:
                super().open()

    return Whole


def _plotly():
    """plotly.graph_objects, or None where its widget lacks anywidget."""
    try:
        import anywidget  # noqa: F401 (asked for by FigureWidget, which says nothing where it is missing)
        import plotly.graph_objects as go

        _ = go.FigureWidget  # plotly imports this name when it is first asked for
        return go
    except ImportError:
        return None


class RunView(Still, Following):
    """What `inspect_run` and `watch` return.

    Its controls: kind, order, first, last, image, every, back, on, follow, refresh, stop, resume. `findings`
    is what may be wrong; `found` are the positions of the rollouts that pass, `detail.opened` is the one
    looked at (`run[opened]`), or None.
    """

    def __init__(self, run, findings=FINDINGS, follow=False):
        super().__init__(run, follow)
        steps = run.index["step"]
        low, self._top = (int(steps.min()), int(steps.max())) if len(run) else (0, 0)
        self.found, self._at, self._finding, self._index = [], 0, None, run.index
        self._controls(low)
        self.stop = button("Stop the run", lambda: self._act(run.stop))
        self.resume = button("Resume it", lambda: self._act(run.resume))
        self.count, self.detail, self.seconds, self.output = area(), Detail(run), area(), area()
        self.cards = Cards(self.detail.look_at, PAGE)
        self.findings = Findings(run, findings, self.show_finding)
        self.curves = Curves(run, self.choose_step)
        visible(self.curves, self._top >= 0)  # a bare recording has no steps
        lists = columns([self.cards], [self.detail], ("375px", "420px"))
        for box in lists.children:
            box.layout.max_height, box.layout.overflow = f"{HIGH}px", "auto"
        filters = row(self.kind, self.order, self.image, self.first, self.last, self.every, self.count,
                      self.back, self.on)
        self.count.layout.width = "auto"
        acts = row(self.stop, self.resume, self.refresh, self.follow)
        self.children = [self.status, acts, self.findings, self.curves, filters, lists, self.seconds,
                         self.output]
        self._draw_state()
        self._find()

    def _controls(self, low):
        kinds = [(f"{kind}: {why}", kind) for kind, why in ROLLOUT_KINDS.items()]
        self.kind = choice("Show", kinds, width="330px")
        self.order = choice("Order", list(ORDERS), "newest", "190px")
        self.first = number("From step", low, -1, LAST, step=1)
        self.last = number("To step", self._top, -1, LAST, step=1)
        self.image = w.Text(description="Image", placeholder="part of its name", continuous_update=False,
                            style=NAMED, layout={"width": "210px"})
        self.every = button("All steps", lambda: self.choose_steps(low, LAST))
        self.back = button("Page back", lambda: self._turn(-PAGE))
        self.on = button("Page on", lambda: self._turn(PAGE))
        self._quiet = False
        for control in (self.kind, self.order, self.first, self.last, self.image):
            control.observe(lambda _: self._quiet or self._filter(), "value")

    def still(self) -> str:
        """The run's sentence and its curves."""
        return run_html(self.run)

    def look(self) -> None:
        """Take in what was recorded since; an upper step that stood at the end moves along."""
        self.run.refresh()  # others may have refreshed the same run, so what it returns tells nothing
        changed, self._index = self.run.index is not self._index, self.run.index
        self.findings.look()
        self._draw_state()
        if not changed:
            return
        top = int(self.run.index["step"].max()) if len(self.run) else 0
        follows, self._top = self.last.value >= self._top, top
        visible(self.curves, top >= 0)
        self.curves.look()
        self._choose(self.first.value, top if follows else self.last.value)
        self._find(self._at)
        if self.detail.opened is None or self.detail.opened >= len(self.run):
            self.detail.newest()

    def choose_step(self, step: int) -> None:
        """Show the rollouts of one step, as a click on a curve does."""
        self.choose_steps(step, step)

    def choose_steps(self, first: int, last: int) -> None:
        """Show the rollouts of these steps."""
        self._choose(first, last)
        self._filter()

    def show_finding(self, finding) -> None:
        """Show the rollouts of a finding, the first of them opened, until other ones are chosen."""
        self._finding = finding
        self._find()
        if len(self.found):
            self.detail.look_at(int(self.found[0]))

    def _choose(self, first, last):
        """Set both ends of the steps at once."""
        self._quiet = True
        self.first.value, self.last.value = first, min(last, self._top)
        self._quiet = False

    def _filter(self):
        self._finding = None
        self._find()

    def _find(self, at=0):
        """The rollouts that pass, at the page that starts at the given place."""
        if self._finding is None:
            steps = self.first.value, self.last.value
            self.found = self.run.find(self.kind.value, self.order.value, steps, self.image.value.strip())
        else:  # a resume drops some
            self.found = np.array([i for i in self._finding.rollouts if i < len(self.run)], int)
        self._at = 0
        self._turn(at)

    def _turn(self, by):
        """Go on by so many rollouts, and show that page."""
        n = len(self.found)
        self._at = min(max(0, self._at + by), max(0, (n - 1) // PAGE * PAGE))
        pages = f"page {self._at // PAGE + 1} of {max(1, math.ceil(n / PAGE))}"
        of = f", those of: {show.text_html(self._finding.name, total=80)}" if self._finding else ""
        self.count.value = status_html(f"<b>{n:,}</b> of {len(self.run):,} rollouts{of}; {pages}")
        self.back.disabled, self.on.disabled = self._at == 0, self._at + PAGE >= n
        self.cards.fill(self.run, self.found[self._at:self._at + PAGE])

    def _act(self, action):
        try:
            action()
            self._draw_state()
        except RuntimeError as error:
            self._draw_state()
            self.output.value = f'<p role="alert">{show.text_html(error)}</p>'

    def _draw_state(self):
        state = self.run.state
        self.headline()
        for one, when in ((self.stop, "running"), (self.resume, "stopped")):
            one.disabled = state != when
            visible(one, state in ("running", "stopped"))
        self.seconds.value = show.folded("seconds of a step", phases(self.run)) if self.run.log() else ""
        tail = self.run.output(12)
        if tail:
            opened = " open" if state == "stopped" and not len(self.run) else ""
            self.output.value = (f"<details{opened}><summary>what the process printed last</summary>"
                                 "<pre style='white-space:pre-wrap;line-height:1.3'>"
                                 f"{show.text_html(tail, total=4000)}</pre></details>")
