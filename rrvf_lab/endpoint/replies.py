"""What servers answer, read as one form: the choice with its words, or in one line why there is none.

"OpenAI-compatible" leaves room. Errors come with status 200, inside a choice or beside an empty one; content
comes as a list of parts, or not at all; thoughts come under three names. `choice_of` irons that out.

Left out: errors with a status of their own (`client`), and what the words mean (who asked).
"""

from __future__ import annotations

import json

# why a server stopped where its words, if any, are not the model's answer
FAILED = {"error": "an error", "abort": "an interruption", "content_filter": "its content filter",
          "safety": "its content filter", "recitation": "its content filter",
          "sensitive": "its content filter", "network_error": "an error of its network",
          "insufficient_system_resource": "a lack of resources", "load": "loading the model",
          "unload": "unloading the model"}
_KINDS = {"thinking", "reasoning"}  # parts that hold thoughts


class NoAnswer(ValueError):
    """What a server said is no answer, and why. `said` is what the record keeps of it; `again`, whether the
    same question may fare better in a moment."""

    def __init__(self, problem, said=None, again=False):
        super().__init__(problem)
        self.said, self.again = said, again


def choice_of(reply, url: str):
    """The choice of a reply, which may be anything: a proxy's web page, another object, None.

    Its message has `content` (a text, "" for none) and `reasoning_content` (a text). Raises `NoAnswer` with
    the server's own words.
    """
    choices = getattr(reply, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    error = getattr(choice, "error", None) or getattr(reply, "error", None)
    if not error and getattr(reply, "object", None) == "error":
        error = reply.model_dump()
    if error:
        raise NoAnswer(f"{url} answered with an error: {clip(words_of(error), 300)!r}", clip(error, 2000),
                       again=_passes(error))
    message = getattr(choice, "message", None)
    if message is None:
        dump = getattr(reply, "model_dump_json", None)
        said = dump(exclude_none=True, warnings=False) if dump else reply
        raise NoAnswer(f"{url} answered without choices: {clip(said)!r}", clip(said, 2000))
    said, thoughts = _parts(getattr(message, "content", None))
    named = (getattr(message, name, None) for name in ("reasoning_content", "reasoning", "thinking"))
    message.content = said
    message.reasoning_content = next((text for text in named if text and isinstance(text, str)), thoughts)
    reason = str(getattr(choice, "finish_reason", None) or "").lower()
    if reason in FAILED:
        raise NoAnswer(f"{url} was stopped by {FAILED[reason]} (finish_reason={reason!r}); "
                       f"it said {clip(said)!r}", said or None, again=reason in ("load", "network_error"))
    return choice


def nothing_said(choice, url: str, request: dict) -> NoAnswer:
    """The problem of a reply without words of its own: all thoughts, or nothing at all."""
    reason, thoughts = choice.finish_reason, choice.message.reasoning_content
    if reason == "length":
        bound = request.get("max_completion_tokens") or request.get("max_tokens")
        return NoAnswer(f"{url}: spent all its {bound} tokens before a word of its answer; "
                        "give max_tokens=... or less room to think", thoughts or None)
    if thoughts:
        return NoAnswer(f"{url}: {len(thoughts)} characters of thoughts and no text in the answer "
                        f"(finish_reason={reason!r}); they end {clip(thoughts[-80:])!r}", thoughts)
    whole = choice.message.model_dump_json(exclude_none=True, warnings=False)
    return NoAnswer(f"{url}: no text in the answer (finish_reason={reason!r}): {clip(whole)!r}", whole)


def _parts(content):
    """(text, thoughts) of a message's content: a text, a list of texts and parts, one part, or nothing."""
    if content is None or isinstance(content, str):
        return content or "", ""
    said, thoughts = "", ""
    for part in content if isinstance(content, list) else [content]:
        if not isinstance(part, dict):
            said += part if isinstance(part, str) else ""
        elif part.get("type") in _KINDS:
            inner = part.get("thinking") or part.get("text") or part.get("reasoning")
            thoughts += "".join(_parts(inner))
        else:
            said += str(part.get("text") or part.get("content") or "")
    return said, thoughts


def words_of(error) -> str:
    """The words of an error as servers write them: a text, or an object around one. Example:
    `words_of({"error": {"message": "overloaded", "code": 529}}) == "overloaded (529)"`."""
    if isinstance(error, list) and len(error) == 1:  # Gemini
        error = error[0]
    if not isinstance(error, dict):
        return str(error)
    names = ("error", "message", "detail", "errors", "title")
    inner = next((error[name] for name in names if error.get(name)), None)
    if inner is None:
        return json.dumps(error, default=str)
    code = error.get("code") or error.get("type") or error.get("status")
    words = words_of(inner) if isinstance(inner, (dict, list)) else str(inner)
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None  # OpenRouter: what the provider said
    return words + (f" ({code})" if code and not isinstance(inner, (dict, list)) else "") + (
        f": {raw}" if raw else "")


def _passes(error):
    """Whether an error names a status after which servers are asked again: 408, 409, 429, 5xx."""
    code = error.get("code") or error.get("status") if isinstance(error, dict) else None
    try:
        code = int(code)
    except (TypeError, ValueError):
        return False
    return code in (408, 409, 429) or 500 <= code < 600


def clip(value, most: int = 120) -> str:
    """Anything as one line of at most `most` characters, without lone surrogates, which would crash a
    tokenizer."""
    text = " ".join(str(value).encode(errors="replace").decode().split())
    return text if len(text) <= most else text[:most - 3] + "..."
