"""What a page, a drawing or a plotly figure asks for that is not drawn here, named in one sentence.

A picture that misses something without a word would teach its author the wrong thing. Only what is asked for
in plain text is found; nothing is parsed, and no pattern looks far, so a hostile text costs little time.

Left out: pictures of a page by another reason than the network, and what a script would have drawn.
"""

import re

_VALUE = r"""\s{0,9}=\s{0,9}["']?\s{0,9}((?!data:|\#|about:|blob:)[^"'\s>]+)"""
_URL = r"""\(\s{0,9}["']?\s{0,9}((?!data:|\#)[^"')]+)"""
# what it is called, how it is asked for; the group is its address
_ASKED = tuple((words, re.compile(pattern, re.IGNORECASE)) for words, pattern in (
    ("script", rf"<script\b[^>]{{0,300}}?\s(?:src|href){_VALUE}"),
    ("style sheet", rf"<link\b(?=[^>]{{0,300}}\bstylesheet)[^>]{{0,300}}?\shref{_VALUE}"),
    ("style sheet", r"""@import\s{1,9}(?:url\(\s{0,9})?["']?((?!data:)[^"')\s;]+)"""),
    ("font", rf"@font-face\s{{0,9}}\{{[^}}]{{0,2000}}?url{_URL}"),
    ("picture", rf"<(?:img|image|feImage|input)\b[^>]{{0,300}}?\s(?:src|(?:xlink:)?href){_VALUE}"),
    ("picture", rf"(?:background|background-image|content|mask|cursor)\s{{0,9}}:[^;}}\"]{{0,200}}?url{_URL}"),
    ("frame", rf"<(?:iframe|frame|embed)\b[^>]{{0,300}}?\ssrc{_VALUE}"),
    ("object", rf"<object\b[^>]{{0,300}}?\sdata{_VALUE}"),
    ("film or sound", rf"<(?:video|audio|source|track)\b[^>]{{0,300}}?\ssrc{_VALUE}"),
    ("part of another drawing", rf"<use\b[^>]{{0,300}}?\s(?:xlink:)?href{_VALUE}"),
    ("part of another drawing", r"(?:fill|stroke|filter|clip-path|marker[-a-z]{0,9})\s{0,9}[:=]"
                                rf"\s{{0,9}}[\"']?\s{{0,9}}url{_URL}"),
))
_INLINE = re.compile(r"<script\b(?![^>]{0,300}\s(?:src|href)\s*=)(?![^>]{0,300}json)[^>]{0,300}>"
                     r"\s{0,300}[^<\s]", re.IGNORECASE)
_FRAMEWORK = re.compile(r"tailwind|bootstrap|bulma|materialize|foundation|semantic|uikit", re.IGNORECASE)
_MOST, _LONGEST = 3, 70            # things named, characters of a name


def absent(text):
    """What HTML or SVG asks for that is not there when it is drawn, in one sentence; "" if nothing.

        absent('<link rel="stylesheet" href="https://x.org/a.css">')
        # "Not drawn: the style sheet https://x.org/a.css (no network here: write the rules in <style>)."
    """
    text = cut(text, re.compile("<!--"), re.compile("-->"))
    found = dict.fromkeys((words, address.strip()[:_LONGEST]) for words, pattern in _ASKED
                          for address in pattern.findall(text))
    named = [f"the {words} {address}" for words, address in found]
    if _INLINE.search(text):
        named.append("what the page's own script makes")
    kinds, addresses = {words for words, _ in found}, " ".join(address for _, address in found)
    why = ["no network here"]
    if "script" in kinds or _INLINE.search(text):
        why[0] = "no network and no scripts here" if found else "no scripts here"
    if _FRAMEWORK.search(addresses):
        why.append("its classes have no style: write the rules in <style>")
    elif "style sheet" in kinds:
        why.append("write the rules in <style>")
    if "picture" in kinds:
        why.append("pictures are gray boxes")
    return _sentence(named, why)


def absent_from_figure(text):
    """The same for a plotly figure's JSON: TeX, which needs MathJax, and pictures from the network."""
    named, why = [], []
    formulas = re.findall(r'":\s*"(\$[^"$]{1,200}\$)"', text)
    if formulas:
        named.append(f"the formula {formulas[0][:_LONGEST]}")
        why.append("no MathJax here: it stays as written; use <sup>, <sub> and Unicode")
    pictures = re.findall(r'"source":\s*"(https?:[^"]+)"', text)
    if pictures:
        named.append(f"the picture {pictures[0][:_LONGEST]}")
        why.append("no network here")
    return _sentence(named, why)


def cut(text, start, end):
    """A text without its parts from a match of `start` to the next one of `end`; in one pass."""
    kept, at = [], 0
    while (opened := start.search(text, at)) and (closed := end.search(text, opened.end())):
        kept.append(text[at:opened.start()])
        at = closed.end()
    return text[:0].join([*kept, text[at:]])


def _sentence(named, why):
    if not named:
        return ""
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return f"Not drawn: {', '.join(named[:_MOST])}{more} ({'; '.join(why)})."
