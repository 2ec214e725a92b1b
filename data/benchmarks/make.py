"""Draws the small stand-ins for the benchmarks again, each in its benchmark's form on disk.

    python data/benchmarks/make.py

Programs, pages and words are ours (CC0, see README.md); nothing is taken from a benchmark. Pictures are drawn
with our own renderer.

Left out: the PDFs beside ChartMimic's programs, which nothing here reads.
"""
import json
import shutil
from pathlib import Path

from datasets import Dataset, Features, Image, Value
from PIL import Image as Picture

from rrvf_lab import Renderer
from rrvf_lab.leaves.pictures import png

HERE = Path(__file__).parent

# stem: (the data, the drawing)
CHARTS = {
    "bar_1": ("stalls = ['north', 'mill', 'quay']\nsold = [4, 7, 5]",
              "fig, ax = plt.subplots(figsize=(4, 3))\nax.bar(stalls, sold, color='teal')\n"
              "ax.set_title('Fruit sold')\nax.set_ylabel('crates')"),
    "bar_2": ("months = ['Jan', 'Feb', 'Mar']\nrain = [30, 22, 41]",
              "fig, ax = plt.subplots(figsize=(4, 3))\nax.barh(months, rain, color='steelblue')\n"
              "ax.set_xlabel('mm')"),
    "bar_10": ("days = ['Sat', 'Sun']\nold = [3, 5]\nyoung = [6, 2]",
               "fig, ax = plt.subplots(figsize=(4, 3))\nax.bar(days, old, color='gold', label='old')\n"
               "ax.bar(days, young, bottom=old, color='brown', label='young')\nax.legend()"),
    "line_1": ("minutes = [0, 1, 2, 3, 4]\nwarmth = [20, 38, 61, 80, 99]",
               "fig, ax = plt.subplots(figsize=(4, 3))\nax.plot(minutes, warmth, 'o-', color='salmon')\n"
               "ax.set_xlabel('minutes')\nax.grid(True)"),
}
PART = "# ===================\n# Part {}: {}\n# ===================\n"

PLOTS = {
    "python_matplotlib": [
        ("https://matplotlib.org/stable/gallery/lines_bars_and_markers/own_steps.html",
         "import matplotlib.pyplot as plt\n\nplt.figure(figsize=(4, 3))\n"
         "plt.step([1, 2, 3, 4], [2, 5, 3, 6], color='teal')\nplt.title('Steps')\nplt.show()\n",
         "A teal step line with four points, titled Steps."),
        ("https://matplotlib.org/stable/gallery/pie_and_polar_charts/own_pie.html",
         "import matplotlib.pyplot as plt\n\nfig, ax = plt.subplots(figsize=(4, 3))\n"
         "ax.pie([5, 3, 2], labels=['a', 'b', 'c'])\nplt.show()\n",
         "A pie of three parts labelled a, b and c."),
        ("https://matplotlib.org/stable/gallery/lines_bars_and_markers/own_dots.html",
         "import matplotlib.pyplot as plt\n\nfig, ax = plt.subplots(figsize=(4, 3))\n"
         "ax.scatter([1, 2, 3], [3, 1, 2], s=60, color='brown')\nax.set_xlabel('width')\n"
         "plt.tight_layout()\nplt.show()\n",
         "Three brown dots over an axis named width."),
    ],
    "python_plotly": [
        ("https://plotly.com/python/bar-charts/",
         "import plotly.graph_objects as go\n\nfig = go.Figure(go.Bar(x=['a', 'b', 'c'], y=[2, 5, 3]))\n"
         "fig.update_layout(width=400, height=300)\nfig.show()\n", "Three bars for a, b and c."),
    ],
}

PAGES = {
    "7": ("<h1>Mill Lane Bakery</h1><p>Bread from six in the morning.</p>"
          "<img src='rick.jpg' width='360' height='160'><ul><li>Rye</li><li>Oat</li></ul>"),
    "12": ("<nav><a href='#'>Home</a> <a href='#'>Boats</a></nav><h2>Boats for hire</h2>"
           "<table border='1'><tr><th>Boat</th><th>Seats</th></tr><tr><td>Heron</td><td>4</td></tr></table>"),
    "105": ("<h1>Post office</h1><p>Open on weekdays.</p>"
            "<footer style='background:#ddd'>Parcels by noon</footer>"),
}
FRAME = ("<!DOCTYPE html>\n<html>\n<head><meta charset='utf-8'><style>"
         "body {{ font: 32px/1.6 'DejaVu Sans'; margin: 0; "
         "padding: 40px 56px; background: #f4f1ea }} h1, h2 {{ color: #7a3b12 }}"
         "</style></head>\n<body>{}</body>\n</html>\n")
SIGHTS = ["<h1>Tea house</h1><p>Green, black and white tea.</p>",
          "<div style='background:#264; color:#fff; padding:20px'>Garden club</div>"
          "<p>We meet on Mondays.</p>",
          "<h2>Bicycle repair</h2><ol><li>Bring it</li><li>Wait</li></ol>",
          "<h1>Library</h1><p>Closed in August.</p><button>Renew</button>"]


def chartmimic(renderer):
    folder = fresh("chartmimic", "direct_600")
    for stem, (values, drawing) in CHARTS.items():
        code = ("import matplotlib.pyplot as plt\nimport numpy as np; np.random.seed(0)\n\n"
                f"{PART.format(2, 'Data Preparation')}{values}\n\n"
                f"{PART.format(3, 'Plot Configuration and Rendering')}{drawing}\n\n"
                f"{PART.format(4, 'Saving Output')}plt.tight_layout()\n"
                f"plt.savefig(\"{stem}.pdf\", bbox_inches=\"tight\")\n")
        (folder / f"{stem}.py").write_text(code)
        drawn(renderer, code, "matplotlib").save(folder / f"{stem}.png", optimize=True)


def plot2code(renderer):
    for task, plots in PLOTS.items():
        folder, rows = fresh("plot2code", "data", task, "test"), []
        for i, (url, code, instruction) in enumerate(plots):
            name = f"ground_truth_image_{i}.png"
            drawn(renderer, code, task.partition("_")[2]).save(folder / name, optimize=True)
            rows.append({"file_name": name, "url": url, "code": code, "instruction": instruction})
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "metadata.jsonl").write_text(lines)


def design2code(renderer):
    folder, rows = fresh("design2code"), []
    Picture.new("RGB", (120, 80), "#2b6cff").save(folder / "rick.jpg", quality=60)
    for name, body in PAGES.items():
        code = FRAME.format(body)
        picture = drawn(renderer, code, "html")
        (folder / f"{name}.html").write_text(code)
        picture.save(folder / f"{name}.png", optimize=True)
        rows.append({"image": packed(picture), "text": code})
    write_parquet(fresh("design2code-hf", "data") / "train-00000-of-00001.parquet", rows)


def websight(renderer):
    pages = [FRAME.format(body) for body in SIGHTS]
    rows = [{"image": packed(drawn(renderer, page, "html")), "text": page} for page in pages]
    write_parquet(fresh("websight", "data") / "train-00070-of-00071-0000000000000000.parquet", rows)
    record = {"v0.1": {"shard": "train-00070-of-00071", "rows": [1, 3]}}
    (HERE / "websight/heldout.json").write_text(json.dumps(record) + "\n")


def fresh(*parts):
    """An empty folder."""
    folder = HERE.joinpath(*parts)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def drawn(renderer, code, language):
    rendering = renderer.render(code, language)
    if rendering.image is None:
        raise RuntimeError(f"a {language} program of the samples does not run: {rendering.error}")
    return rendering.image


def packed(picture):
    return {"bytes": png(picture, optimize=True), "path": None}


def write_parquet(path, rows):
    columns = Features({"image": Image(), "text": Value("string")})
    Dataset.from_list(rows, features=columns).to_parquet(path)


if __name__ == "__main__":
    with Renderer() as renderer:
        for make in (chartmimic, plot2code, design2code, websight):
            make(renderer)
