"""Play rollouts: think, render, feedback, ..., answer; one or many at a time, and again from the middle.

`play_many` holds the loop itself. `branch` asks what would have followed had a turn been another,
`conversations` shows what the policy read. A policy is anything with `write(conversations) -> texts` (see
`policy`).

Left out: training, which drives the same `Episode` through TRL (see `train`).
"""

from __future__ import annotations

import time
from dataclasses import replace

from .environment import Episode
from .rollout import Rollout
from .talk import parse_turn, write_turn


def play(policy, image, max_turns: int = 3, language: str | None = None, on_turn=None, on_text=None,
         stop=None, **environment) -> Rollout:
    """Play one rollout: think, render, feedback, ..., answer.

    `image` is a PIL image or a row of `load_images`; `environment` holds what `Episode` takes (`judge`,
    `blind`, ...). To watch: `on_turn(rollout)` gets the rollout so far after each turn, `on_text(text)` the
    turn's text so far while a policy with `stream` writes it. `stop`, a `threading.Event`, ends the writing
    and the rollout when it is set; what was said until then is closed, judged and rewarded as ever. `info`
    holds the seconds of writing, by message.

    Example: `play(load_policy("nano"), load_images("data/charts/test")[3], max_turns=2)`.
    """
    policy = _Watched(policy, on_text, stop)
    rollout = play_many(policy, [image], max_turns, language, on_turn, stop, **environment)[0]
    return replace(rollout, info=rollout.info | policy.info)


def play_many(policy, images, max_turns: int = 3, language: str | None = None, on_turn=None, stop=None,
              **environment) -> list[Rollout]:
    """Play one rollout for each image, turn by turn, so that a policy can generate for all at once."""
    environment.setdefault("difference", getattr(policy, "difference", False))
    rows = [image if isinstance(image, dict) else {"image": image} for image in images]
    episodes = [Episode(max_turns=max_turns, **environment) for _ in rows]
    talks = [episode.open(row["image"], language or row.get("language", "matplotlib"), row.get("id", ""))
             for episode, row in zip(episodes, rows, strict=True)]
    return _loop(policy, episodes, talks, max_turns, on_turn, stop)


def _loop(policy, episodes, talks, max_turns, on_turn=None, stop=None):
    """The loop itself, for episodes that are open: write, render, answer, until nobody calls the tool."""
    active = list(zip(episodes, talks, strict=True))
    for turn in range(1, max_turns + 1):
        texts = policy.write([talk for _, talk in active])
        going = [pair for pair, text in zip(active, texts, strict=True) if pair[0].take(text)]
        if on_turn:
            for episode, _ in active:
                on_turn(episode.close())
        if not going or turn == max_turns or (stop is not None and stop.is_set()):
            break
        for episode, talk in going:
            talk += episode.answer()
        active = going
    return [episode.close() for episode in episodes]


class _Watched:
    """One policy for one conversation: times each message, and streams it where the policy can."""

    def __init__(self, policy, on_text, stop):
        self.policy, self.on_text, self.stop = policy, on_text, stop
        self.difference, self.seconds = getattr(policy, "difference", False), []

    def write(self, conversations):
        started = time.perf_counter()
        if (self.on_text or self.stop) and hasattr(self.policy, "stream"):
            texts = [self.policy.stream(talk, self.on_text, self.stop) for talk in conversations]
        else:
            texts = self.policy.write(conversations)
        self.seconds.append(round(time.perf_counter() - started, 4))
        return texts

    @property
    def info(self):
        stopped = self.stop is not None and self.stop.is_set()
        return {"seconds": self.seconds} | ({"stopped": True} if stopped else {})


def branch(rollout: Rollout, turn: int, policy=None, *, code: str | None = None, thought: str | None = None,
           feedback: str | None = None, max_turns: int | None = None, on_turn=None, on_text=None, stop=None,
           **environment) -> Rollout:
    """What would have followed: `rollout` up to `turn` (from 1), with something changed there; then `policy`
    goes on.

    `code` and `thought` replace what the turn said; the code is rendered and judged. `feedback` replaces the
    sentences that the tool tells the policy (the score stays the judge's). Without a policy the rollout ends
    with the changed turn. Earlier turns keep their recorded pictures and verdicts. `max_turns` defaults to
    the original's number of messages, and to one more than were kept; `info["branch"]` says where it left the
    original. Raises ValueError for a turn that does not exist or holds no code.

    Example: `branch(rollout, 1, policy, feedback="Type line, not bar.")` asks whether the policy listens.
    """
    said, kept = _said_until(rollout, turn, code, thought, ends=policy is None)
    limit = len(said) if policy is None else max_turns or max(len(messages(rollout)), len(said) + 1)
    changed = {"code": code, "thought": thought, "feedback": feedback}
    new_code = rollout.turns[turn - 1].code if code is None else code

    def last_said():  # only now, so that an earlier turn with the same code keeps its reply
        if feedback is not None:
            outcome = episode.outcome(new_code)
            episode.put(new_code, outcome.rendering, replace(outcome.verdict, feedback=feedback))

    watched = _Watched(_Continued(said, policy, last_said), on_text, stop)
    environment.setdefault("difference", watched.difference)
    episode = Episode(max_turns=limit, **environment)
    talk = _reopened(episode, rollout)
    made = _loop(watched, [episode], [talk], limit, on_turn, stop)[0]
    made = replace(made, turns=rollout.turns[:kept] + made.turns[kept:])
    names = [name for name, value in changed.items() if value is not None]
    return replace(made, info=watched.info | {"branch": {"turn": turn, "changed": names}})


def _said_until(rollout, turn, code, thought, ends):
    """(the raw messages up to and with the changed `turn`, how many turns before it are kept)."""
    if not 1 <= turn <= len(rollout.turns):
        raise ValueError(f"turn={turn}: this rollout has turns 1 to {len(rollout.turns)}")
    old = rollout.turns[turn - 1]
    code, thought = old.code if code is None else code, old.thought if thought is None else thought
    if code is None:
        raise ValueError(f"turn {turn} wrote no code; give some: branch(rollout, {turn}, code='...')")
    before = [(first, text) for first, text in messages(rollout) if first + width(text) < turn]
    kept = sum(width(text) for _, text in before)
    if code == old.code and thought == old.thought and old.action == "render":
        last = old.text
    elif ends and old.action == "answer":
        last = write_turn(thought, answer=code)
    else:
        last = write_turn(thought, code)
    return [*(text for _, text in before), last], kept


class _Continued:
    """A policy that repeats `said`, message by message, and lets `policy` write what follows."""

    def __init__(self, said, policy, last_said):
        self.said, self.policy, self.last_said = said, policy, last_said
        self.difference = getattr(policy, "difference", False)

    def write(self, conversations):
        return [self.stream(talk) for talk in conversations]

    def stream(self, talk, on_text=None, stop=None):
        k = sum(message["role"] == "assistant" for message in talk)
        if k == len(self.said) - 1:
            self.last_said()
        return self.said[k] if k < len(self.said) else _Watched(self.policy, on_text, stop).write([talk])[0]


def conversations(rollout: Rollout, max_turns: int = 3, difference: bool = False) -> list[list[dict]]:
    """What the policy was shown before each of its messages, rebuilt from the record.

    Example: `policy.inputs([conversations(rollout)[1]])["input_ids"].shape` counts what it read before its
    second one.
    """
    episode = Episode(max_turns=max_turns, difference=difference)
    talk, shown = _reopened(episode, rollout), []
    for _, text in messages(rollout):
        shown.append(list(talk))
        if episode.take(text):
            talk += episode.answer()
    return shown


def _reopened(episode, rollout):
    """Open an episode on a recorded rollout: what its codes came to is known, and nothing is rendered again.
    """
    talk = episode.open(rollout.target, rollout.language, rollout.id)
    for turn in rollout.drafts:
        episode.put(turn.code, turn.rendering, turn.verdict)
    return talk


def messages(rollout: Rollout) -> list[tuple[int, str]]:
    """(index of its first turn, raw text) of each message; a message with several calls left several turns.
    """
    found, i = [], 0
    while i < len(rollout.turns):
        found.append((i, rollout.turns[i].text))
        i += width(rollout.turns[i].text)
    return found


def width(text: str) -> int:
    """How many turns a message left: one for each call."""
    return max(1, len(parse_turn(text).calls))
