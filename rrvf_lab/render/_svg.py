"""Inside the sandbox: an SVG drawing becomes a picture, by resvg. Nothing outside the drawing's text is ever
read.

Loaded by `_zygote`, never imported.

Left out: scripts, animations (their first moment is shown), and fonts that are not installed: see `FAMILIES`.
"""

import glob
import io
import os
import re

import sandbox

SVG = "{http://www.w3.org/2000/svg}"
PICTURE_DATA = re.compile(r"\s*data:image/(png|jpe?g|gif|webp)[;,]", re.IGNORECASE)
UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0,
         "em": 16.0, "rem": 16.0}
FAMILIES = (
    ("sans-serif",
     r"Arial|Helvetica Neue|Helvetica|Roboto|Inter|Segoe UI|system-ui|Open Sans|Calibri|Tahoma"),
    ("serif", r"Times New Roman|Times|Georgia|Cambria|Garamond"),
    ("monospace", r"Courier New|Courier|Consolas|Menlo|Monaco"),
)
FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts")


class BadSvg(ValueError):
    pass


def stand_ins():
    """What sans-serif, serif and monospace mean here: Liberation, else the DejaVu that matplotlib ships."""
    if glob.glob("/usr/share/fonts/*/liberation*") + glob.glob("/usr/share/fonts/liberation*"):
        return "Liberation Sans", "Liberation Serif", "Liberation Mono"
    return "DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"


def run(code, job):
    """Rasterise a drawing with resvg and return its report: its picture over white."""
    report = {"width": 0, "height": 0}
    try:
        picture = rasterise(code.strip(), job["size"])
    except BadSvg as problem:
        report["error"] = str(problem)
    except BaseException as problem:
        report["error"] = f"the drawing could not be rendered: {problem}"[:1500]
    else:
        report["width"], report["height"], report["pixels"] = *picture.size, picture.tobytes()
    return report


def rasterise(code, size):
    import matplotlib
    import resvg_py
    from PIL import Image
    root, width, height = read_svg(code)
    if size:
        if root.get("viewBox") is None:
            root.set("viewBox", f"0 0 {width} {height}")
        width, height = size
    if width * height > sandbox.MAX_PIXELS:
        raise BadSvg(f"the drawing asks for {width:.0f} x {height:.0f} pixels; "
                     f"the limit is {sandbox.MAX_PIXELS:,} in all")
    root.set("width", str(max(1, round(width))))
    root.set("height", str(max(1, round(height))))
    # Always written again from what was read here, so that no second reader can see something else in it.
    text = known_fonts(ElementTree().tostring(root, encoding="unicode"))
    folders = [p for p in FONTS if os.path.isdir(p)]
    sans, serif, mono = stand_ins()
    png = resvg_py.svg_to_bytes(
        svg_string=text, background="white", skip_system_fonts=True,
        font_dirs=[*folders, os.path.join(matplotlib.get_data_path(), "fonts", "ttf")], font_family=sans,
        sans_serif_family=sans, serif_family=serif, monospace_family=mono, cursive_family=sans,
        fantasy_family=sans)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width * picture.height > sandbox.MAX_PIXELS:
        raise BadSvg(f"the drawing is {picture.width} x {picture.height} pixels; "
                     f"the limit is {sandbox.MAX_PIXELS:,} in all")
    return picture


def ElementTree():
    import xml.etree.ElementTree as tree
    tree.register_namespace("", SVG[1:-1])
    tree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    return tree


def read_svg(code):
    """(root, width, height) of a drawing; references to the outside become gray boxes. Raises BadSvg."""
    tree = ElementTree()
    if "<!ENTITY" in code:
        raise BadSvg("entity declarations (<!ENTITY ...>) are not read; write the text itself")
    if "http://www.w3.org/2000/svg" not in code:
        raise BadSvg('the root element must be <svg xmlns="http://www.w3.org/2000/svg" ...>')
    try:
        root = tree.fromstring(code)
    except tree.ParseError as problem:
        number = problem.position[0]
        line = code.split("\n")[number - 1].strip()[:200] if number <= code.count("\n") + 1 else ""
        raise BadSvg(f"not well-formed XML: {problem}\n    {line}") from None
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
    width, height = pixels(root.get("width")), pixels(root.get("height"))
    if width is None or height is None:
        try:
            _, _, w, h = (float(n) for n in root.get("viewBox", "").replace(",", " ").split())
            ratio = w / h
        except (ValueError, ZeroDivisionError):
            raise BadSvg("the <svg> element needs width and height in pixels, or a viewBox") from None
        if width is None and height is None:             # like a browser, as large as there is room for
            width = 512.0 if ratio >= 1 else 512.0 * ratio
        height = height or width / ratio
        width = width or height * ratio
    if not (0 < width < 1e9 and 0 < height < 1e9):
        raise BadSvg(f"the drawing is {width:g} x {height:g} pixels; nothing to see")
    return root, width, height


def pixels(length):
    """A CSS length in pixels; None when absent, relative or not a length."""
    found = re.fullmatch(r"\s*([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([a-z]*)\s*", length or "")
    return float(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None


def known_fonts(text):
    """Common families that are seldom installed become the generic one, as in a browser."""
    def replaced(found):
        families = found[2]
        for generic, names in FAMILIES:
            quote = r"(?:&quot;|['\"])?"
            families = re.sub(rf"(?<![\w-]){quote}(?:{names}){quote}(?![\w-])", generic, families)
        return found[1] + families
    return re.sub(r"(font-family\s*(?:=\s*\"|:))((?:&quot;|[^;}<>\"])*)", replaced, text)
