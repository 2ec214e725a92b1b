"""Makes the book: notebooks and the texts beside them as static pages, to be read without installing
anything.

    python notebooks/book.py [folder]        # make book: into book/

nbconvert turns what is stored in the notebooks into pages. Nothing is run, and the pages hold no script, so
they open from a disk. A live view appears as what it leaves without a kernel, with a sentence that says so.
Cells whose source is hidden (the solutions) are folded, and formulas are drawn.

Left out: search, and dark colours.
"""
import base64
import io
import re
import shutil
import sys
from html import escape, unescape
from pathlib import Path

import nbformat
from matplotlib import mathtext
from nbconvert import HTMLExporter
from PIL import Image
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

HERE = Path(__file__).resolve().parent
TEXTS = {"README": "index", "VOCABULARY": "VOCABULARY", "SCALING": "SCALING", "LOG": "LOG"}  # file: page
LIVE = "<p class=live>A live view: open this notebook in JupyterLab to use it.</p>"
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]
WIDGET = "application/vnd.jupyter.widget-view+json"
FORBID = "default-src 'none'; img-src 'self' data: file:; style-src 'unsafe-inline'"
CELLS = """{%- extends 'basic/index.html.j2' -%}
{% block codecell %}{% if cell.metadata.get('jupyter', {}).get('source_hidden') %}
<details class="answer"><summary>Show the solution</summary>{{ super() }}</details>
{% else %}{{ super() }}{% endif %}{% endblock %}"""
STYLE = """body{font:16px/1.6 system-ui,sans-serif;color:#1b2733;background:#fff;color-scheme:light;margin:0}
main,nav{max-width:960px;margin:0 auto;padding:0 1.2rem}a{color:#0a4fb3}img{max-width:100%}
h1{line-height:1.25}nav{display:flex;gap:1.5rem;padding:.7rem 1.2rem;font-size:14px}
nav.end{border-top:1px solid #d5dce2;margin-top:2.5rem}a.anchor-link{display:none}
pre{margin:0;overflow-x:auto;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}
code{font:.88em ui-monospace,Menlo,Consolas,monospace;background:#f3f5f7;padding:.1em .25em;border-radius:3px}
pre code,.output_area code{background:none;padding:0}
.input_area,.rendered_html pre{background:#f6f8fa;border:1px solid #dde3e8;border-radius:6px;
padding:.6rem .8rem;margin:.9rem 0 .3rem}.input_area pre{white-space:pre-wrap;overflow-wrap:anywhere}
.output_area{margin:.3rem 0 1rem;overflow-x:auto;font-size:14px}
.output_text pre,.output_stream pre{white-space:pre-wrap;overflow-wrap:anywhere;color:#33414e}
table{border-collapse:collapse;border:0;font-size:14px}
td,th{border:0;padding:.25em .8em .25em 0;text-align:left;vertical-align:top}
.rendered_html table td,.rendered_html table th,.dataframe td,.dataframe th{border-bottom:1px solid #dde3e8}
.dataframe td,.dataframe th{text-align:right}details{margin:.5rem 0}summary{cursor:pointer;color:#0a4fb3}
.live{color:#5b6773;border-left:3px solid #b9c4ce;padding-left:.8rem}
"""


def pages():
    """{page: (title, notebook)} in the order of reading; a text becomes a notebook of one cell."""
    found = {}
    notebooks = {path.stem: nbformat.read(path, 4) for path in sorted(HERE.glob("*.ipynb"))}
    texts = {page: nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(path.read_text())])
             for name, page in TEXTS.items() if (path := HERE / f"{name}.md").exists()}
    first = {"index": texts.pop("index")} if "index" in texts else {}
    for page, notebook in (first | notebooks | texts).items():
        words = next(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        found[page] = words.lstrip("# ").split("\n")[0], notebook
    return found


def make(folder, only=None):
    """Write the pages (those named in `only`, or all) and their pictures into a folder, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "pictures").mkdir(parents=True)
    for picture in (HERE / "pictures").glob("*.png"):
        shutil.copy(picture, folder / "pictures")
    exporter = HTMLExporter(Config({"NbConvertBase": {"display_data_priority": SHOWN}}), raw_template=CELLS,
                            exclude_input_prompt=True, exclude_output_prompt=True)
    book = pages()
    for page in only or book:
        title, notebook = book[page]
        body = exporter.from_notebook_node(_still(notebook))[0]
        (folder / f"{page}.html").write_text(_whole(book, page, title, _linked(body)))


def _still(notebook):
    """A copy of the notebook in which nothing needs a kernel."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.pop(WIDGET, None) is not None:
                data["text/html"] = "".join(data.get("text/html", "")) + LIVE
            if "text/html" in data:
                data["text/html"] = re.sub(r"\\\((.+?)\\\)", _drawn, "".join(data["text/html"]))
    return notebook


def _linked(body):
    """The page with links to notebooks and texts turned into links to their pages."""
    def link(found):
        name, rest = found.groups("")
        return f'href="{TEXTS.get(name, name)}.html{rest}"'

    return re.sub(r'href="([\w.-]+)\.(?:ipynb|md)(#[^"]*)?"', link, body)


def _drawn(formula):
    """A formula of LaTeX as a picture, as the pages have no script that would typeset it."""
    data, text = io.BytesIO(), unescape(formula[1])
    mathtext.math_to_image(f"${text}$", data, dpi=220, format="png")
    wide, source = Image.open(data).width // 2, base64.b64encode(data.getvalue()).decode()
    return (f'<img src="data:image/png;base64,{source}" alt="{escape(text)}" width="{wide}" '
            'style="vertical-align:middle">')


def _whole(book, page, title, body):
    names = list(book)
    at = names.index(page)
    links = [("index", "Contents")] if page != "index" else []
    links += [(names[k], word + book[names[k]][0]) for k, word in ((at - 1, "‹ "), (at + 1, "Next: "))
              if 0 < k < len(names)]
    nav = "".join(f'<a href="{name}.html">{escape(words)}</a>' for name, words in links)
    colours = HtmlFormatter().get_style_defs(".highlight")
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
            '<meta name=viewport content="width=device-width,initial-scale=1">'
            f'<meta http-equiv=Content-Security-Policy content="{FORBID}"><style>{STYLE}{colours}</style>'
            f"<nav aria-label=pages>{nav}</nav><main>{body}</main>"
            f'<nav class=end aria-label="next page">{nav}</nav></html>')


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "book"
    make(target)
    print(f"{len(list(target.glob('*.html')))} pages in {target}; open {target / 'index.html'}")
