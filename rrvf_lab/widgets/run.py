"""Groups and runs to touch in a cell: `inspect_group`, `inspect_run`, `watch`.

Each is a box of ordinary ipywidgets round plain functions: `groups.sheet`, `Run.find`, `Run.curves`, `runs.thumbnail`.
What the controls do can be done by setting their `value` in code. A view that follows a run looks every two seconds,
between cells, on the kernel's own loop, so it neither blocks a cell nor is seen while one computes.

Left out: sliders and pictures as widgets, which screen readers cannot name (numbers are typed, pictures are HTML with
alt text, every curve has a table). Without anywidget, which plotly needs, curves are a picture and cannot be clicked.
"""

from __future__ import annotations

import asyncio
import html
import math
from dataclasses import replace

import ipywidgets as widgets

from ..show.groups import BASELINES, FLAT, SCALES, group_key, recorded, sheet
from ..reward import RewardWeights
from ..training.runs import CURVES, KINDS, ORDERS, PLOT_TEXT, Run, numbers, phases, thumbnail
from ..show.rollout import plain, text_html

PAGE = 12                # rollouts on a page of the run browser
EVERY = 2.0              # seconds between two looks at a run that goes on


def inspect_group(rollouts, weights: RewardWeights | None = None, scale: str = "group",
                  baseline: str = "mean") -> GroupView:
    """The groups of one batch as contact sheets by advantage, with reward weights, scale and baseline as live controls.

    `rollouts` are of one training step, or of one image. `weights` are the first ones shown (default:
    `RewardWeights()`). Raises what `groups.sheet` raises, which is also what to call without widgets.

    Example: `inspect_group(load_rollouts("data/rollouts/group"))`.
    """
    return GroupView(rollouts, weights or RewardWeights(), scale, baseline)


def inspect_run(run) -> RunView:
    """A run's browser: curves, filters and orders over all recorded rollouts, and the groups behind a point of a curve.

    `run` is a `Run` or its folder; it may still be going on. Without widgets: `Run.find`, `Run.curves`, `Run.group`.

    Example: `inspect_run("runs/demo")`.
    """
    return RunView(run if isinstance(run, Run) else Run(run))


def watch(run) -> WatchView:
    """A run in progress: its state, curves, seconds by phase and newest group; stop it, resume it.

    `run` is a `Run` or its folder, started here or in a terminal. Without widgets: show the `Run` itself in a cell.

    Example: `watch(start("demo", steps=10))`.
    """
    return WatchView(run if isinstance(run, Run) else Run(run))


def _number(label, value, low=-10.0, high=10.0, step=0.05):
    return widgets.BoundedFloatText(value=value, min=low, max=high, step=step, description=label,
                                    style={"description_width": "initial"}, layout={"width": "150px"})


def _choice(label, options, value, width="260px"):
    return widgets.Dropdown(options=options, value=value, description=label, style={"description_width": "initial"},
                            layout={"width": width})


def _button(label, width="120px"):
    return widgets.Button(description=label, layout={"width": width})


def _row(*children):
    return widgets.HBox(children, layout={"flex_flow": "row wrap", "grid_gap": "4px 14px", "overflow": "visible"})


class GroupView(widgets.VBox):
    """What `inspect_group` returns; controls: group, vision, format, tool, scale, baseline; `sheet` is shown."""

    def __init__(self, rollouts, weights, scale, baseline):
        self.rollouts, self._weights, self._pictures = list(rollouts), weights, {}
        self.sheet = sheet(self.rollouts, weights, scale, baseline)
        labels = list(dict.fromkeys(self.sheet.groups))
        image = {group_key(r): r.id for r in reversed(self.rollouts)}
        names = [(f"{k} of {len(labels)}: {plain(image[g], total=60)}", g) for k, g in enumerate(labels, 1)]
        self.group = _choice("Group", names, labels[0])
        self.vision, self.format, self.tool = (_number(f"{part.capitalize()} weight", getattr(weights, part))
                                               for part in ("vision", "format", "tool"))
        said = {"none": "nothing: do not divide"}
        self.scale = _choice("Divide by the spread of the", [(said.get(v, v), v) for v in SCALES], scale, "370px")
        said = {"mean": "the group's mean", "leave-one-out": "mean of the others", "batch": "the batch's mean"}
        self.baseline = _choice("Baseline", [(said.get(v, v), v) for v in BASELINES], baseline)
        self.note, self.page = widgets.HTML(), widgets.HTML()
        super().__init__([_row(self.group, self.vision, self.format, self.tool), _row(self.scale, self.baseline),
                          self.note, self.page])
        for control in (self.group, self.vision, self.format, self.tool, self.scale, self.baseline):
            control.observe(self._show, "value")
        self._show()

    def _show(self, _=None):
        weights = replace(self._weights, vision=self.vision.value, format=self.format.value, tool=self.tool.value)
        group = self.group.value
        self.sheet = sheet(self.rollouts, weights, self.scale.value, self.baseline.value, shown=group)
        order = self.sheet.order(group)
        moved = sum(a != b for a, b in zip(order, self.sheet.recorded_order(group)))
        values = [self.sheet.advantages[i] for i in order]
        flat = sum(self.sheet.spread(g) < FLAT for g in dict.fromkeys(self.sheet.groups))
        note = f"Advantages from {min(values):+.2f} to {max(values):+.2f}; "
        note += f"{moved} of {len(order)} rollouts stand elsewhere than with the recorded rewards" if moved else \
            "the recorded order"
        note += f"; <b>&#9888; zero spread in {flat} of {len(self.group.options)} groups</b>" if flat else ""
        self.note.value = f'<p role="status">{note}.</p>'
        self.page.value = self.sheet._repr_html_()


class _Following(widgets.VBox):
    """A view that looks again while its box "Follow" is ticked and the kernel has a loop."""

    def __init__(self, run, follow):
        self.run, self._task = run, None
        self.follow = widgets.Checkbox(value=follow, description="Follow the run", indent=False,
                                       layout={"width": "150px"})
        self.refresh = _button("Look again")
        self.refresh.on_click(lambda _: self.look())
        self.status = widgets.HTML()
        super().__init__()
        self.follow.observe(lambda _: self._start(), "value")
        self._start()

    def _start(self):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script: "Look again" still works
            return
        if self.follow.value and (self._task is None or self._task.done()):
            self._task = loop.create_task(self._loop())

    async def _loop(self):
        while self.follow.value and self.comm is not None:
            await asyncio.sleep(EVERY)
            try:
                self.look()
            except Exception as error:  # a deleted folder, a full disk: say so and stop
                self.status.value = f'<p role="status"><b>&#9888; {text_html(error)}</b></p>'
                self.follow.value = False

    def close(self):
        self.follow.value = False
        super().close()

    def _headline(self):
        text = f'<b>{html.escape(str(self.run.path))}</b>: {html.escape(self.run.summary())}'
        steps = self.run.config.steps if self.run.config else 0
        done = int(self.run.index["step"].max()) if len(self.run) else 0
        bar = f' <progress aria-label="steps done" value="{done}" max="{steps}"></progress>' if steps else ""
        self.status.value = f'<p role="status">{text}{bar}</p>'


class _Curves(widgets.VBox):
    """The run's curves: lines that can be clicked (or a picture without anywidget), and the same as a table.

    plotly takes longer to import than a large run to index, so where a loop runs it is imported beside it, after the
    rest of the view is shown. `figure` is None until then.
    """

    def __init__(self, run, clicked=None):
        self.run, self.clicked, self.figure, self.table = run, clicked, None, widgets.HTML()
        wait = widgets.HTML("<p>The curves are being loaded ...</p>")
        self.place = widgets.VBox([wait], layout={"min_height": "270px"})
        super().__init__([self.place, self.table])
        try:
            self._task = asyncio.get_running_loop().create_task(self._later())
        except RuntimeError:
            self._build()

    async def _later(self):
        await asyncio.to_thread(_plotly)
        self._build()

    def _build(self):
        go = _plotly()
        if go is None:
            self.figure = widgets.HTML()
        else:
            # Whole at once: what is added before the page has loaded plotly's script would be lost.
            self.figure = go.FigureWidget(self._lines(), {
                "height": 270, "margin": {"l": 50, "r": 10, "t": 30, "b": 40}, "template": "none",
                "hovermode": "x unified", "legend": {"orientation": "h", "y": 1.16},
                "xaxis": {"title": "step", "tickformat": "d"},
                "yaxis": {"title": "mean of a step", "gridcolor": "#ddd"}})
            self.figure._config = {"displayModeBar": False, "responsive": True}
            for trace in self.figure.data:
                trace.on_click(lambda _, points, __: self.clicked and points.xs and self.clicked(int(points.xs[0])))
        self.look()
        self.place.children = [self.figure]

    def _lines(self):
        curves = self.run.curves()
        return [{"type": "scatter", "name": name, "mode": "lines+markers", "marker": {"size": 5}, "x": curves["step"],
                 "y": curves[name], "line": {"color": colour, "dash": dash}} for name, (colour, dash) in CURVES.items()]

    def look(self):
        self.table.value = numbers(self.run)
        if isinstance(self.figure, widgets.HTML):
            from ..show.plots import show

            self.figure.value = show(self.run.plot(), PLOT_TEXT, 720)._repr_html_()
        elif self.figure is not None:
            curves = self.run.curves()
            with self.figure.batch_update():
                for trace in self.figure.data:
                    trace.x, trace.y = curves["step"], curves[trace.name]
                few = len(curves["step"]) and curves["step"][-1] - curves["step"][0] < 12
                self.figure.layout.xaxis.dtick = 1 if few else None  # else plotly marks half steps, rounded


def _plotly():
    """plotly.graph_objects, or None where its widget lacks anywidget."""
    try:
        import anywidget  # noqa: F401
        import plotly.graph_objects as go

        go.FigureWidget  # plotly imports this name when it is first asked for
        return go
    except ImportError:
        return None


class RunView(_Following):
    """What `inspect_run` returns; its controls: kind, order, first, last, image, back, on, follow.

    `found` are the positions of the rollouts that pass, `opened` is the one looked at (`run[opened]`), or None.
    """

    def __init__(self, run):
        super().__init__(run, follow=run.state == "running")
        steps = run.index["step"]
        low, high = (int(steps.min()), int(steps.max())) if len(run) else (0, 0)
        self.found, self.opened, self._at = [], None, 0
        self.kind = _choice("Show", [(f"{kind}: {why}", kind) for kind, why in KINDS.items()], "all", "330px")
        self.order = _choice("Order", list(ORDERS), "newest", "220px")
        self.first, self.last = (
            widgets.IntText(value=value, description=label, style={"description_width": "initial"},
                            layout={"width": "150px"})
            for label, value in (("From step", low), ("To step", high)))
        self.image = widgets.Text(description="Image", placeholder="part of its name", continuous_update=False,
                                  style={"description_width": "initial"}, layout={"width": "210px"})
        self.every, self.back, self.on = map(_button, ("All steps", "Page back", "Page on"))
        self.curves = _Curves(run, self._jump)
        self.count, self.detail, self.group = widgets.HTML(), widgets.HTML(), widgets.VBox()
        self.weigh = _button("Weigh this step anew", "190px")
        self.weigh.layout.display = "none"
        self.cards = [widgets.VBox([widgets.HTML(), _button("", "180px")], layout={"width": "320px"})
                      for _ in range(PAGE)]
        for card in self.cards:
            card.children[1].on_click(lambda button: self.look_at(button.position))
        for control in (self.kind, self.order, self.first, self.last, self.image):
            control.observe(self._filter, "value")
        self.back.on_click(lambda _: self._turn(-PAGE))
        self.on.on_click(lambda _: self._turn(PAGE))
        self.every.on_click(lambda _: self._span(low, 10**9))
        self.weigh.on_click(self._weigh)
        hint = widgets.HTML("<p>Click a point of a curve, or type its step, to see the rollouts behind it.</p>")
        self.children = [self.status, self.curves, hint,
                         _row(self.kind, self.order, self.first, self.last, self.every, self.image), self.count,
                         _row(self.back, self.on, self.refresh, self.follow), _row(*self.cards), self.detail,
                         self.weigh, self.group]
        self._top = high
        self._headline()
        self._filter()

    def look(self):
        """Take in what was recorded since; an upper step that stood at the end moves along."""
        if not self.run.refresh():
            return self._headline()
        top = int(self.run.index["step"].max()) if len(self.run) else 0
        follows, self._top = self.last.value >= self._top, top
        self.curves.look()
        self._headline()
        self._span(self.first.value, top if follows else self.last.value, self._at)

    def _span(self, first, last, at=0):
        """Choose steps, both ends at once, and the page that starts at the given place."""
        for control, value in ((self.first, first), (self.last, min(last, self._top))):
            control.unobserve(self._filter, "value")
            control.value = value
            control.observe(self._filter, "value")
        self._filter(at=at)

    def _jump(self, step):
        self._span(step, step)

    def _filter(self, _=None, at=0):
        steps = self.first.value, self.last.value
        self.found = self.run.find(self.kind.value, self.order.value, steps, self.image.value.strip())
        self._at = 0
        self._turn(at)

    def _turn(self, by):
        self._at = min(max(0, self._at + by), max(0, (len(self.found) - 1) // PAGE * PAGE))
        self._page()

    def _page(self):
        n, page = len(self.found), self.found[self._at:self._at + PAGE]
        self.count.value = (f'<p role="status"><b>{n:,}</b> of {len(self.run):,} rollouts; '
                            f"page {self._at // PAGE + 1} of {max(1, math.ceil(n / PAGE))}</p>")
        self.back.disabled, self.on.disabled = self._at == 0, self._at + PAGE >= n
        for card, i in zip(self.cards, [int(i) for i in page] + [None] * (PAGE - len(page))):
            card.layout.display = "none" if i is None else None
            picture, button = card.children
            if i is not None:
                picture.value, button.position = thumbnail(self.run, i), i
                button.description = f"Open rollout {i}"

    def look_at(self, i: int) -> None:
        """Show rollout i whole, and its group by advantage."""
        self.opened, rollout = i, self.run[i]
        group = self.run.group(i)
        others = f"<h3>Its group, by advantage</h3>{recorded(group)._repr_html_()}" if len(group) > 1 else ""
        line = html.escape(f"rl.inspect(rl.Run({str(self.run.path)!r})[{i}])")
        self.detail.value = (f"<h3>Rollout {i}</h3><p>To step through it, in a cell: <code>{line}</code></p>"
                             f"{rollout._repr_html_()}{others}")
        self.weigh.layout.display = None if len(group) > 1 else "none"
        self.group.children = ()

    def _weigh(self, _):
        entry, config = self.run.index[self.opened], self.run.config
        view = inspect_group(self.run.step(int(entry["step"])), config and RewardWeights(**config.reward),
                             config.scale_rewards if config else "group")
        view.group.value = int(entry["group"])
        self.group.children = (view,)


class WatchView(_Following):
    """What `watch` returns; its controls: stop, resume, refresh, follow."""

    def __init__(self, run):
        super().__init__(run, follow=True)
        self.stop, self.resume = map(_button, ("Stop the run", "Resume it"))
        self.stop.on_click(lambda _: self._act(run.stop))
        self.resume.on_click(lambda _: self._act(run.resume))
        self.curves, self.seconds, self.latest, self.output = _Curves(run), *(widgets.HTML() for _ in range(3))
        self.children = [self.status, _row(self.stop, self.resume, self.refresh, self.follow), self.curves,
                         self.seconds, self.latest, self.output]
        self._show()

    def look(self):
        """Take in what was recorded since."""
        if self.run.refresh():
            self.curves.look()
            self._show()
        else:
            self._state()

    def _act(self, action):
        try:
            action()
        except RuntimeError as error:
            self.output.value = f'<p role="alert">{text_html(error)}</p>'
        self._state()

    def _state(self):
        state = self.run.state
        self._headline()
        self.stop.disabled, self.resume.disabled = state != "running", state != "stopped"
        tail = self.run.output(12)
        if tail:
            opened = " open" if state == "stopped" else ""
            self.output.value = (f"<details{opened}><summary>what the process printed last</summary>"
                                 "<pre style='white-space:pre-wrap;line-height:1.3'>"
                                 f"{html.escape(plain(tail, total=4000))}</pre></details>")

    def _show(self):
        self._state()
        self.seconds.value = phases(self.run)
        group = self.run.latest()
        if group:
            self.latest.value = (f"<h3>A group of step {group[0].info.get('step')}, by advantage</h3>"
                                 f"{recorded(group)._repr_html_()}")
