"""Inside the sandbox: read an SVG drawing, and leave it as Chromium shall draw it, with its size in words.

What lies outside the drawing's text becomes a gray box where it is a picture, else nothing. Loaded by
`_zygote`, never imported.

Left out: drawing it, which Chromium does (`chromium`), and naming what is not drawn (`absent`).
"""

import json
import re

import sandbox

SVG = "{http://www.w3.org/2000/svg}"
PICTURE_DATA = re.compile(r"\s*data:image/", re.IGNORECASE)
UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0,
         "q": 96 / 101.6, "em": 16.0, "rem": 16.0, "ex": 8.0}
ROOM = 512.0                       # pixels of the longer side of a drawing that states no size
HINTS = {"undefined entity": "XML knows &amp; &lt; &gt; only, else write &#160; or the character itself",
         "unbound prefix": 'declare it on <svg>, as xmlns:xlink="http://www.w3.org/1999/xlink"',
         "invalid token": "write & as &amp; and < as &lt;"}


class BadSvg(ValueError):
    pass


def run(code, job):
    """Read a drawing and return its report: JSON as one row of RGB pixels, padded with spaces, as plotly's.

    The JSON holds `svg`, the text to draw, and `room`, [width, height] of the window to draw it in.
    """
    report = {"width": 0, "height": 0}
    try:
        root, room = read_svg(code.strip())
        text = json.dumps({"svg": ElementTree().tostring(root, encoding="unicode"), "room": room}).encode()
        if len(text) > 3 * sandbox.MAX_PIXELS - 2:
            raise BadSvg(f"the drawing holds {len(text) / 1e6:.0f} MB")
    except BadSvg as problem:
        report["error"] = str(problem)
    except BaseException as problem:
        report["error"] = f"the drawing could not be read: {problem}"[:1500]
    else:
        report["pixels"] = text + b" " * (-len(text) % 3)
        report["width"], report["height"] = len(report["pixels"]) // 3, 1
    return report


def ElementTree():
    import xml.etree.ElementTree as tree
    tree.register_namespace("", SVG[1:-1])
    tree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    return tree


def read_svg(code):
    """(root, [width, height] of the window) of a drawing without references to the outside. Raises BadSvg."""
    tree = ElementTree()
    if "http://www.w3.org/2000/svg" not in code:
        raise BadSvg('the root element must be <svg xmlns="http://www.w3.org/2000/svg" ...>')
    try:
        root = tree.fromstring(code)
    except tree.ParseError as problem:
        raise BadSvg(in_words(problem, code)) from None
    if root.tag != SVG + "svg":
        raise BadSvg('the root element must be <svg xmlns="http://www.w3.org/2000/svg" ...>, not '
                     f"<{root.tag.rpartition('}')[2]}>")
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        for key in [k for k in element.attrib if k.rpartition("}")[2] == "href"]:
            value = element.get(key)
            if name in ("image", "feImage"):
                if not PICTURE_DATA.match(value):
                    del element.attrib[key]
                    element.tag = SVG + "rect" if name == "image" else element.tag
                    element.set("fill", "#c8c8c8")
            elif not value.strip().startswith("#") and name != "a":
                del element.attrib[key]
    return root, room(root)


def in_words(problem, code):
    """What the parser says, with the line it means and what to write instead, in one line."""
    number = problem.position[0]
    line = code.split("\n")[number - 1].strip()[:200] if number <= code.count("\n") + 1 else ""
    hint = next((f" ({hint})" for word, hint in HINTS.items() if word in str(problem)), "")
    return f"not well-formed XML: {problem}{hint}, in: {line}"


def room(root):
    """[width, height] in pixels of the window a drawing gets: its own size, else as a browser has room for.

    A side is None where nothing here says how long it is; Chromium may find it in a style sheet.
    """
    style = dict(re.findall(r"(?:^|;)\s*(width|height)\s*:\s*([^;!]+)", root.get("style", "").lower()))
    width, height = (pixels(style.get(side, root.get(side))) for side in ("width", "height"))
    if width is None or height is None:
        try:
            _, _, w, h = (float(n) for n in root.get("viewBox", "").replace(",", " ").split())
            ratio = w / h
        except (ValueError, ZeroDivisionError):
            ratio = None
        if ratio:
            if width is None and height is None:
                width = ROOM if ratio >= 1 else ROOM * ratio
            height = height or width / ratio
            width = width or height * ratio
    for side in (width, height):
        if side is not None and not 0 < side < 1e9:
            raise BadSvg(f"the drawing is {width:g} x {height:g} pixels; nothing to see")
    return [width, height]


def pixels(length):
    """A CSS length in pixels; None when absent, relative or not a length."""
    number = r"\s*([+-]?[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*"
    found = re.fullmatch(number, (length or "").lower())
    return float(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None
