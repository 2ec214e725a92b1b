"""Runs notebooks from top to bottom and stores them with their outputs, small and clean.

    python notebooks/store.py 00 04           # those whose names begin so; without a word: all

Kept are outputs without execution counts, widget state, what was printed to the error stream, and bars of
progress; pictures get a palette, which for charts nobody sees. A notebook that fails stays as it was.

Left out: a notebook's parameters, which are those it has.
"""
import base64
import io
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).resolve().parent
COLOURS = 96  # of a palette


def store(path):
    """Run one notebook and write it back."""
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", store_widget_state=False,
                   resources={"metadata": {"path": str(HERE)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, _kept(cell.outputs)
            cell.metadata.pop("execution", None)
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, path)


def _kept(outputs):
    """The outputs worth keeping: parts of one stream as one, pictures small."""
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if output.get("name") == "stderr" or "Loading weights" in data.get("text/plain", ""):
            continue
        if output.output_type == "stream" and kept and kept[-1].output_type == "stream":
            kept[-1].text += output.text
            continue
        if "execution_count" in output:
            output.execution_count = None
        if "text/html" in data:
            data["text/html"] = re.sub(r'(?<=src="data:image/png;base64,)[^"]*', _smaller,
                                       data["text/html"])  # not what a shown program says of one
        kept.append(output)
    return kept


def _smaller(found):
    """A picture of a page with a palette, where that saves anything."""
    data, out = base64.b64decode(found[0]), io.BytesIO()
    image = Image.open(io.BytesIO(data))
    if image.mode == "RGB":
        image.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    smaller = out.getvalue() if 0 < out.tell() < len(data) else data
    return base64.b64encode(smaller).decode()


if __name__ == "__main__":
    for path in sorted(HERE.glob("*.ipynb")):
        if path.name.startswith(tuple(sys.argv[1:]) or ("",)):
            store(path)
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
