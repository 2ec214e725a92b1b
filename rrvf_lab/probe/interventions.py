"""What is changed in a situation, one thing at a time: nothing, its pictures, its target, its words.

What stands in for something comes from a blank page, from fixed words, or from a rollout of another image;
never from the situation's own target, so that no intervention shows more of it than was shown. That is why
the difference picture goes blank with the render: beside a blank one it would be the target.

Left out: what was shown before the last reply (but the target, which is changed everywhere).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from ..judge.plot import NAMES
from ..judge.shades import COLOUR_NAMES
from .situations import Situation, other_than, parts_of

GENERIC = "Something differs."
FLOOR, LOOKS, READS = "floor", "looks", "reads"
_COLOUR = re.compile(rf"\b({'|'.join(COLOUR_NAMES)})\b")


@dataclass(frozen=True)
class Intervention:
    """One change: its `name`, which question it is of, what it does in words, and
    `make(situation, situations, rng) -> conversation or None` (None: nothing here to change)."""

    name: str
    question: str
    does: str
    make: Callable


def _again(one, situations, rng):
    return list(one.talk)


def _blank(one, situations, rng):
    if not one.pictures:
        return None
    return _shown(one, [Image.new("RGB", picture.size, "white") for picture in one.pictures])


def _anothers(one, situations, rng):
    own = one.pictures

    def fits(other):
        return len(other.pictures) == len(own) and not _same(other.pictures[0], own[0])

    other = other_than(one, situations, rng, fits) if own else None
    return _shown(one, other.pictures) if other else None


def _same(a, b):
    return a.size == b.size and a.tobytes() == b.tobytes()


def _other_target(one, situations, rng):
    other = other_than(one, situations, rng, lambda other: True)
    if other is None:
        return None

    def opened(content):
        return [_swapped(part, other) for part in content]

    def replied(content):  # of whose pictures the target is the last
        return [*content[:-1], _swapped(content[-1], other)]

    change = {"user": opened, "tool": replied}
    return [_with(message, change.get(message["role"], list)) for message in one.talk]


def _swapped(part, other):
    return part | {"image": other.rollout.target} if part["type"] == "image" else part


def _no_text(one, situations, rng):
    return _worded(one, lambda text: "")


def _generic(one, situations, rng):
    return _worded(one, lambda text: f"{parts_of(text)[0]} {GENERIC}".strip())


def _anothers_text(one, situations, rng):
    words, drew = one.score_and_words[1], bool(one.pictures)
    other = other_than(one, situations, rng, lambda other: bool(other.pictures) == drew
                       and other.score_and_words[1] != words)
    if other is None:
        return None
    foreign = other.score_and_words[1]
    return _worded(one, lambda text: f"{parts_of(text)[0]} {foreign}".strip())


def _other_colour(one, situations, rng):
    return _worded(one, lambda text: recoloured(text, rng))


INTERVENTIONS = (
    Intervention("nothing", FLOOR, "the same shown again, among other conversations", _again),
    Intervention("blank render", LOOKS, "a white page for the render and the difference", _blank),
    Intervention("another's render", LOOKS, "the render and the difference of another image's rollout",
                 _anothers),
    Intervention("another target", LOOKS, "another image as the target, wherever it is shown", _other_target),
    Intervention("no text", READS, "neither score nor sentences", _no_text),
    Intervention("generic text", READS, f"its score, and only: {GENERIC}", _generic),
    Intervention("another's text", READS, "its score, and the sentences on another image's draft",
                 _anothers_text),
    Intervention("other colour", READS, "colours that are asked for are called otherwise", _other_colour),
)


def recoloured(text: str, rng) -> str:
    """The text with each colour that is asked for called otherwise; what stands after a "not" stays.

    Example: `recoloured("Colour teal, not red.", numpy.random.default_rng(0))` still ends in "not red.".
    """
    free = [name for name in NAMES if not re.search(rf"\b{name}\b", text)]
    named, known = {}, dict.fromkeys(free)

    def other(match):
        if match[1] not in named and known:
            named[match[1]] = list(known)[int(rng.integers(len(known)))]
            del known[named[match[1]]]
        return named.get(match[1], match[1])

    def sentence(match):
        asked, no, drawn = match[0].partition(" not ")
        return _COLOUR.sub(other, asked) + no + drawn

    return re.sub(r"[^.]+", sentence, text)


def _shown(one: Situation, pictures):
    """The conversation with these for the pictures of the last replies."""
    def changed(content):
        left = iter(pictures)
        return [part | {"image": next(left)} if part["type"] == "image" else part for part in content[:-1]
                ] + content[-1:]

    return _last_changed(one, changed)


def _worded(one: Situation, words):
    """The conversation with `words(text)` for the text of the last replies; None where that is the same."""
    def changed(content):
        return [part | {"text": words(part["text"])} if part["type"] == "text" else part for part in content]

    talk = _last_changed(one, changed)
    return None if talk == one.talk else talk


def _last_changed(one, change):
    start = one.told
    return [*one.talk[:start], *(_with(message, change) for message in one.talk[start:])]


def _with(message, change):
    content = message["content"]
    return message if isinstance(content, str) else message | {"content": change(content)}

