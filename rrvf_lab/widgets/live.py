"""Watch a rollout being written, by a model or by oneself: `live`, and `sit_as_policy`.

Both play the rollout in a thread through `play`, at the head of an `Inspector` that fills turn by turn.

Left out: many rollouts at once; `watch` follows a training run.
"""

from __future__ import annotations

from ..play import play
from ..policy import Human
from ..rollout import Rollout
from .base import Worker, button, row
from .editor import Seat
from .inspector import Inspector, outcome, told, total
from .still import Still


def live(policy, image, max_turns: int = 3, language: str | None = None, **environment) -> Live:
    """Watch a rollout being written: text as it comes, each turn as it is judged, and a stop button.

    Nothing is written until Play is pressed. The arguments are those of `play`.

    Example: `rl.live(rl.load_policy("nano"), images[3])`.
    """
    return Live(policy, image, max_turns, language, **environment)


def sit_as_policy(image, max_turns: int = 3, language: str | None = None, **environment) -> PolicyChair:
    """Be the policy: write a program, get the picture, the judge's sentences and, at the end, the reward.

    The arguments are those of `play`.

    Example: `rl.sit_as_policy(images[3])`.
    """
    return PolicyChair(image, max_turns, language, **environment)


class Live(Still, Worker):
    """What `live` shows: `play()` and `stop()` are its buttons, `inspector` shows `rollout`, the last one."""

    def __init__(self, policy, image, max_turns=3, language=None, **environment):
        super().__init__()
        self.policy, self.max_turns, self.environment = policy, max_turns, environment
        image = image if isinstance(image, dict) else {"image": image}
        self.image = image | {"language": language or image.get("language", "matplotlib")}
        edit = not isinstance(policy, Human)
        self.inspector = Inspector(self._empty(), policy, max_turns, edit, self._head(), **environment)
        self.children = [self.inspector]

    def _head(self):
        """What stands above the turns."""
        start = button("Play", self.play, "let the policy write a rollout", button_style="primary")
        return [row(start, self.stop_button), self.status, self.stream]

    @property
    def rollout(self) -> Rollout:
        """What was played last, as far as it has come."""
        return self.inspector.rollouts[0]

    def still(self) -> str:
        """The target and the turns so far."""
        return self.inspector.still()

    def play(self) -> None:
        """Start writing; returns at once."""
        self.start(self._play)

    def _empty(self):
        return Rollout(self.image["image"], self.image["language"], id=self.image.get("id", ""))

    def _play(self):
        self.say("Writing turn 1 ...")
        made = play(self.policy, self.image, self.max_turns, on_turn=self._turned, on_text=self.wrote,
                    stop=self.stopped, **self.environment)
        self.inspector.show(made)
        how = "Stopped." if self.stopped.is_set() else "Done."
        self.say(f"{how} {len(made.turns)} turns, {total(made)}")

    def _turned(self, rollout):
        self.inspector.show(rollout)
        self.stream.value = ""
        k = len(rollout.turns)
        self.say(f"Turn {k}: {outcome(rollout, k)}. Writing turn {k + 1} ...")


class PolicyChair(Live):
    """What `sit_as_policy` shows: a `Live` whose policy is a `Human` at its `seat`; `send(code)` is its
    button."""

    def __init__(self, image, max_turns=3, language=None, **environment):
        self.seat = Seat([button("Start again", self.again)], self.send)
        super().__init__(Human(self._ask), image, max_turns, language, **environment)
        self.play()

    def _head(self):
        return [self.seat, self.status]

    def send(self, code: str) -> None:
        """Say a program; "" answers with the best one so far."""
        if self.busy:
            self.say("Rendering ..." if code else "Answering ...")
            self.seat.send(code)
        else:
            self.say(f"This rollout is over, {total(self.rollout)}. Start again for another.")

    def stop(self) -> None:
        """End the rollout; what was said until then is kept."""
        super().stop()
        self.seat.send(None)

    def again(self) -> None:
        """End this rollout and begin a new one."""
        self.stop()
        self.wait(30)
        self.seat.clear()
        self.inspector.show(self._empty())
        self.play()

    def _ask(self, conversation):
        spoken = sum(message["role"] == "assistant" for message in conversation)
        self.say(f"{told(self.rollout, spoken or None)}Your turn {spoken + 1} of {self.max_turns}.")
        return self.seat.ask(conversation)
