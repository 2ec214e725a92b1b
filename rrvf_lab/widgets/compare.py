"""Judges side by side, to click: `inspect_judges`.

A box round `show.whatif.judge_scatter` and `inspect`: a point that is clicked is opened. Where anywidget is
missing, which plotly's figure needs, the list of rollouts does the same.

Left out: scoring anything (`whatif.compare_judges`).
"""

from __future__ import annotations

import ipywidgets as w

from ..show.html import number, plain, text_html
from ..show.whatif import judges_html, scatter_layout, scatter_traces
from ..whatif.judges import Judges
from .base import area, choice, row, status_html
from .inspector import inspect
from .run import _plotly


def inspect_judges(judges: Judges) -> JudgesView:
    """What `compare_judges` found, to look into: a scatter of two judges, and the rollout behind a point.

    Example: `inspect_judges(compare_judges("data/rollouts/group", {"recorded": None, "mine": mine}))`.
    """
    return JudgesView(judges)


class JudgesView(w.VBox):
    """What `inspect_judges` shows; controls: `first` and `second` (judges), `rollout` (those pushed the other
    way first), `judge` (whose numbers the `inspector` shows)."""

    def __init__(self, judges: Judges):
        self.judges, names = judges, list(judges.vision)
        self.first, self.second = choice("First judge", names, names[0]), choice("Second", names, names[1])
        self.rollout = choice("Rollout to open", width="420px")
        self.judge = choice("Numbers of", names, names[0])
        self.said, self.place = area(), w.VBox()
        self.inspector = inspect(judges.rollout(names[0], 0))
        self._go = _plotly()
        super().__init__([area(judges_html(judges)), row(self.first, self.second), self.place,
                          row(self.rollout, self.judge), self.said, self.inspector])
        for control in (self.first, self.second):
            control.observe(lambda _: self._draw(), "value")
        for control in (self.rollout, self.judge):
            control.observe(lambda _: self._open(), "value")
        self._draw()

    def _draw(self):
        """The scatter of the two judges, and the list of rollouts in their order."""
        a, b = self.first.value, self.second.value
        apart = self.judges.flips(a, b).tolist()
        rest = [i for i in range(len(self.judges.ids)) if i not in set(apart)]
        self.rollout.options = [(self._name(i, i in set(apart)), i) for i in apart + rest]
        self.figure = None
        if self._go is not None:
            self.figure = self._go.FigureWidget(scatter_traces(self.judges, a, b),
                                                scatter_layout(self.judges, a, b))
            for trace in self.figure.data:
                trace.on_click(self._hit)
        self.place.children = [] if self.figure is None else [self.figure]
        self.rollout.value = (apart + rest)[0]  # a list that is filled anew has chosen nothing yet
        self._open()

    def _name(self, i, apart):
        a, b = self.first.value, self.second.value
        scores = " and ".join(number(self.judges.vision[name][i]) for name in (a, b))
        return f"{i} {plain(self.judges.ids[i], total=40)}: {scores}" + (", other way" if apart else "")

    def _hit(self, trace, points, state):
        if points.point_inds:
            self.rollout.value = int(trace.customdata[points.point_inds[0]])

    def _open(self):
        i, name = self.rollout.value, self.judge.value
        if i is None:  # while the list is being replaced
            return
        self.inspector.show(self.judges.rollout(name, i))
        advantages = ", ".join(f"{one} {self.judges.advantages[one][i]:+.2f}" for one in self.judges.vision)
        self.said.value = status_html(text_html(f"Rollout {i}, scored by {name}. Advantage by judge: "
                                                f"{advantages}"))
