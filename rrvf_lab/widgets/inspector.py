"""Look into one rollout and take part: step through it, edit a turn, branch from it.

The widget is a thin shell: `show` draws, `branch` does the work, and both serve without widgets. What takes
time runs in a thread; `wait()` blocks until it is done.

Left out: groups of rollouts and whole runs (`inspect_group`, `inspect_run`), and undo beyond the branches
themselves, which never replace what they left.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import ipywidgets as w

from ..play import branch
from ..records import Recorder
from ..rollout import Rollout
from ..show import html as show
from ..show.ledger import ledger, ledger_html
from ..show.rollout import beside_html, reward_html, strip_html, turn_html, turn_title
from ..show.superpose import HOW
from ..whatif import other_judge
from .base import Worker, area, button, choice, number, row, text_field, visible

LONGEST = 100_000  # characters of a program that the edit field takes


def inspect(rollout, policy=None, max_turns: int = 3, **environment) -> Inspector:
    """A rollout to step through, edit and branch.

    `policy` may continue branches, of `max_turns` turns; `environment` holds what `Episode` takes (`judge`,
    `renderer`, ...).

    Example: `rl.inspect(rl.load_rollouts("data/rollouts")[0], rl.load_policy("nano"))`.
    """
    return Inspector(rollout, policy, max_turns, **environment)


class Inspector(Worker):
    """What `inspect` shows: `rollouts` are the first and its branches, `shown` is on view, at `turn`.

    The controls are `which` (rollout), `at_turn`, `how` and `percent` (of the comparison) and `editor`;
    `note` says where a branch was judged by another judge than the record.
    `show(rollout)` replaces all of it, so that `play(policy, image, on_turn=inspector.show)` fills it turn by
    turn.
    """

    def __init__(self, rollout, policy=None, max_turns=3, edit=True, **environment):
        super().__init__()
        self.policy, self.max_turns, self.environment = policy, max_turns, environment
        self._lock, self._drawing = threading.RLock(), False
        self.which, self.at_turn, self.how = choice("Rollout"), choice("Turn"), choice("Compare", HOW)
        self.percent = number("At percent", 50, 0, 100, step=5)
        self.back = button("Previous turn", lambda: self.step(-1))
        self.on = button("Next turn", lambda: self.step(1))
        self.editor = Editor()
        self.note, self.beside, self.detail, self.costs = area(), area(), area(), area()
        steps = row(self.back, self.on, self.at_turn, self.how, self.percent)
        look = [self.which, self.note, self.beside, steps, self.detail, self.costs]
        self.children = look + (self._to_change() if edit else [])
        self._redraw_on(self.which, self._draw_rollout)
        self._redraw_on(self.at_turn, self._draw_turn)
        self._redraw_on(self.how, self._draw_picture)
        self._redraw_on(self.percent, self._draw_picture)
        self.show(rollout, 1)

    def _to_change(self):
        """What stands under the turn: its fields, what to do with them, and how that goes."""
        again = button("Render and judge", self.rejudge, "render the edited code and judge its picture")
        on = button("Continue with the policy", self.resume, "the policy goes on from this turn, as edited",
                    disabled=self.policy is None)
        undo = button("Undo the edits", self.editor.undo)
        folder = w.Text("runs/branches", description="Folder")
        save = button("Save", lambda: self.save(folder.value), "record these rollouts in the folder")
        title = area(show.says("Change this turn and see what follows"))
        acts = row(again, on, self.stop_button, undo, folder, save)
        return [title, self.editor, acts, self.status, self.stream]

    def _repr_mimebundle_(self, **options):
        still = {"text/html": strip_html(self.shown, self.turn)}  # what a page without a kernel can show
        return still | super()._repr_mimebundle_(**options)

    # ---------------------------------------------------------------------------------------- what is on view

    @property
    def shown(self) -> Rollout:
        """The rollout on view."""
        return self.rollouts[self.which.value]

    @property
    def turn(self) -> int | None:
        """The turn on view, from 1; None where there is none yet."""
        return self.at_turn.value

    def show(self, rollout, turn: int | None = None) -> None:
        """Start over with another rollout, at `turn` (from 1; None: the last)."""
        self.rollouts, self._parents, self._mixed = [rollout], [None], None
        self._draw(turn)

    def add(self, rollout, parent: int = 0) -> None:
        """Put a branch beside the rollout it left, which is number `parent` of `rollouts`."""
        self.rollouts.append(rollout)
        self._parents.append(parent)
        self._draw(rollout.info["branch"]["turn"] if "branch" in rollout.info else None)

    def step(self, by: int) -> None:
        """Go forward or back by so many turns."""
        if self.shown.turns:
            self.at_turn.value = min(max(1, self.turn + by), len(self.shown.turns))

    # ---------------------------------------------------------------------------------------- what is changed

    def changes(self) -> dict[str, str]:
        """What the edit fields say that the turn on view does not, named as `branch` takes it."""
        return self.editor.changes()

    def rejudge(self) -> None:
        """Render and judge the turn as edited; the result is a branch that ends there."""
        if not self.changes():
            return self.say("Nothing was changed: edit the thought, the code or the feedback first.")
        self._branch(None)

    def resume(self) -> None:
        """The policy continues from the turn as edited (or, with nothing edited, speaks again from there)."""
        self._branch(self.policy)

    def save(self, folder) -> None:
        """Record the rollout and its branches under `folder`, as `load_rollouts` reads them."""
        path = Recorder(folder).write(time.strftime("branch-%Y%m%d-%H%M%S"), self.rollouts)
        self.say(f"{len(self.rollouts)} rollouts in {path}")

    def _branch(self, policy):
        if not self.shown.turns:
            return self.say("There is no turn to change yet.")
        changed, parent, turn, old = self.changes(), self.which.value, self.turn, self.shown
        started = time.perf_counter()
        self.say("Writing ..." if policy else "Rendering ...")

        def work():
            made = branch(old, turn, policy, **changed, max_turns=max(self.max_turns, turn + 1),
                          on_text=policy and self.written, stop=self.stopped, **self.environment)
            if self._mixed is None:  # all branches have one judge: one look at the record tells
                self._mixed = other_judge(self.rollouts[0], self.environment.get("judge"))
            self.add(made, parent)
            was, now = (show.number(rollout.turns[turn - 1].score) for rollout in (old, made))
            self.say(f"Turn {turn}: {was} -> {now}; {total(old)} -> {show.number(made.reward.total)}; "
                     f"{time.perf_counter() - started:.2f} s")

        self.start(work)

    # ------------------------------------------------------------------------------------------------ drawing

    def _redraw_on(self, control, draw):
        def changed(_):
            with self._lock:  # held by the thread that adds a branch, until it is all drawn
                if not self._drawing:
                    draw()

        control.observe(changed, "value")

    @contextmanager
    def _setting(self):
        """While the code sets what can be chosen, a new value is no choice of a person's."""
        with self._lock:
            self._drawing = True
            try:
                yield
            finally:
                self._drawing = False

    def _draw(self, turn=None):
        """Everything, after the list of rollouts changed; the newest is shown."""
        with self._lock:
            with self._setting():
                names = ["as it was"] + [f"branch {k}" for k in range(1, len(self.rollouts))]
                named = zip(names, self.rollouts, strict=True)
                self.which.options = [(f"{name}: {total(made)}", k) for k, (name, made) in enumerate(named)]
                self.which.value = len(self.rollouts) - 1
                visible(self.which, len(self.rollouts) > 1)
            self._draw_rollout(turn)

    def _draw_rollout(self, turn=None):
        with self._lock:
            with self._setting():
                turns = len(self.shown.turns)
                self.at_turn.options = [(turn_title(self.shown, i), i + 1) for i in range(turns)]
                self.at_turn.value = (turn or turns) if turns else None
                self.costs.value = costs(self.shown, self.policy)
            self._draw_turn()

    def _draw_turn(self):
        with self._lock:
            parent = self._parents[self.which.value]
            self.note.value = show.says("Note:", show.text_html(self._mixed)) if self._mixed and \
                parent is not None else ""
            self.beside.value = strip_html(self.shown, self.turn) if parent is None else \
                beside_html(self.rollouts[parent], self.shown, self.turn)
            self.back.disabled = self.turn in (None, 1)
            self.on.disabled = self.turn in (None, len(self.shown.turns))
            self.editor.fill(self.shown.turns[self.turn - 1] if self.turn else None)
            self._draw_picture()

    def _draw_picture(self):
        with self._lock:
            visible(self.percent, self.how.value in ("wipe", "overlay"))
            self.detail.value = ""
            if self.turn:
                self.detail.value = turn_html(self.shown, self.turn, self.how.value, self.percent.value)


class Editor(w.VBox):
    """The thought, code and feedback of one turn as fields of these names; `changes()` is what was edited."""

    def __init__(self):
        self.thought = text_field("Thought", rows=2)
        self.code = text_field("Code")
        self.feedback = text_field("Feedback", rows=2)
        self._fields = {"thought": self.thought, "code": self.code, "feedback": self.feedback}
        self._recorded = dict.fromkeys(self._fields, "")
        super().__init__(list(self._fields.values()))

    def fill(self, turn) -> None:
        """Put a turn's texts into the fields; None empties them.

        A text that is too long, or that would hide or reorder what is beside it, is not put there: the field
        is off and says how to change it in code.
        """
        self._recorded = _texts(turn)
        self.undo()

    def undo(self) -> None:
        """Put back what the turn says."""
        for name, field in self._fields.items():
            text = self._recorded[name]
            # the field would obey the signs that `plain` makes visible
            field.disabled = text != show.plain(text, LONGEST, LONGEST)
            field.value = "" if field.disabled else text
            field.placeholder = (f"too long ({len(text):,} characters) or with hidden signs; "
                                 f"rl.branch(rollout, turn, {name}=...) takes it") if field.disabled else ""

    def changes(self) -> dict[str, str]:
        """What the fields say that the turn does not."""
        return {name: field.value for name, field in self._fields.items()
                if not field.disabled and field.value != self._recorded[name]}


def _texts(turn):
    if turn is None:
        return {"thought": "", "code": "", "feedback": ""}
    feedback = turn.verdict.feedback if turn.verdict else ""
    return {"thought": turn.thought, "code": turn.code or "", "feedback": feedback}


def total(rollout) -> str:
    """A rollout's reward in words."""
    return f"reward {show.number(rollout.reward.total)}" if rollout.reward else "no reward yet"


def costs(rollout, policy) -> str:
    """HTML of what a rollout earned and took; tokens are counted where the policy is a model."""
    model = policy if hasattr(policy, "inputs") else None
    earned = reward_html(rollout.reward) if rollout.reward else ""
    return earned + show.folded("time and tokens", ledger_html(ledger(rollout, model)))
