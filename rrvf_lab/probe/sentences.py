"""The embedded judge's sentences by kind, and whether the next draft did what one asked for.

A sentence is followed where the next draft draws and the judge says no sentence of its kind of it any more
(of inks and colours by name: not that very sentence). That needs no knowledge of the program, so it serves
every language and policy; it also counts a draft that is right by luck, so what happens when the words are
taken away stands beside it.

A turn that draws nothing new follows nothing.

Left out: sentences of other judges; following a sentence that is false, which this counts as disobeying;
half of a list ("Change 0, +3 of 10." is followed when no mark is off any more).
"""

from __future__ import annotations

import re

from ..judge.sentences import FEWER, SENTENCES

KINDS = {  # as `judge.sentences` words and orders them; a group has to be the same again
    "failed": r"Failed: ", "blank": r"Blank\.", "aspect": r"Aspect differs\.", "type": r"Type \w+, not \w+\.",
    "colour": r"Colour [\w; ]+, not [\w; ]+\.", "grid": r"Grid (?:on|off)\.",
    "size": r"Too (?:small|large)\.", "place": r"Shifted (?:left|right|up|down)\.",
    "missing colour": r"Missing (?!ink)(\w+)\.",
    "extra colour": r"Extra (?!ink|legend)(\w+)\.", "title": r"Title differs\.",
    "axis label": r"([XY]) label differs\.", "legend": r"(?:Legend (?:missing|differs)|Extra legend)\.",
    "ticks": r"([XY]) ticks differ\.", "missing ink": r"Missing ink ([\w ]+)\.",
    "extra ink": r"Extra ink ([\w ]+)\.", "colour of ink": r"Colour differs ([\w ]+)\.",
    "values": r"(?:Change|Values) [^.]+ of 10\.",
}
_KINDS = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}
_ORDER = list(KINDS)
_OF_CHARTS = ("type", "colour", "grid", "values")
_ENDS = re.compile(r"\.(?:\s|$)")


def sentences_of(feedback: str) -> list[tuple[str, str]]:
    """The sentences that are known, as (kind, what is named), in the order of `KINDS`.

    Example: `sentences_of("Grid on. Missing ink top.") == [("grid", ""), ("missing ink", "top")]`.
    """
    if feedback.startswith("Failed: "):
        return [("failed", "")]
    return [(kind, "".join(found.groups())) for kind, pattern in _KINDS.items()
            for found in pattern.finditer(feedback)]


def followed(sentence: tuple[str, str], feedback: str, drew: bool) -> bool | None:
    """Whether a sentence was followed by a draft that drew (or not) and of which the judge says `feedback`;
    None where it says so much that this one may have been left out (the last in order are; values never).

    Example: `followed(("grid", ""), "Title differs.", True)`.
    """
    if not drew or feedback.startswith("Blank."):
        return False
    said = sentences_of(feedback)
    if sentence in said:
        return False
    chart = any(kind in _OF_CHARTS for kind, _ in said)
    full = len(_ENDS.findall(feedback)) >= (SENTENCES if chart else FEWER)
    places = [_ORDER.index(kind) for kind, _ in said if kind != "values"]
    cut = full and sentence[0] != "values" and _ORDER.index(sentence[0]) > max(places, default=-1)
    return None if cut else True
