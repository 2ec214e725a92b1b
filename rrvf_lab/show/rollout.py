"""Rollouts as HTML: pictures first, real alt text, highlighted code, diffs, bars; plain functions that return strings.

Everything the model wrote passes through `plain` and is escaped. Its HTML and SVG appear as the screenshot that the
renderer made, or as escaped code, never live; `export` adds a policy to the page that forbids scripts altogether.
Colours are JupyterLab's own variables with fallbacks, so that light and dark themes both stay readable.

Left out: letters of right-to-left scripts may still reorder a line that holds them (direction marks are made visible),
and piled-up accents are clipped rather than removed. Tokens are only counted where a model's tokenizer is at hand.
"""

from __future__ import annotations

import difflib
import html
import math
import re
import unicodedata
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..environment import conversations
from ..judge.pixel import difference
from ..rollout import picture

BORDER = "1px solid var(--jp-border-color1,#999)"
CODE = (f"margin:4px 0;padding:6px 8px;border:{BORDER};overflow:auto;max-height:340px;font:12px/1.45 "
        "var(--jp-code-font-family,monospace);background:var(--jp-cell-editor-background,#f6f6f6);"
        "color:var(--jp-mirror-editor-variable-color,#111);white-space:pre-wrap;overflow-wrap:anywhere;"
        "unicode-bidi:isolate")
TIGHT = "margin:.35em 0;line-height:1.45;overflow-wrap:anywhere"  # widgets set lines 28 pixels apart
LEXERS = {"matplotlib": "python", "plotly": "python", "svg": "xml", "html": "html"}


# --------------------------------------------------------------------------------------------------------------------
# Text that a model wrote.

class _Visible(dict):
    """For str.translate: what a terminal or a browser would act on becomes a sign that one can see."""

    def __missing__(self, code):
        char = chr(code)
        acts = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and char not in "\n\t"
        self[code] = f"‹U+{code:04X}›" if acts else char
        return self[code]


_VISIBLE = _Visible()


def plain(text, line: int = 2000, total: int = 20_000) -> str:
    """Text that neither acts nor hides: control and direction marks made visible, long lines and texts cut with a note.

    `line` and `total` are characters. Not escaped: see `text_html`.

    Example: `plain("\\x1b[31mred") == "‹U+001B›[31mred"`.
    """
    text = str(text)
    rest = len(text) - total
    lines = [part if len(part) <= line else f"{part[:line]} … ({len(part) - line:,} more characters in this line)"
             for part in text[:total].split("\n")]
    note = f"\n… ({rest:,} more characters)" if rest > 0 else ""
    return "\n".join(lines).translate(_VISIBLE) + note


def text_html(text, **limits) -> str:
    """`plain` text, escaped, with its line breaks kept."""
    return html.escape(plain(text, **limits)).replace("\n", "<br>")


_COLOURS = {"Keyword": "keyword,#00742b", "Comment": "comment,#456d6d", "Literal.String": "string,#a31515",
            "Literal.Number": "number,#06691f", "Operator": "operator,#8b1fd1", "Name.Builtin": "builtin,#00742b",
            "Name.Tag": "tag,#00742b", "Name.Attribute": "attribute,#0a4fb3"}


def _coloured(code, language):
    """Escaped, highlighted lines of (plain) code."""
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(LEXERS.get(language, "text"), stripnl=False, ensurenl=False)
    lines = [""]
    for kind, value in lexer.get_tokens(code):
        name = str(kind).removeprefix("Token.")
        colour = next((c for prefix, c in _COLOURS.items() if name.startswith(prefix)), None)
        for i, part in enumerate(value.split("\n")):
            if i:
                lines.append("")
            if part:
                style = f"color:var(--jp-mirror-editor-{colour.replace(',', '-color,')})" if colour else ""
                part = html.escape(part)
                lines[-1] += f'<span style="{style}">{part}</span>' if style else part
    return lines


def code_html(code: str, language: str = "matplotlib") -> str:
    """A program, escaped and highlighted, in a scrolling box.

    Example: `code_html("plt.bar([1], [2])")`.
    """
    return f'<pre dir="ltr" style="{CODE}">' + "\n".join(_coloured(plain(code), language)) + "</pre>"


def diff_html(old: str, new: str, language: str = "matplotlib") -> str:
    """What changed between two programs, line by line: signs and colour, and the changed words marked.

    Example: `diff_html(rollout.turns[0].code, rollout.turns[1].code)`.
    """
    a, b = plain(old).split("\n"), plain(new).split("\n")
    if a == b:
        return _says("The same code again.", "") + code_html(new, language)
    kept = _coloured("\n".join(b), language)
    rows = []
    for what, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if what == "equal":
            rows += ["  " + line for line in kept[k:m]]
            continue
        gone, come = list(map(html.escape, a[i:j])), list(map(html.escape, b[k:m]))
        for n, (one, two) in enumerate(zip(a[i:j], b[k:m])):
            gone[n], come[n] = _words(one, two)
        rows += [f'<del style="text-decoration:none;background:rgba(248,81,73,.22)">- {line}</del>' for line in gone]
        rows += [f'<ins style="text-decoration:none;background:rgba(46,160,67,.25)">+ {line}</ins>' for line in come]
    return f'<pre dir="ltr" style="{CODE}">' + "\n".join(rows) + "</pre>"


def _words(old, new):
    """Both lines, escaped; the words that differ bold and underlined, unless little is the same."""
    a, b = (re.findall(r"\w+|\W", line) for line in (old, new))
    match = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if len(a) * len(b) > 40_000 or match.ratio() < 0.3:
        return html.escape(old), html.escape(new)
    sides = ["", ""]
    for what, i, j, k, m in match.get_opcodes():
        for side, part in enumerate(("".join(a[i:j]), "".join(b[k:m]))):
            part = html.escape(part)
            sides[side] += part if what == "equal" or not part else f"<b><u>{part}</u></b>"
    return sides


# --------------------------------------------------------------------------------------------------------------------
# Two pictures as one.

HOW = ("difference", "overlay", "wipe", "heat map")
LEGEND = {"difference": "red ink is missing, blue ink is extra, near-black has another colour, light gray is right",
          "overlay": "the render laid over the target",
          "wipe": "left of the line the target, right of it the render",
          "heat map": "white is the same colour, dark red is 50 or more CIELAB units away"}


def compare(target, image, how: str = "difference", at: int = 50) -> Image.Image:
    """Target and render in one RGB picture of the target's size.

    `how` is "difference", "overlay" (`at` percent of the render), "wipe" (the line stands at `at` percent of the width)
    or "heat map" (distance of colours in CIELAB). Raises ValueError for another word.

    Example: `compare(rollout.target, rollout.turns[0].rendering.image, "wipe", 30)`.
    """
    if how not in HOW:
        raise ValueError(f"how={how!r}: pictures are compared by {', '.join(HOW)}")
    if how == "difference":
        return difference(target, image)
    target = target.convert("RGB")
    image = image.convert("RGB").resize(target.size, Image.Resampling.BILINEAR)
    if how == "overlay":
        return Image.blend(target, image, at / 100)
    if how == "wipe":
        x = round(target.width * at / 100)
        image.paste(target.crop((0, 0, x, target.height)), (0, 0))
        ImageDraw.Draw(image).line((x, 0, x, target.height), fill=(200, 0, 120), width=max(2, target.width // 200))
        return image
    from skimage.color import rgb2lab

    size = tuple(max(1, round(side * min(1, 640 / max(target.size)))) for side in target.size)
    lab = [rgb2lab(np.asarray(p.resize(size, Image.Resampling.BILINEAR), np.float32) / 255) for p in (target, image)]
    far = np.sqrt(((lab[0] - lab[1]) ** 2).sum(2)) / 50
    ramp = np.array([(255, 255, 255), (255, 190, 90), (215, 48, 31), (90, 0, 10)])
    out = np.stack([np.interp(far, np.linspace(0, 1, 4), ramp[:, channel]) for channel in range(3)], -1)
    return Image.fromarray(out.astype(np.uint8)).resize(target.size, Image.Resampling.NEAREST)


# --------------------------------------------------------------------------------------------------------------------
# A reward, a verdict, a turn, a rollout.

def number(score: float) -> str:
    """A score for people: three decimals, or "unscored" for NaN."""
    return "unscored" if math.isnan(score) else f"{score:.3f}"


def bar(value: float, name: str, width: int = 160) -> str:
    """One bar from 0 to 1 (to the left and orange below 0) with its name and value for screen readers."""
    size = 0 if math.isnan(value) else round(width * min(1, abs(value)))
    fill = "#d9822b" if value < 0 else "#4682b4"
    label = html.escape(f"{plain(name)}: {number(value)}")
    style = f"vertical-align:middle;min-width:{width + 2}px"
    return (f'<svg role="img" aria-label="{label}" width="{width + 2}" height="12" style="{style}"><title>{label}</title>'
            f'<rect x=".5" y=".5" width="{width + 1}" height="11" fill="none" stroke="#888"/>'
            f'<rect x="1" y="1" width="{size}" height="10" fill="{fill}"/></svg>')


def _table(rows, head=()):
    cell = "padding:1px 10px 1px 0;text-align:left;vertical-align:top"
    top = "<tr>" + "".join(f'<th style="{cell}" scope="col">{name}</th>' for name in head) + "</tr>" if head else ""
    body = "".join("<tr>" + "".join(f'<td style="{cell}">{value}</td>' for value in row) + "</tr>" for row in rows)
    return f'<table style="border-collapse:collapse;font-size:13px;{TIGHT}">{top}{body}</table>'


def reward_html(reward) -> str:
    """Each part of a reward as a bar, with its weight and the sentence why.

    Example: `reward_html(rollout.reward)`.
    """
    rows = [(name, bar(value, name), number(value), text_html(reason, total=600))
            for name, value, reason in zip(("vision", "format", "tool"), (reward.vision, reward.format, reward.tool),
                                           reward.reasons or ("", "", ""), strict=True)]
    head = "part", "", "value", "value x weight: why"
    return f'<p style="{TIGHT}">reward <b>{number(reward.total)}</b></p>' + _table(rows, head)


def verdict_html(verdict) -> str:
    """The parts of a judge's score as bars, and its reason."""
    rows = [(text_html(name, total=40), bar(value, name), number(value)) for name, value in verdict.parts.items()]
    return f'<p style="{TIGHT}">{text_html(verdict.reason, total=1000)}</p>' + _table(rows, ("part", "", "likeness"))


def _previous(rollout, i):
    """The code of the draft before turn `i` (from 0), or None."""
    return next((turn.code for turn in reversed(rollout.turns[:i]) if turn.code is not None), None)


def _code(rollout, i):
    turn, before = rollout.turns[i], _previous(rollout, i)
    if turn.code is None:
        return code_html(turn.text, "text")
    return code_html(turn.code, rollout.language) if before is None else diff_html(before, turn.code, rollout.language)


def _title(rollout, i):
    turn = rollout.turns[i]
    score = number(turn.score) if turn.ran else "failed" if turn.code is not None else turn.action or "no action"
    return f"turn {i + 1}: {score}" + (" (final)" if rollout.choice == i else "")


def _alt(rollout, i):
    turn = rollout.turns[i]
    return f"render of turn {i + 1}, score {number(turn.score)}. {plain(turn.verdict.feedback, total=300)}"


def _problem(turn):
    """Why a turn has no picture, as escaped text; empty when it has one."""
    found = "" if turn.ran else turn.error or plain(turn.text, total=10_000)[-60:]
    return text_html(found, total=600)


def _figure(body, caption, width):
    style = f"margin:0;max-width:{width}px;overflow-wrap:anywhere"
    return f'<figure style="{style}"><div>{body}</div><figcaption>{caption}</figcaption></figure>'


def _row(cells):
    style = f"display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start;{TIGHT}"
    return f'<div style="{style}">' + "".join(cells) + "</div>"


def rollout_html(rollout) -> str:
    """A rollout as one row: the target, then each turn's render, difference and feedback; thought and code folded.

    Example: `HTML(rollout_html(rollout))`, which is what a rollout shows of itself in a cell.
    """
    cells = [_figure(picture(rollout.target, f"target image {plain(rollout.id, total=80)}"), "<b>target</b>", 340)]
    for i, turn in enumerate(rollout.turns):
        body, caption = "", f"<b>{_title(rollout, i)}</b><br>"
        if turn.ran:
            marks = difference(rollout.target, turn.rendering.image)
            body = picture(turn.rendering.image, _alt(rollout, i)) + picture(
                marks, f"difference of turn {i + 1}: red ink is missing, blue ink is extra", 110)
        caption += text_html(turn.verdict.feedback, total=600) if turn.ran else _problem(turn)
        detail = f"<p>{text_html(turn.thought)}</p>{_code(rollout, i)}{_failure(turn)}"
        cells.append(_figure(body, f"{caption}<details><summary>thought and code</summary>{detail}</details>", 340))
    return _row(cells) + (reward_html(rollout.reward) if rollout.reward else "")


def _failure(turn):
    failed = turn.rendering is not None and turn.rendering.error
    return f'<pre dir="ltr" style="{CODE}">{html.escape(plain(failed))}</pre>' if failed else ""


def strip_html(rollout, current: int | None = None, width: int = 120) -> str:
    """The turns as a strip of thumbnails with scores; turn `current` (from 1) is framed and called "shown"."""
    cells = [_figure(picture(rollout.target, "target", width), "target", width + 20)]
    for i, turn in enumerate(rollout.turns):
        shown = current == i + 1
        box = f"width:{width}px;padding:8px;border:{BORDER};font-size:12px;overflow:hidden"
        body = picture(turn.rendering.image, _alt(rollout, i), width) if turn.ran else \
            f'<div style="{box}">{_problem(turn)}</div>'
        cell = _figure(body, f"<b>{_title(rollout, i)}</b>" + (", shown" if shown else ""), width + 20)
        outline = "outline:3px solid var(--jp-brand-color1,#1976d2);outline-offset:2px" if shown else ""
        cells.append(f'<div style="{outline}">{cell}</div>')
    return _row(cells)


def turn_html(rollout, turn: int, how: str = "difference", at: int = 50, width: int = 300) -> str:
    """One turn (from 1) in full: target, render, comparison; feedback, thought, code against the draft before, score.

    `how` and `at` are those of `compare`. Raises ValueError for a turn that does not exist.

    Example: `HTML(turn_html(rollout, 2, "heat map"))`.
    """
    if not 1 <= turn <= len(rollout.turns):
        raise ValueError(f"turn={turn}: this rollout has turns 1 to {len(rollout.turns)}")
    i, it = turn - 1, rollout.turns[turn - 1]
    target, name = f"target image {plain(rollout.id, total=80)}", f"<b>{_title(rollout, i)}</b>"
    cells = [_figure(picture(rollout.target, target, width), "<b>target</b>", width)]
    if it.ran:
        cells.append(_figure(picture(it.rendering.image, _alt(rollout, i), width), name, width))
        seen = compare(rollout.target, it.rendering.image, how, at)
        cells.append(_figure(picture(seen, f"{how} of target and turn {turn}: {LEGEND[how]}", width),
                             f"<b>{how}</b>: {LEGEND[how]}", width))
    else:
        cells.append(_figure("", f"{name}<br>{_problem(it)}", width))
    texts = {"feedback": it.verdict.feedback if it.verdict else "", "wrong": it.error, "thought": it.thought}
    before = _previous(rollout, i)
    label = "code" if it.code is not None and before is None else "code, and what changed since the draft before" \
        if it.code is not None else "what it wrote"
    parts = [_row(cells), *(_says(what, text_html(text)) for what, text in texts.items() if text), _says(label, ""),
             _code(rollout, i), _failure(it)]
    if it.verdict is not None and it.ran:
        parts.append(f"<details><summary>the score, part by part</summary>{verdict_html(it.verdict)}</details>")
    return "".join(parts)


def _says(label, body):
    return f'<p style="{TIGHT}"><b>{label}</b> {body}</p>'


def lone_turn_html(turn) -> str:
    """A turn without its rollout, so without target and comparison: render, feedback, and the rest folded."""
    it = _Sole(turn)
    body = picture(turn.rendering.image, _alt(it, 0)) if turn.ran else ""
    said = turn.verdict.feedback if turn.ran else ""
    detail = f"<p>{text_html(turn.thought)}</p>{_code(it, 0)}{_failure(turn)}"
    return _figure(body, f"<b>{_title(it, 0).partition(': ')[2]}</b><br>{text_html(said, total=600)}{_problem(turn)}"
                   f"<details><summary>thought and code</summary>{detail}</details>", 700)


class _Sole:
    """What the functions above read of a rollout, for a turn that has none."""

    def __init__(self, turn):
        self.turns, self.choice = (turn,), None
        self.language = turn.rendering.language if turn.rendering is not None else "matplotlib"


def ledger(rollout, policy=None) -> list[dict]:
    """What each message cost: characters written, seconds of writing (where recorded) and of rendering, and tokens.

    Tokens written and tokens read (prompt and image tokens so far) are counted with the `ModelPolicy` given; without
    one they are None.

    Example: `pandas.DataFrame(ledger(rollout, rl.load_policy("nano")))`.
    """
    from ..environment import _messages, _width

    messages = _messages(rollout)
    seconds = rollout.info.get("seconds", [])
    talks = conversations(rollout, max(3, len(messages)), getattr(policy, "difference", False)) if policy else []
    rows = []
    for k, (first, text) in enumerate(messages):
        turns = rollout.turns[first:first + _width(text)]
        rows.append({
            "message": k + 1, "characters": len(text),
            "tokens read": int(policy.inputs([talks[k]])["input_ids"].shape[1]) if policy else None,
            "tokens written": len(policy.processor.tokenizer(text)["input_ids"]) if policy else None,
            "writing s": seconds[k] if k < len(seconds) else None,
            "rendering s": round(sum(turn.rendering.seconds for turn in turns if turn.rendering), 3)})
    return rows


def ledger_html(rows) -> str:
    """`ledger` rows as a table; what was not recorded or counted is a dash."""
    def said(value):
        return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else f"{value:,}"

    shown = [[said(value) for value in row.values()] for row in rows]
    return _table(shown, rows[0]) if rows else ""


def beside_html(original, changed, current: int | None = None) -> str:
    """A rollout and its branch, one above the other, with what the change did to score and reward."""
    left, made = original.info.get("branch"), changed.info.get("branch") or {}
    was, now = (r.reward.total if r.reward else math.nan for r in (original, changed))
    what = " and ".join(made.get("changed", [])) or "nothing (written again)"
    gain = "" if math.isnan(was) or math.isnan(now) else f" ({now - was:+.3f})"
    return (_says("branch before" if left else "original", f"reward {number(was)}") + strip_html(original, width=100)
            + _says("branch", f"{text_html(what)} changed at turn {made.get('turn', '?')}, reward {number(now)}{gain}")
            + strip_html(changed, current, width=100))


# --------------------------------------------------------------------------------------------------------------------
# One file for slides and papers.

PAGE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222;
background:#fff;color-scheme:light}section{border-top:2px solid #ccc;margin-top:2rem;padding-top:.5rem}
a{color:#0a4fb3}img{max-width:100%}"""
FORBID = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def export(rollouts, path, title: str = "Rollouts") -> Path:
    """One self-contained HTML file of a rollout or of many (a group, highlights, a `Report`), opened from disk.

    Pictures are inside; scripts and the network are forbidden to the page. Returns the path. Raises ValueError when
    there is no rollout.

    Example: `export(load_rollouts("runs/demo").where(step=3), "group.html", "Step 3")`.
    """
    rollouts = [rollouts] if hasattr(rollouts, "turns") else list(getattr(rollouts, "rollouts", rollouts))
    if not rollouts:
        raise ValueError("no rollouts to export; give a Rollout or some, such as load_rollouts('data/rollouts')")
    head = html.escape(plain(title, total=200))
    page = ["<!doctype html><html lang=en><meta charset=utf-8>"
            f'<meta http-equiv=Content-Security-Policy content="{FORBID}">'
            f"<title>{head}</title><style>{PAGE}</style><main><h1>{head}</h1>"]
    if len(rollouts) > 1:
        page.append(_row([_thumbnail(rollout, k) for k, rollout in enumerate(rollouts, 1)]))
    for k, rollout in enumerate(rollouts, 1):
        facts = [rollout.language, *(f"{k} {v}" for k, v in rollout.info.items() if isinstance(v, int | float | str))]
        page.append(f'<section id="r{k}"><h2>{k}. {text_html(rollout.id or "rollout", total=80)}</h2>'
                    f"<p>{text_html(', '.join(facts), total=400)}</p>{strip_html(rollout, width=160)}")
        page += [f"<h3>Turn {i}</h3>{turn_html(rollout, i)}" for i in range(1, len(rollout.turns) + 1)]
        page.append(reward_html(rollout.reward) if rollout.reward else "")
        page.append(ledger_html(ledger(rollout)) + "</section>")
    path = Path(path)
    path.write_text("".join(page) + "</main></html>", encoding="utf-8")
    return path


def _thumbnail(rollout, k):
    final, total = rollout.final, rollout.reward.total if rollout.reward else math.nan
    ran = final is not None and final.ran
    body = picture(final.rendering.image, f"final render {k}", 150) if ran else \
        picture(rollout.target, f"target {k}; its final program failed", 150)
    return _figure(body, f'<a href="#r{k}">{k}</a>: reward {number(total)}' + ("" if ran else ", failed"), 160)
