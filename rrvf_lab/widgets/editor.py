"""What can be done with a turn: fields to edit it, the buttons of `inspect`, and the seat of a person who
writes the next one.

Left out: doing any of it (`inspector`).
"""

from __future__ import annotations

import queue

import ipywidgets as w

from ..show import html as show
from .base import area, button, row, text_field, visible

LONGEST = 100_000  # characters of a program that the edit field takes
NANO_WRITES = "matplotlib"
NOTHING_NEW = ("Render needs changed code: a changed thought or sentence alone draws the same picture again. "
               "Continue shows what the policy makes of it.")


class Left(Exception):
    """A person left the policy's chair."""


class Change(w.VBox):
    """The fields of a turn (`editor`) with their buttons; in their place, while a person is the policy, a
    `seat`.

    `does` has the methods that the buttons call: `rejudge`, `resume`, `sit`, `stop`; its
    `stop_button` stands beside them.
    """

    def __init__(self, does):
        self.editor, self.why = Editor(does._allow), area()
        self.again = button("Render and judge", does.rejudge, "render the edited code and judge its picture")
        self.on = button("Continue with the policy", does.resume,
                         "the policy goes on from this turn, as edited")
        self.sits = button("Sit in the policy's chair", does.sit, "write the turns after this one yourself")
        undo = button("Undo the edits", self.editor.undo)
        acts = row(self.again, self.on), self.why, row(self.sits, undo, does.stop_button)
        self.fields = w.VBox([self.editor, *acts], layout={"overflow": "visible"})
        self.seat = Seat([button("Leave the chair", does.stop, "the turns until then are kept")])
        super().__init__([self.fields, self.seat], layout={"overflow": "visible"})
        visible(self.seat, False)

    def sitting(self, sits: bool) -> None:
        """Put the seat in the place of the fields, or the fields back."""
        if sits:
            self.seat.clear()
            self.seat.program.value = self.editor.code.value or self.seat.program.value
        visible(self.fields, not sits)
        visible(self.seat, sits)

    def allow(self, rollout, turn: int | None, policy) -> None:
        """Which buttons can be pressed for a turn as edited, and why others are grey."""
        it, changed = rollout.turns[turn - 1] if turn else None, self.editor.changes()
        goes = it is not None and (it.code is not None or "code" in changed)
        can_write = policy is not None or rollout.language == NANO_WRITES
        self.again.disabled, self.sits.disabled = "code" not in changed, not goes
        self.on.disabled = not (goes and can_write)
        self.on.description = "Load nano and continue" if policy is None and can_write else \
            "Continue with the policy"
        grey = []
        if it is not None and not goes:
            grey.append("This turn wrote no code: go back to one that did, to go on from there.")
        elif it is not None and not can_write:
            grey.append(f"Continue is grey: the embedded model writes {NANO_WRITES} only; "
                        "rl.inspect(rollout, policy) takes another.")
        if changed and "code" not in changed:
            grey.append(NOTHING_NEW)
        self.why.value = show.says("", " ".join(grey)) if grey else ""


class Editor(w.VBox):
    """The thought, code and feedback of one turn as fields of these names; `changes()` is what was edited."""

    def __init__(self, on_edit=lambda: None):
        self.code = text_field("Code", rows=7, above=True)
        self.thought = text_field("Thought", rows=2)
        self.feedback = text_field("Feedback", rows=2)
        self._fields = {"thought": self.thought, "code": self.code, "feedback": self.feedback}
        self._recorded = dict.fromkeys(self._fields, "")
        super().__init__([self.code, self.thought, self.feedback])
        for field in self._fields.values():
            field.observe(lambda _: on_edit(), "value")

    def fill(self, turn) -> None:
        """Put a turn's texts into the fields; None empties them.

        A text that is too long, or that would hide or reorder what is beside it, is not put there: the field
        is off and says how to change it in code. A turn without code has none to edit.
        """
        self._recorded = _texts(turn)
        self.undo()
        if turn is not None and turn.code is None:
            self.code.disabled, self.code.placeholder = True, "This turn wrote no code."

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


class Seat(w.VBox):
    """Where a person writes programs for a `Human`: `ask` waits for `send`; a program, "" for an answer with
    the best so far, None for silence."""

    def __init__(self, more=(), on_send=None):
        self._said, on_send = queue.Queue(), on_send or self.send
        self.program = text_field("Program", "import matplotlib.pyplot as plt\n", above=True)
        self.render = button("Render my program", lambda: on_send(self.program.value), button_style="primary")
        answer = button("Answer with my best", lambda: on_send(""),
                        "end the rollout with the best program so far")
        super().__init__([self.program, row(self.render, answer, *more)], layout={"overflow": "visible"})

    def send(self, said) -> None:
        """Say something to the one who waits."""
        self._said.put(said)

    def ask(self, conversation):
        """What is said next; waits for it."""
        return self._said.get()

    def clear(self) -> None:
        """Forget what was said and not heard."""
        self._said = queue.Queue()
