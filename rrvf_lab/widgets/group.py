"""The groups of one batch to weigh anew: `inspect_group`.

A box of controls round `show.groups.sheet`. What they do can be done by setting their `value` in code.

Left out: rollouts of several training steps, which share no baseline.
"""

from __future__ import annotations

from dataclasses import replace

import ipywidgets as w

from ..reward import RewardWeights
from ..show.groups import group_key, places_html, sheet
from ..show.html import plain
from ..training.advantages import BASELINES, FLAT, SCALES
from .base import area, choice, number, row, status_html
from .still import Still

SPREADS = {"none": "nothing: do not divide"}
MEANS = {"mean": "the group's mean", "leave-one-out": "mean of the others", "batch": "the batch's mean"}


def inspect_group(rollouts, weights: RewardWeights | None = None, scale: str = "group",
                  baseline: str = "mean") -> GroupView:
    """The groups of one batch as contact sheets by advantage; weights, scale and baseline are live controls.

    `rollouts` are of one training step, or of one image. `weights` are the first ones shown (default:
    `RewardWeights()`). Raises what `show.groups.sheet` raises, which is also what to call without widgets.

    Example: `inspect_group(load_rollouts("data/rollouts/group"))`.
    """
    return GroupView(rollouts, weights or RewardWeights(), scale, baseline)


class GroupView(Still, w.VBox):
    """What `inspect_group` returns: `sheet` is shown; controls: group, vision, format, tool, scale, baseline.
    """

    def __init__(self, rollouts, weights, scale, baseline):
        self.rollouts, self._weights = list(rollouts), weights
        self.sheet = sheet(self.rollouts, weights, scale, baseline)
        self.group = choice("Group", self._groups())
        self.vision, self.format, self.tool = (
            number(f"{part.capitalize()} weight", getattr(weights, part), -10.0, 10.0)
            for part in ("vision", "format", "tool"))
        scales = [(SPREADS.get(name, name), name) for name in SCALES]
        self.scale = choice("Divide by the spread of the", scales, scale, "370px")
        self.baseline = choice("Baseline", [(MEANS.get(name, name), name) for name in BASELINES], baseline)
        self.note, self.page = area(), area()
        weigh = row(self.group, self.vision, self.format, self.tool)
        super().__init__([weigh, row(self.scale, self.baseline), self.note, self.page])
        for control in (self.group, self.vision, self.format, self.tool, self.scale, self.baseline):
            control.observe(lambda _: self._draw(), "value")
        self._draw()

    def _groups(self):
        """(what the list says, group) for each group, in order of appearance."""
        labels = list(dict.fromkeys(self.sheet.groups))
        image = {group_key(rollout): rollout.id for rollout in reversed(self.rollouts)}
        return [(f"{k} of {len(labels)}: {plain(image[label], total=60)}", label)
                for k, label in enumerate(labels, 1)]

    def still(self) -> str:
        """The order of the group on view, as a table."""
        return self.note.value + places_html(self.sheet)

    def _draw(self):
        weights = replace(self._weights, vision=self.vision.value, format=self.format.value,
                          tool=self.tool.value)
        self.sheet = sheet(self.rollouts, weights, self.scale.value, self.baseline.value,
                           shown=self.group.value)
        self.page.value = self.sheet._repr_html_()
        self.note.value = status_html(self._said() + ".")  # read out when the page is there

    def _said(self):
        """What the numbers on view come to, in a sentence of HTML."""
        group, sheet = self.group.value, self.sheet
        order = sheet.order(group)
        moved = sum(a != b for a, b in zip(order, sheet.recorded_order(group), strict=True))
        values = [sheet.advantages[i] for i in order]
        said = f"Advantages from {min(values):+.2f} to {max(values):+.2f}; "
        if moved:
            said += f"{moved} of {len(order)} rollouts stand elsewhere than with the recorded rewards"
        else:
            said += "the recorded order"
        flat = sum(sheet.spread(label) < FLAT for label in dict.fromkeys(sheet.groups))
        if flat:
            said += f"; <b>&#9888; zero spread in {flat} of {len(self.group.options)} groups</b>"
        return said
