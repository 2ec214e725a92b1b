"""HTML, made safe and framed in one place: text, code, diffs, pictures, bars, tables, cards, whole pages.

Whatever a policy, a judge, a file or a person wrote becomes HTML here and only here: `plain` makes visible
what would act or hide, then it is escaped. A policy's own HTML and SVG appear as the screenshot that the
renderer made, or as escaped code, never live; `document` forbids scripts altogether. Arguments called `body`,
`caption`, `summary`, `label`, `head`, `rows` and `parts` are HTML already, all others are text. Colours are
JupyterLab's own variables with fallbacks, so that light and dark themes both stay readable.

Left out: letters of right-to-left scripts may still reorder a line that holds them (direction marks are made
visible), and piled-up accents are clipped rather than removed.
"""

from __future__ import annotations

import difflib
import html
import math
import re
import unicodedata
from itertools import groupby

from PIL import Image

from ..leaves.pictures import data_url, rgb

BORDER = "1px solid var(--jp-border-color1,#999)"
CODE = (f"margin:4px 0;padding:6px 8px;border:{BORDER};overflow:auto;max-height:340px;font:12px/1.45 "
        "var(--jp-code-font-family,monospace);background:var(--jp-cell-editor-background,#f6f6f6);"
        "color:var(--jp-mirror-editor-variable-color,#111);white-space:pre-wrap;overflow-wrap:anywhere;"
        "unicode-bidi:isolate")
TIGHT = "margin:.35em 0;line-height:1.45;overflow-wrap:anywhere"  # widgets set lines 28 pixels apart
LEXERS = {"matplotlib": "python", "plotly": "python", "svg": "xml", "html": "html"}
COLOURS = {"Keyword": "keyword,#00742b", "Comment": "comment,#456d6d", "Literal.String": "string,#a31515",
           "Literal.Number": "number,#06691f", "Operator": "operator,#8b1fd1", "Name.Tag": "tag,#00742b",
           "Name.Builtin": "builtin,#00742b", "Name.Attribute": "attribute,#0a4fb3"}
FORBID = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PAGE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222;
background:#fff;color-scheme:light}section{border-top:2px solid #ccc;margin-top:2rem;padding-top:.5rem}
figcaption{font-size:13px}a{color:#0a4fb3}img{max-width:100%}"""


# -------------------------------------------------------------------------------------- text from elsewhere

class _Visible(dict):
    """For str.translate: what a terminal or a browser would act on becomes a sign that one can see."""

    def __missing__(self, code):
        char = chr(code)
        acts = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and char not in "\n\t"
        self[code] = f"‹U+{code:04X}›" if acts else char
        return self[code]


_VISIBLE = _Visible()


def plain(text, line: int = 2000, total: int = 20_000) -> str:
    """Text that neither acts nor hides: control and direction marks visible, what is long cut with a note.

    `line` and `total` are characters. Not escaped: see `text_html`.

    Example: `plain("\\x1b[31mred") == "‹U+001B›[31mred"`.
    """
    text = str(text)
    rest = len(text) - total
    lines = [part if len(part) <= line else
             f"{part[:line]} … ({len(part) - line:,} more characters in this line)"
             for part in text[:total].split("\n")]
    note = f"\n… ({rest:,} more characters)" if rest > 0 else ""
    return "\n".join(lines).translate(_VISIBLE) + note


def text_html(text, **limits) -> str:
    """`plain` text, escaped, with its line breaks kept; `limits` are those of `plain`."""
    return escaped(text, **limits).replace("\n", "<br>")


def escaped(text, **limits) -> str:
    """The same for an attribute or preformatted text: newlines stay. Example: `escaped('a "b"')`."""
    return html.escape(plain(text, **limits))


def code_html(code: str, language: str = "matplotlib") -> str:
    """A program, escaped and highlighted, in a scrolling box; another language than `LEXERS` has stays plain.

    Example: `code_html("plt.bar([1], [2])")`.
    """
    return _box(_coloured(plain(code), language))


def output_html(text) -> str:
    """What a process printed or raised, in a box like that of a program."""
    return _box([html.escape(plain(text))])


def diff_html(old: str, new: str, language: str = "matplotlib") -> str:
    """What changed between two programs, line by line: signs and colour, and the changed words marked.

    Example: `diff_html(rollout.turns[0].code, rollout.turns[1].code)`.
    """
    a, b = plain(old).split("\n"), plain(new).split("\n")
    if a == b:
        return says("The same code again.") + code_html(new, language)
    kept, rows = _coloured("\n".join(b), language), []
    for what, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if what == "equal":
            rows += ["  " + line for line in kept[k:m]]
            continue
        gone, come = list(map(html.escape, a[i:j])), list(map(html.escape, b[k:m]))
        for n, (one, two) in enumerate(zip(a[i:j], b[k:m], strict=False)):
            gone[n], come[n] = _words(one, two)
        mark = "text-decoration:none;background:rgba"
        rows += [f'<del style="{mark}(248,81,73,.22)">- {line}</del>' for line in gone]
        rows += [f'<ins style="{mark}(46,160,67,.25)">+ {line}</ins>' for line in come]
    return _box(rows)


def _box(lines):
    return f'<pre dir="ltr" style="{CODE}">' + "\n".join(lines) + "</pre>"


def _coloured(code, language):
    """Escaped, highlighted lines of (plain) code."""
    from pygments.lexers import get_lexer_by_name  # slow to load, and only code needs it

    lexer = get_lexer_by_name(LEXERS.get(language, "text"), stripnl=False, ensurenl=False)
    lines = [""]
    for colour, tokens in groupby(lexer.get_tokens(code), key=_colour):  # a quote and its words are one span
        for i, part in enumerate("".join(value for _, value in tokens).split("\n")):
            if i:
                lines.append("")
            if part and colour:
                style = f"color:var(--jp-mirror-editor-{colour.replace(',', '-color,')})"
                lines[-1] += f'<span style="{style}">{html.escape(part)}</span>'
            else:
                lines[-1] += html.escape(part)
    return lines


def _colour(token):
    """The colour of a lexer's token, None for text that has none."""
    name = str(token[0]).removeprefix("Token.")
    return next((colour for prefix, colour in COLOURS.items() if name.startswith(prefix)), None)


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


# ---------------------------------------------------------------------------------------- pictures and bars

def picture(image, alt: str, width: int = 220) -> str:
    """An image as an `<img>` of `width` CSS pixels with its alt text.

    `image` is what `rgb` takes, stored with no more than twice as many pixels, or the bytes of a PNG file,
    taken as they are.

    Example: `picture(rollout.target, "the target")`.
    """
    image = image if isinstance(image, bytes) else rgb(image)
    if not isinstance(image, bytes) and image.width > 2 * width:
        size = 2 * width, max(1, round(image.height * 2 * width / image.width))
        image = image.resize(size, Image.Resampling.BOX)
    style = f"width:{width}px;max-width:100%;border:1px solid #ccc;background:#fff"
    return f'<img src="{data_url(image)}" alt="{html.escape(plain(alt, total=2000))}" style="{style}">'


def drawn(image, alt: str, error: str = "", width: int = 220, most: int = 160) -> str:
    """The picture of a render, or where it is None a box as wide with `most` characters of the error."""
    if image is not None:
        return picture(image, alt, width)
    style = (f"width:{width - 12}px;min-height:{width // 2}px;padding:5px;border:1px dashed #c0392b;"
             "box-sizing:content-box;font-size:12px;overflow-wrap:anywhere")
    why = text_html(error or "no code", total=most)
    return f'<div style="{style}"><b>no picture</b><br><code>{why}</code></div>'


def card(body: str, caption: str, width: int = 220) -> str:
    """One framed thing and what is said of it: `card(drawn(image, alt, error), f"score {number(score)}")`."""
    style = f"margin:0;max-width:{width}px;line-height:1.4;overflow-wrap:anywhere"
    return f'<figure style="{style}"><div>{body}</div><figcaption>{caption}</figcaption></figure>'


def row(cells) -> str:
    """Cards beside each other, in as many lines as they need."""
    style = f"display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start;{TIGHT}"
    return f'<div style="{style}">{"".join(cells)}</div>'


def number(score: float, form: str = ".3f", unknown: str = "unscored") -> str:
    """A number for people: a score with three decimals, or in another `form`; NaN is `unknown`."""
    return unknown if math.isnan(score) else f"{score:{form}}"


def bar(value: float, name: str = "", width: int = 160, middle: bool = False) -> str:
    """A bar from 0 to 1, orange below 0; `name` with the value is what screen readers say (without: nothing).

    With `middle` 0 lies in the middle, and negative values go to the left of it. Not SVG: JupyterLab takes
    that out of a notebook that it does not trust, and leaves its words.
    """
    room, zero = (width // 2, width // 2) if middle else (width, 0)
    size = 0 if math.isnan(value) else min(room, round(room * abs(value)))
    left = zero - size if middle and value < 0 else zero
    label = html.escape(f"{plain(name)}: {number(value)}")
    said = f'role="img" aria-label="{label}" title="{label}"' if name else 'aria-hidden="true"'
    line = f"border-{'right' if value < 0 else 'left'}:1px solid #888;" if middle else ""
    frame = f"display:inline-block;vertical-align:middle;width:{width + 2 * middle}px;border:1px solid #888"
    inside = (f"display:block;height:10px;{line}margin-left:{left}px;width:{size}px;"
              f"background:{'#d9822b' if value < 0 else '#4682b4'}")
    return f'<span {said} style="{frame}"><span style="{inside}"></span></span>'


# --------------------------------------------------------------------------------------------------- frames

def says(label: str, body: str = "") -> str:
    """A line that opens with a name in bold."""
    return f'<p style="{TIGHT}"><b>{label}</b> {body}</p>'


def folded(summary: str, body: str) -> str:
    """What is shown after a click on `summary`."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def table(rows, head=(), align: str = "", caption: str = "") -> str:
    """Rows of cells; the first cell of each names the row. `align` has "l" or "r" for each column.

    Example: `table([("vision", "0.900")], ("part", "value"), "lr")`.
    """
    def cell(value, k, scope=""):
        tag, of = ("th", f' scope="{scope}"') if scope else ("td", "")
        side = "right" if align[k:k + 1] == "r" else "left"
        font = "font-weight:bold;white-space:nowrap" if scope == "col" else "font-weight:normal"
        style = f"padding:1px 12px 1px 0;vertical-align:top;text-align:{side};{font}"
        return f'<{tag}{of} style="{style}">{value}</{tag}>'

    lines = [[cell(name, k, "col") for k, name in enumerate(head)]] if len(head) else []
    lines += [[cell(value, k, "" if k else "row") for k, value in enumerate(values)] for values in rows]
    body = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    said = f'<caption style="text-align:left">{caption}</caption>' if caption else ""
    return f'<table style="border-collapse:collapse;font-size:13px;{TIGHT}">{said}{body}</table>'


def document(title: str, parts) -> str:
    """A page that stands alone: title (its heading too), style, and a policy that forbids scripts."""
    head = html.escape(plain(title, total=200))
    return ("<!doctype html><html lang=en><meta charset=utf-8>"
            f'<meta http-equiv=Content-Security-Policy content="{FORBID}">'
            f"<title>{head}</title><style>{PAGE}</style><main><h1>{head}</h1>{''.join(parts)}</main></html>")
