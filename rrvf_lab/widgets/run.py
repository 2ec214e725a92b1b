"""Whole runs to look into: `inspect_run` for what was recorded, `watch` for what goes on.

Each is a box of controls round plain functions: `diagnose`, `Run.find`, `Run.curves`, `show.runs`. What
the controls do can be done by setting their `value` in code.

Left out: clicks on the curves where anywidget, which plotly's figure needs, is not installed; they are a
picture then, and the table under them has the numbers in any case.
"""

from __future__ import annotations

import asyncio
import math

import ipywidgets as w

from ..diagnose import FINDINGS
from ..show import html as show
from ..show.groups import recorded
from ..show.runs import CURVES, curves_picture, curves_table, phases
from ..training.runs import ORDERS, ROLLOUT_KINDS, Run
from .base import NAMED, Following, area, button, choice, number, row, status_html, visible
from .findings import Cards, Detail, Findings

PAGE = 12      # rollouts on a page of the run browser
LAST = 10**9   # after any step


def inspect_run(run, findings=FINDINGS) -> RunView:
    """A run's browser: what may be wrong with it, curves, filters and orders over its rollouts, the groups
    behind a point of a curve.

    `run` is a `Run` or its folder; it may still be going on. `findings` are those of `diagnose`; with your
    own: `[*FINDINGS, mine]`. Without widgets: `diagnose`, `Run.find`, `Run.curves`, `Run.group`.

    Example: `inspect_run("runs/demo")`.
    """
    return RunView(run if isinstance(run, Run) else Run(run), findings)


def watch(run) -> WatchView:
    """A run in progress: its state, curves, seconds by phase and newest group; stop it, resume it.

    `run` is a `Run` or its folder, started here or in a terminal. Without widgets: show the `Run` itself in a
    cell.

    Example: `watch(start("demo", steps=10))`.
    """
    return WatchView(run if isinstance(run, Run) else Run(run))


class Curves(w.VBox):
    """A run's curves, as lines that can be clicked (a picture without anywidget) and as a table.

    `clicked(step)` is called for a point that was clicked. plotly takes longer to import than a large run to
    index, so where a loop runs it is imported beside it, after the rest of the view is shown: `figure` is
    None until then, and awaiting `task` waits for it.
    """

    def __init__(self, run, clicked=None):
        self.run, self.clicked, self.figure, self.table = run, clicked, None, area()
        waiting = area("<p>The curves are being loaded ...</p>")
        self.place = w.VBox([waiting], layout={"min_height": "270px"})
        super().__init__([self.place, self.table])
        try:
            self.task = asyncio.get_running_loop().create_task(self._later())
        except RuntimeError:
            self._build(_plotly())

    def look(self) -> None:
        """Draw what the run has recorded by now."""
        self.table.value = curves_table(self.run)
        if isinstance(self.figure, w.HTML):
            self.figure.value = curves_picture(self.run)
        elif self.figure is not None:
            curves = self.run.curves()
            steps = curves["step"]
            with self.figure.batch_update():
                for trace in self.figure.data:
                    trace.x, trace.y = steps, curves[trace.name]
                few = len(steps) and steps[-1] - steps[0] < 12
                self.figure.layout.xaxis.dtick = 1 if few else None  # else plotly marks half steps, rounded

    async def _later(self):
        self._build(await asyncio.to_thread(_plotly))

    def _build(self, plotly):
        self.figure = area() if plotly is None else self._lines(plotly)
        self.look()
        self.place.children = [self.figure]

    def _lines(self, plotly):
        """plotly's figure, sent to the page whole: what comes after it may come after its script, and be
        lost."""
        curves = self.run.curves()
        lines = [{"type": "scatter", "name": name, "mode": "lines+markers", "marker": {"size": 5},
                  "x": curves["step"], "y": curves[name], "line": {"color": colour, "dash": dash}}
                 for name, (colour, dash) in CURVES.items()]
        figure = _sent_whole(plotly)(lines, {
            "height": 270, "margin": {"l": 50, "r": 10, "t": 30, "b": 40}, "template": "none",
            "hovermode": "x unified", "legend": {"orientation": "h", "y": 1.16},
            "xaxis": {"title": "step", "tickformat": "d"},
            "yaxis": {"title": "mean of a step", "gridcolor": "#ddd"}})
        figure._config = {"displayModeBar": False, "responsive": True}  # plotly has no public way to set it
        figure.complete = True
        figure.open()
        for trace in figure.data:
            trace.on_click(self._hit)
        return figure

    def _hit(self, trace, points, state):
        if self.clicked and points.xs:
            self.clicked(int(points.xs[0]))


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


class RunView(Following):
    """What `inspect_run` returns.

    Its controls: kind, order, first, last, image, every, back, on, follow, refresh. `findings` is what may be
    wrong; `found` are the positions of the rollouts that pass, `detail.opened` is the one looked at
    (`run[opened]`), or None.
    """

    def __init__(self, run, findings=FINDINGS):
        super().__init__(run, follow=run.state == "running")
        steps = run.index["step"]
        low, self._top = (int(steps.min()), int(steps.max())) if len(run) else (0, 0)
        self.found, self._at = [], 0
        self._controls(low)
        self.findings = Findings(run, findings)
        self.curves = Curves(run, self.choose_step)
        visible(self.curves, self._top >= 0)  # a bare recording has no steps
        self.count, self.detail = area(), Detail(run)
        self.cards = Cards(self.detail.look_at, PAGE)
        click = "Click a point of a curve, or type its step, to see the rollouts behind it."
        hint = area(f"<p>{click if self._top >= 0 else 'These rollouts have no steps.'}</p>")
        filters = row(self.kind, self.order, self.first, self.last, self.every, self.image)
        pages = row(self.back, self.on, self.refresh, self.follow)
        self.children = [self.status, self.findings, self.curves, hint, filters, self.count, pages,
                         self.cards, self.detail]
        self.headline()
        self._find()

    def _controls(self, low):
        kinds = [(f"{kind}: {why}", kind) for kind, why in ROLLOUT_KINDS.items()]
        self.kind = choice("Show", kinds, width="330px")
        self.order = choice("Order", list(ORDERS), "newest", "220px")
        self.first = number("From step", low, -1, LAST, step=1)
        self.last = number("To step", self._top, -1, LAST, step=1)
        self.image = w.Text(description="Image", placeholder="part of its name", continuous_update=False,
                            style=NAMED, layout={"width": "210px"})
        self.every = button("All steps", lambda: self._choose(low, LAST))
        self.back = button("Page back", lambda: self._turn(-PAGE))
        self.on = button("Page on", lambda: self._turn(PAGE))
        self._quiet = False
        for control in (self.kind, self.order, self.first, self.last, self.image):
            control.observe(lambda _: self._quiet or self._find(), "value")

    def look(self) -> None:
        """Take in what was recorded since; an upper step that stood at the end moves along."""
        changed = self.run.refresh()
        self.findings.look()
        if not changed:
            return self.headline()
        top = int(self.run.index["step"].max()) if len(self.run) else 0
        follows, self._top = self.last.value >= self._top, top
        self.curves.look()
        self.headline()
        self._choose(self.first.value, top if follows else self.last.value, self._at)

    def choose_step(self, step: int) -> None:
        """Show the rollouts of one step, as a click on a curve does."""
        self._choose(step, step)

    def _choose(self, first, last, at=0):
        """Choose steps, both ends at once, and the page that starts at the given place."""
        self._quiet = True
        self.first.value, self.last.value = first, min(last, self._top)
        self._quiet = False
        self._find(at)

    def _find(self, at=0):
        steps = self.first.value, self.last.value
        self.found = self.run.find(self.kind.value, self.order.value, steps, self.image.value.strip())
        self._at = 0
        self._turn(at)

    def _turn(self, by):
        """Go on by so many rollouts, and show that page."""
        n = len(self.found)
        self._at = min(max(0, self._at + by), max(0, (n - 1) // PAGE * PAGE))
        pages = f"page {self._at // PAGE + 1} of {max(1, math.ceil(n / PAGE))}"
        self.count.value = status_html(f"<b>{n:,}</b> of {len(self.run):,} rollouts; {pages}")
        self.back.disabled, self.on.disabled = self._at == 0, self._at + PAGE >= n
        self.cards.fill(self.run, self.found[self._at:self._at + PAGE])


class WatchView(Following):
    """What `watch` returns; its controls: stop, resume, refresh, follow."""

    def __init__(self, run):
        super().__init__(run, follow=True)
        self.stop = button("Stop the run", lambda: self._act(run.stop))
        self.resume = button("Resume it", lambda: self._act(run.resume))
        self.curves, self.seconds, self.latest, self.output = Curves(run), area(), area(), area()
        self.children = [self.status, row(self.stop, self.resume, self.refresh, self.follow), self.curves,
                         self.seconds, self.latest, self.output]
        self._draw()

    def look(self) -> None:
        """Take in what was recorded since."""
        if self.run.refresh():
            self.curves.look()
            self._draw()
        else:
            self._draw_state()

    def _act(self, action):
        try:
            action()
        except RuntimeError as error:
            self.output.value = f'<p role="alert">{show.text_html(error)}</p>'
        self._draw_state()

    def _draw(self):
        self._draw_state()
        self.seconds.value = phases(self.run)
        group = self.run.latest()
        if group:
            title = f"A group of step {group[0].info.get('step')}, by advantage"
            self.latest.value = f"<h3>{title}</h3>{recorded(group)._repr_html_()}"

    def _draw_state(self):
        state = self.run.state
        self.headline()
        self.stop.disabled, self.resume.disabled = state != "running", state != "stopped"
        tail = self.run.output(12)
        if tail:
            opened = " open" if state == "stopped" else ""
            self.output.value = (f"<details{opened}><summary>what the process printed last</summary>"
                                 "<pre style='white-space:pre-wrap;line-height:1.3'>"
                                 f"{show.text_html(tail, total=4000)}</pre></details>")
