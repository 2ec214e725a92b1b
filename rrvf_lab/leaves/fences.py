"""What chat models put around a program or a choice: code fences, prose, marks of emphasis.

Works on the words alone, whatever the language is, and leaves a text as it is where it may be a program: a
fence inside a triple-quoted string or inside markup is the program's own.

Left out: running or reading programs, and programs without a fence between words.
"""

from __future__ import annotations

import re
import textwrap

_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})([^`]*)")            # a line that opens a block
_ONE_LINE = re.compile(r"(`{3,}|~{3,}|`)(?:(?:python|py|svg|html|xml)[ \t]+)?([^`\n]*?)\1")
_MARKUP_END = re.compile(r"(.*</(?:html|svg)>)\s*(?:```|~~~).*", re.DOTALL | re.IGNORECASE)
_TURN = re.compile(r"\bturn[\W_]{0,3}(\d{1,4})\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?!#)(?!.*\w(?:\(|\.\w))[\w .,:;!?'\"’“”`*#()-]{1,200}")


def unfence(text: str) -> str:
    """The program in a text: the longest fenced block, or the text itself where there is none.

    Fences are ``` or ~~~ with any word behind them, any line ends and blanks, closed or not, between words or
    not.

    Example: `unfence("Here it is:\\n~~~python \\nx = 1\\n~~~\\nDone.") == "x = 1"`.
    """
    said = text.replace("\r\n", "\n").strip()
    if found := _ONE_LINE.fullmatch(said):
        return found[2].strip()
    if said.startswith("<"):
        found = _MARKUP_END.fullmatch(said)
        return found[1] if found else text
    blocks = _blocks(said.split("\n"))
    return max(blocks, key=len) if blocks else text


def _blocks(lines):
    """The bodies of the fenced blocks of a text; none where its first fence is inside a string."""
    blocks, i = [], 0
    while i < len(lines):
        opened = _FENCE.fullmatch(lines[i])
        if not opened:
            i += 1
            continue
        before = "\n".join(lines[:i])
        if before.count('"""') % 2 or before.count("'''") % 2:
            return []
        fence, body = opened[1], lines[i + 1:]
        shut = next((k for k, line in enumerate(body) if _shuts(line, fence)), None)
        if shut is None and not any(line.strip() for line in body):
            return blocks or [before.strip("\n")]               # a closing fence whose opening is missing
        kept = "\n".join(body[:shut])
        if shut is None:
            kept = kept.rstrip()
            kept = kept[:-len(fence)].rstrip() if kept.endswith(fence) else kept
        blocks.append(textwrap.dedent(kept) if lines[i][:1] in " \t" else kept)
        i = len(lines) if shut is None else i + shut + 2
    return blocks


def _shuts(line, fence):
    """Whether a line closes a block: as many marks as opened it, or more, and nothing else."""
    marks = line.strip()
    return len(marks) >= len(fence) and set(marks) == {fence[0]}


def turn_named(answer: str | None) -> int | None:
    """k - 1 for an answer that chooses `turn k`, in whatever words of one sentence; else None.

    Example: `turn_named("**Turn 2.**") == 1`.
    """
    said = unfence(answer or "").strip()
    named = set(_TURN.findall(said))
    return int(named.pop()) - 1 if len(named) == 1 and _SENTENCE.fullmatch(said) else None
