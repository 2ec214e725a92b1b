"""What may be wrong with a run: the findings, ranked and folded, each with a button for the rollouts behind
it; and one rollout of a run in full.

The run is diagnosed in a thread, from what was recorded when it began. While a run goes on it is diagnosed
again as it grows, at most a tenth of the time.

Left out: finding anything (`diagnose`).
"""

from __future__ import annotations

import asyncio
import copy
import time

import ipywidgets as w

from ..diagnose import diagnose
from ..reward import RewardWeights
from ..show import html as show
from ..show.diagnosis import finding_html, headline_html, numbers_html
from ..show.groups import recorded
from ..show.rollout import reward_html, rollout_html, strip_html
from ..show.runs import thumbnail
from .base import area, button, row, status_html, visible
from .group import inspect_group

SHARE = 0.1  # of the time that diagnosing a growing run may take
SMALL = 100  # pixels that a picture of an opened rollout is wide
HEAD = "margin:.3em 0"
HIGH = 260   # pixels of the findings, which scroll inside


class Findings(w.VBox):
    """The findings on a run; `diagnosis` holds them, None until they are there (awaiting `task` waits).

    `look` takes in what was recorded since, where that is due; the button `again` does so at once; `unfold`
    shows what is folded, or folds it; `choose(k)` calls `shows(finding)` with finding k.
    """

    def __init__(self, run, findings, shows):
        self.run, self.looks, self.shows, self.diagnosis, self.task = run, list(findings), shows, None, None
        self._seen, self._ended, self._took = -1, 0.0, 0.0
        self.status, self.list, self.numbers = area(), w.VBox(layout={"overflow": "visible"}), area()
        self.again = button("Diagnose again", self.begin)
        self.fold = button("Show what may be wrong", self.unfold)
        self.inside = w.VBox([self.list, self.numbers, row(self.again)],
                             layout={"max_height": f"{HIGH}px", "overflow": "auto", "display": "none"})
        self.status.layout.width = "auto"
        super().__init__([row(self.fold, self.status), self.inside], layout={"overflow": "visible"})
        self.begin()

    def unfold(self) -> None:
        """Show the findings; hide them where they are shown."""
        shown = self.inside.layout.display != "none"
        visible(self.inside, not shown)
        self.fold.description = "Show what may be wrong" if shown else "Hide what may be wrong"

    def look(self) -> None:
        """Diagnose again where the run has changed and the last time is long enough ago."""
        due = time.monotonic() - self._ended > self._took / SHARE
        if len(self.run) != self._seen and due:
            self.begin()

    def begin(self) -> None:
        """Diagnose what is recorded by now: beside the kernel's loop where one runs, else at once."""
        if self.task is not None and not self.task.done():
            return
        self._seen = len(self.run)
        if not self._seen:
            self.status.value = status_html("No rollout is recorded yet.")
            return
        self.again.disabled, run = True, copy.copy(self.run)  # as it is now, while it grows
        if self.diagnosis is None:
            self.status.value = status_html(f"Diagnosing {self._seen:,} rollouts ...")
        try:
            self.task = asyncio.get_running_loop().create_task(self._later(run))
        except RuntimeError:
            self._show(*_diagnosed(run, self.looks))

    def choose(self, k: int) -> None:
        """Show the rollouts of finding k."""
        self.shows(self.diagnosis.findings[k])

    async def _later(self, run):
        self._show(*await asyncio.to_thread(_diagnosed, run, self.looks))

    def _show(self, found, seconds):
        self._ended, self._took, self.again.disabled = time.monotonic(), seconds, False
        if isinstance(found, Exception):
            self.status.value = status_html(f"<b>&#9888; {show.text_html(found, total=1000)}</b>")
            return
        self.diagnosis = found
        self.list.children = [self._box(k, finding) for k, finding in enumerate(found.findings)]
        self.status.value = status_html(headline_html(found))
        self.numbers.value = numbers_html(found)

    def _box(self, k, finding):
        count = len(finding.rollouts)
        opens = button(f"Show {count} rollout{'s' * (count != 1)} of it", lambda: self.choose(k),
                       f"its rollouts: {finding.name}")
        visible(opens, count > 0)
        return w.VBox([area(finding_html(k + 1, finding)), opens],
                      layout={"align_items": "flex-start", "overflow": "visible", "flex": "none"})


def _diagnosed(run, looks):
    """(the diagnosis, or what kept it from being made; the seconds it took)."""
    began = time.monotonic()
    try:
        found = diagnose(run, looks)
    except Exception as error:  # a thread has nowhere else to say it; a file that a resumed run dropped
        found = error
    return found, time.monotonic() - began


class Cards(w.HBox):
    """Up to a page of rollouts side by side: each a thumbnail of two pictures `width` wide, and a button that
    calls `opens(i)`."""

    def __init__(self, opens, most: int = 12, width: int = 80):
        self.cards = [Card(opens, width) for _ in range(most)]
        super().__init__(self.cards, layout={"flex_flow": "row wrap", "grid_gap": "4px 14px",
                                             "overflow": "visible"})

    def fill(self, run, positions) -> None:
        """Show these rollouts, the first page of them."""
        page = [int(i) for i in positions[:len(self.cards)]]
        for card, i in zip(self.cards, page + [None] * (len(self.cards) - len(page)), strict=True):
            card.fill(run, i)


class Card(w.VBox):
    """One rollout: its thumbnail, and a button that calls `opens(i)`."""

    def __init__(self, opens, width):
        self.i, self.picture, self.size = None, w.HTML(), width
        self.button = button("Open", lambda: opens(self.i))
        layout = {"width": f"{2 * width + 20}px", "align_items": "flex-start"}
        super().__init__([self.picture, self.button], layout=layout)

    def fill(self, run, i) -> None:
        """Show rollout i; off the page where i is None."""
        self.i = i
        visible(self, i is not None)
        if i is not None:
            self.picture.value = thumbnail(run, i, self.size)
            self.button.description = self.button.tooltip = f"Open rollout {i}"


class Detail(w.VBox):
    """One rollout whole, its group by advantage, and a button that weighs its step anew; `opened` is its
    position, or None. Without one: the newest group."""

    def __init__(self, run):
        self.run, self.opened = run, None
        self.page, self.group = area(), w.VBox(layout={"overflow": "visible"})
        self.weigh = button("Weigh this step anew", self._weigh)
        super().__init__([self.page, row(self.weigh), self.group])
        self.newest()

    def newest(self) -> None:
        """Show the newest recorded group."""
        self.opened, self.group.children = None, ()
        visible(self.weigh, False)
        group = self.run.latest()
        if not group:
            self.page.value = "<p>What is recorded will be shown here.</p>"
            return
        step = group[0].info.get("step")
        title = f"A group of step {step}, by advantage" if step is not None else "A rollout"
        self.page.value = f"<h3 style='{HEAD}'>{title}</h3>{recorded(group)._repr_html_()}"

    def look_at(self, i: int) -> None:
        """Show rollout i whole, and its group by advantage."""
        self.opened, group, rollout = i, self.run.group(i), self.run[i]
        line = show.text_html(f"rl.inspect(rl.Run({str(self.run.path)!r})[{i}])")
        others = f"<h3 style='{HEAD}'>Its group, by advantage</h3>{recorded(group)._repr_html_()}" \
            if len(group) > 1 else ""
        self.page.value = (
            f"<h3 style='{HEAD}'>Rollout {i}</h3>{strip_html(rollout, width=SMALL)}"
            f"{reward_html(rollout.reward) if rollout.reward else ''}"
            f"{show.folded('each turn in full: feedback, thought, code', rollout_html(rollout))}"
            f"<p style='{show.TIGHT}'>To step through it, in a cell: <code>{line}</code></p>{others}")
        visible(self.weigh, len(group) > 1)
        self.group.children = ()

    def _weigh(self):
        entry, config = self.run.index[self.opened], self.run.config
        view = inspect_group(self.run.step(int(entry["step"])), config and RewardWeights(**config.reward),
                             config.scale_rewards if config else "group")
        view.group.value = int(entry["group"])
        self.group.children = (view,)
