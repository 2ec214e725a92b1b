"""An error in the few words that a model can act on.

Of a traceback that is the first line of the exception, where libraries say what is wrong, and from the lines
below it the value that was received, the name that was meant, and what replaces what was removed. Of any
other error it is its first line.

Left out: what replaces what (`render.removed`, and the tables of each language).
"""

from __future__ import annotations

import re

MOST = 120       # characters of an exception's first line
SENTENCE = 240   # characters of what the renderer itself says: it names the place last
MOST_MORE = 70   # of each thing below it
BYTES = 280      # of it all: with the score before it no tokenizer makes more than 300 tokens of that
_HEADERS = ("Traceback", "While the figure was drawn")
_BELOW = (r"^ *(Received value: .+)", r"^ *(Did you mean .+)", r"^(Parse\w*Exception: .+)")
_EXCEPTION = re.compile(r"[\w.]*(?:Error|Exception|Exit|Interrupt)\b")
_PLACE = re.compile(r" \((?:/|[A-Z]:\\)[^()]*\)")  # where a module lies on this machine
_ADVICE = r"^(In this version of \w+: .+)"
_QUOTED = re.compile(r"'[^']{1,50}'|\"[^\"]{1,50}\"|`[^`]{1,50}`")


def in_short(error: str | None) -> str:
    """What is wrong, in one line of at most 280 bytes.

    Example: `in_short("Traceback ...\\n  File ...\\nNameError: x\\n\\nmore") == "NameError: x"`.
    """
    lines = [line for line in str(error or "").split("\n") if line.strip()]
    if not lines:
        return "no picture was drawn"
    starts = (i for i, line in enumerate(lines) if not line[0].isspace() and not line.startswith(_HEADERS))
    at = next(starts, len(lines) - 1)
    first, below = lines[at].strip(), lines[at + 1:]
    if first.endswith(":") and below:  # plotly begins its messages on a line of their own
        first, below = f"{first} {below[0].strip()}", below[1:]
    first, text = _PLACE.sub("", first), "\n".join(below)
    more = [found[1] for pattern in _BELOW if (found := re.search(pattern, text, re.MULTILINE))]
    said = [_cut(first)] + [line.strip()[:MOST_MORE] for line in more if line.strip() not in first]
    if advice := re.search(_ADVICE, text, re.MULTILINE):
        said.append(advice[1].strip()[:MOST])
    return in_bytes(_sentences(said), BYTES)


def _cut(line):
    """The first characters of a line; where its only quoted value stands after them, that too."""
    head = line[:MOST]
    if not _EXCEPTION.match(line):
        return line[:SENTENCE] if " " in head else head
    if _QUOTED.search(head.partition(": ")[2]):
        return head
    found = _QUOTED.search(line, MOST - 50)
    return f"{head[:found.start()].rstrip()} ... {found[0]}" if found and found.end() > MOST else head


def _sentences(parts):
    """Parts as sentences; one alone keeps the end it has."""
    *before, last = parts
    return " ".join([part if part.endswith((".", "?", "!")) else f"{part}." for part in before] + [last])


def in_bytes(text: str, most: int) -> str:
    """The beginning of a text that takes at most `most` bytes of UTF-8. Example: `in_bytes("naïve", 3) ==
    "na"`."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
