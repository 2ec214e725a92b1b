"""Look into one rollout and take part: step through it, edit a turn, branch from it, write the next one.

Two columns, which stand one above the other where there is no room: what was written and what can be done on
the left, the pictures and what they earned on the right. The widget is a thin shell: `show` draws, `branch`
does the work, and both serve without widgets. What takes time runs in a thread; `wait()` blocks until it is
done.

Left out: groups of rollouts and whole runs (`inspect_group`, `inspect_run`), and undo beyond the branches
themselves, which never replace what they left.
"""

from __future__ import annotations

import time
from dataclasses import replace

import ipywidgets as w

from ..play import branch
from ..policy import Human, load_policy
from ..records import Recorder
from ..rollout import Rollout
from ..show import html as show
from ..show.ledger import ledger, ledger_html
from ..show.rollout import beside_html, strip_html, turn_title, written_html
from ..whatif import other_judge
from .base import NAMED, Worker, area, button, choice, columns, row, visible
from .editor import NOTHING_NEW, Change, Left
from .pictures import Pictures
from .still import Still

THUMBNAIL, BESIDE = 84, 64  # pixels wide, alone and above a branch's


def inspect(rollout, policy=None, max_turns: int = 3, **environment) -> Inspector:
    """A rollout to step through, edit and branch.

    `policy` may continue branches, of `max_turns` turns; without one the embedded model is loaded when it is
    asked to. `environment` holds what `Episode` takes (`judge`, `renderer`, ...).

    Example: `rl.inspect(rl.load_rollouts("data/rollouts")[0], rl.load_policy("nano"))`.
    """
    return Inspector(rollout, policy, max_turns, **environment)


class Inspector(Still, Worker):
    """What `inspect` shows: `rollouts` are the first and its branches, `shown` is on view, at `turn`.

    The controls are `which` (rollout), `at_turn`, `pictures` (`how`, `percent`) and `change` (fields and
    buttons); `note` says where a branch was judged by another judge than the record. `head` stands above the
    left column; without `edit` nothing can be changed.
    `show(rollout)` replaces all of it, so that `play(policy, image, on_turn=inspector.show)` fills it turn by
    turn.
    """

    def __init__(self, rollout, policy=None, max_turns=3, edit=True, head=(), **environment):
        super().__init__()
        self.policy, self.max_turns, self.environment = policy, max_turns, environment
        self.which, self.at_turn = choice("Rollout", width="98%"), choice("Turn", width="150px")
        self.back = button("Previous turn", lambda: self.step(-1))
        self.on = button("Next turn", lambda: self.step(1))
        self.change, self.pictures = Change(self), Pictures()
        self.note, self.strip, self.written, self.costs = (area() for _ in range(4))
        look = [*head, self.which, self.note, self.strip, row(self.back, self.on, self.at_turn)]
        acts = [self.change, self.status, self.stream, row(*self._kept())] if edit else []
        self.children = [columns([*look, *acts, self.written], [self.pictures, self.costs])]
        self.redraw_on(self.which, self._draw_rollout)
        self.redraw_on(self.at_turn, self._draw_turn)
        self.show(rollout, 1)

    def _kept(self):
        """Where rollouts are saved, and the button that does it."""
        folder = w.Text("runs/branches", description="Folder", style=NAMED, layout={"width": "180px"})
        return folder, button("Save", lambda: self.save(folder.value), "record these rollouts in the folder")

    def still(self) -> str:
        """The turns as a strip."""
        return strip_html(self.shown, self.turn)

    # ---------------------------------------------------------------------------------------- what is on view

    @property
    def editor(self):
        """The fields of the turn on view."""
        return self.change.editor

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
        """Put a branch beside the rollout it left, number `parent` of `rollouts`, at its first new turn."""
        self._put(len(self.rollouts), rollout, parent, first_change(self.rollouts[parent], rollout))

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
        changed = self.changes()
        if "code" not in changed:
            return self.say("Nothing was changed: edit the thought, the code or the feedback first."
                            if not changed else NOTHING_NEW)
        self._branch()

    def resume(self) -> None:
        """The policy continues from the turn as edited (or, with nothing edited, speaks again from there)."""
        self._branch(self._policy)

    def sit(self) -> None:
        """A person continues from the turn as edited, in the policy's place."""
        self._branch(self._seated)

    def stop(self) -> None:
        """Ask the running work to end; what was said until then is kept."""
        super().stop()
        self.change.seat.send(None)

    def save(self, folder) -> None:
        """Record the rollout and its branches under `folder`, as `load_rollouts` reads them."""
        path = Recorder(folder).write(time.strftime("branch-%Y%m%d-%H%M%S"), self.rollouts)
        self.say(f"{len(self.rollouts)} rollouts in {path}")

    def _branch(self, get_policy=None):
        """Branch from the turn on view as edited, in the thread; turns are shown as they come."""
        if not self.shown.turns:
            return self.say("There is no turn to change yet.")
        changed, parent, turn, old = self.changes(), self.which.value, self.turn, self.shown
        info = {"branch": {"turn": turn, "changed": list(changed)}}
        at, started = len(self.rollouts), time.time()
        self.say("Rendering ...")

        def came(made):
            if len(made.turns) > turn:
                self.stream.value = ""
                self._put(at, replace(made, info=info), parent, len(made.turns))

        def work():
            try:
                policy = get_policy and get_policy()
                made = branch(old, turn, policy, **changed, max_turns=max(self.max_turns, turn + 1),
                              on_turn=policy and came, on_text=policy and self.wrote, stop=self.stopped,
                              **self.environment)
            except Left as left:
                return self.say(str(left))
            finally:
                self.change.sitting(False)
            if self._mixed is None:  # all branches have one judge: one look at the record tells
                self._mixed = other_judge(self.rollouts[0], self.environment.get("judge"))
            self._put(at, made, parent, first_change(old, made))
            self.say(f"{came_of(old, made)}; {time.time() - started:.2f} s")

        self.start(work)

    def _put(self, at, made, parent, turn):
        """Rollout number `at` is this branch of another; it is shown at `turn`."""
        self.rollouts[at:], self._parents[at:] = [made], [parent]
        self._draw(turn)

    def _policy(self):
        """The policy that goes on: the one given, else the embedded model, loaded when it is first asked."""
        if self.policy is None:
            self.say("Loading the embedded model nano ...")
            self.policy = load_policy("nano")
            self._allow()
        self.say("Writing ...")
        return self.policy

    def _seated(self):
        """A person as the policy, at the seat that takes the editor's place."""
        self.change.sitting(True)
        return Human(self._ask)

    def _ask(self, conversation):
        self.say(f"{told(self.shown, self.turn)}Write the next turn.")
        said = self.change.seat.ask(conversation)
        if said is None:
            raise Left("you left the chair; the turns until then are kept")
        self.say("Rendering ..." if said else "Answering ...")
        return said

    def _allow(self):
        self.change.allow(self.shown, self.turn, self.policy)

    # ------------------------------------------------------------------------------------------------ drawing

    def _draw(self, turn=None):
        """Everything, after the list of rollouts changed; the newest is shown."""
        with self.lock:
            with self.setting():
                names = ["as it was"] + [f"branch {k}" for k in range(1, len(self.rollouts))]
                named = zip(names, self.rollouts, strict=True)
                self.which.options = [(f"{name}: {total(made)}", k) for k, (name, made) in enumerate(named)]
                self.which.value = len(self.rollouts) - 1
                visible(self.which, len(self.rollouts) > 1)
            self._draw_rollout(turn)

    def _draw_rollout(self, turn=None):
        with self.lock:
            with self.setting():
                turns = len(self.shown.turns)
                self.at_turn.options = [(turn_title(self.shown, i), i + 1) for i in range(turns)]
                self.at_turn.value = (turn or turns) if turns else None
            self.costs.value = costs(self.shown, self.policy)
            self._draw_turn()

    def _parent(self):
        """The rollout that the one on view was branched from, or None."""
        parent = self._parents[self.which.value]
        return None if parent is None else self.rollouts[parent]

    def _draw_turn(self):
        with self.lock:
            before, made, turn = self._parent(), self.shown, self.turn
            if before is None:
                self.note.value, self.strip.value = "", strip_html(made, turn, THUMBNAIL, target=False)
            else:
                self.note.value = show.says("Note:", show.text_html(self._mixed)) if self._mixed else ""
                self.strip.value = beside_html(before, made, turn, BESIDE, target=False)
            self.back.disabled, self.on.disabled = turn in (None, 1), turn in (None, len(made.turns))
            self.written.value = show.folded("code as it was written, and what changed",
                                             written_html(made, turn)) if turn else ""
            self.editor.fill(made.turns[turn - 1] if turn else None)
            self._allow()
            self.pictures.look_at(made, turn, before)


def first_change(original, made) -> int:
    """The first turn (from 1) of a branch whose program is not the original's; its last where all are."""
    for k, turn in enumerate(made.turns, 1):
        if k > len(original.turns) or turn.code != original.turns[k - 1].code:
            return k
    return len(made.turns)


def came_of(original, made) -> str:
    """What a branch came to, beside the rollout that it left."""
    k = first_change(original, made)
    was = f"{outcome(original, k)} -> " if k <= len(original.turns) else ""
    same = [turn.code for turn in original.turns] == [turn.code for turn in made.turns]
    return (f"{'The same programs as before. ' if same else ''}Turn {k}: {was}{outcome(made, k)}; "
            f"{total(original)} -> {show.number(made.reward.total)}")


def outcome(rollout, turn: int) -> str:
    """What a turn (from 1) came to: its score, "failed", or "answer"."""
    return turn_title(rollout, turn - 1).partition(": ")[2].removesuffix(" (final)")


def told(rollout, turn: int | None) -> str:
    """What the judge said of a turn, for the one who writes the next."""
    if turn is None:
        return ""
    verdict = rollout.turns[turn - 1].verdict
    return f"{outcome(rollout, turn)}: {verdict.feedback} " if verdict else f"{outcome(rollout, turn)}. "


def total(rollout) -> str:
    """A rollout's reward in words."""
    return f"reward {show.number(rollout.reward.total)}" if rollout.reward else "no reward yet"


def costs(rollout, policy) -> str:
    """HTML of what a rollout took; tokens are counted where the policy is a model."""
    model = policy if hasattr(policy, "inputs") else None
    return show.folded("time and tokens", ledger_html(ledger(rollout, model))) if rollout.turns else ""
