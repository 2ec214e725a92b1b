"""The regions of an assistant's turn: thoughts, bodies of tool calls, and the words outside them.

TRL reads turns by a template of patterns (`transformers.utils.chat_parsing`); these are the patterns and
this is its walk, so that what is inspected and what is trained on are the same calls. `</think>` without an
opening closes the thought that a chat template opened. A call's JSON may be fenced.

Left out: what a call or an answer says (`talk`).
"""

from __future__ import annotations

import re

OPENS_THOUGHT, CLOSES_THOUGHT = r"<think>|\A(?:(?!<think>).)*?(?=</think>)", r"</think>\s*"
OPENS_CALL = r"<tool_call>\s*(?:(?:```|~~~)\w*\s*)?"
CLOSES_CALL = r"\s*(?:```|~~~)?\s*</tool_call>\s*|(?=<\|im_end\|>)"
_OPENS = re.compile(f"(?P<thought>{OPENS_THOUGHT})|(?P<call>{OPENS_CALL})", re.DOTALL)
_CLOSES = {"thought": re.compile(CLOSES_THOUGHT), "call": re.compile(CLOSES_CALL)}
_TAG = re.compile(r"<(?=/?(?:think|tool_call)>|\|)")


def regions(text: str) -> tuple[list[str], list[str], str, str | None]:
    """(thoughts, bodies of calls, the words outside, which region is never closed: "thought", "call", None).

    Example: `regions("<think>a</think>b<tool_call>{}</tool_call>") == (["a"], ["{}"], "b", None)`.
    """
    found, plain, position, unclosed = {"thought": [], "call": []}, "", 0, None
    while opened := _OPENS.search(text, position):
        kind = opened.lastgroup
        closed = _CLOSES[kind].search(text, opened.end())
        body = text[opened.end():closed.start() if closed else len(text)]
        found[kind].append(opened[0].removeprefix("<think>") + body if kind == "thought" else body)
        plain += text[position:opened.start()]
        position = closed.end() if closed else len(text)
        unclosed = unclosed if closed else kind
    return found["thought"], found["call"], plain + text[position:], unclosed


def without_tags(json: str) -> str:
    """JSON that spells no tag of a turn and no special token: a program may hold them all.

    Example: `without_tags('"</think>"') == '"\\\\u003c/think>"'`.
    """
    return _TAG.sub(r"\\u003c", json)
