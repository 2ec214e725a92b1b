"""What the reader sees in one chart, drawn here with matplotlib: kinds, colours, grid, frame, tricky marks.

Left out: how often it is right on charts of all looks and on policies' drafts (bench_sentences.py).
"""
import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from rrvf_lab.judge.read import _median, _quantile  # noqa: E402
from rrvf_lab.judge.see import Drawing, as_page  # noqa: E402

VALUES = [3, 7, 5, 2, 6]


def reading(draw, size=(4, 3), spines="all", **look):
    fig = plt.figure(figsize=size, dpi=100)
    ax = fig.add_axes([0.15, 0.2, 0.8, 0.68])
    draw(ax)
    (ax.set_xlim if look.get("lying") else ax.set_ylim)(0, 10)
    if look.get("grid"):
        ax.grid(True, linestyle=look["grid"])
    if spines == "open":
        ax.spines[["top", "right"]].set_visible(False)
    fig.canvas.draw()
    image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
    plt.close(fig)
    return Drawing(as_page(image)).reading


def near(series, *rows):
    return series is not None and [len(row) for row in series] == [len(row) for row in rows] and all(
        a is b is None or abs(a - b) < 0.2 for got, row in zip(series, rows, strict=True)
        for a, b in zip(got, row, strict=True))


NAMES = list("ABCDE")
KINDS = {
    "bar": lambda ax: ax.bar(NAMES, VALUES, color="teal", edgecolor="black"),
    "barh": lambda ax: ax.barh(NAMES, VALUES, color="teal"),
    "line": lambda ax: ax.plot(NAMES, VALUES, ":", marker="s", color="teal"),
    "area": lambda ax: ax.fill_between(NAMES, VALUES, color="teal"),
    "hist": lambda ax: ax.stairs(VALUES, fill=True, color="teal"),
    "step": lambda ax: ax.step(NAMES, VALUES, where="mid", color="teal", lw=2),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spines", ["all", "open"])
def test_kind_colour_and_values_of_one_series(kind, spines):
    read = reading(KINDS[kind], spines=spines, lying=kind == "barh")
    assert (read.kind, read.colours, read.frame, read.grid) == (kind, ("teal",), spines, False)
    assert near(read.series, VALUES)


def test_a_scatter_has_nine_places():
    def draw(ax):
        ax.scatter([1, 4, 9], [2, 8, 5], s=60, color="gold")
        ax.set_xlim(0, 10)
    read = reading(draw)
    assert read.kind == "scatter" and read.colours == ("gold",)
    assert near(read.series, [2, None, None, 8, None, None, None, None, 5])


def test_two_series_side_by_side_on_each_other_and_as_lines():
    x, first, second = np.arange(3), [2, 6, 4], [3, 1, 5]

    def group(ax):
        ax.bar(x, first, width=-0.4, align="edge", color="salmon")
        ax.bar(x, second, width=0.4, align="edge", color="pink")

    def stacked(ax):
        ax.bar(x, first, color="gray")
        ax.bar(x, second, bottom=first, color="purple")

    for draw, kind, colours in ((group, "group", ("salmon", "pink")),
                                (stacked, "stacked", ("gray", "purple"))):
        read = reading(draw)
        assert (read.kind, read.colours) == (kind, colours) and near(read.series, first, second)
    read = reading(lambda ax: [ax.plot(x, row, color=c) for row, c in ((first, "red"), (second, "blue"))])
    assert read.kind == "lines" and set(read.colours) == {"red", "blue"}


@pytest.mark.parametrize("style", ["-", "--", ":"])
def test_a_grid_is_seen_and_leaves_the_values_alone(style):
    for kind, draw in KINDS.items():
        read = reading(draw, lying=kind == "barh", grid=style)
        assert read.grid and read.kind == kind and near(read.series, VALUES), kind


def test_marks_that_cover_most_of_the_paper_are_no_ground():
    read = reading(lambda ax: ax.bar(NAMES, [9.5, 9, 9.5, 9, 9.5], 0.95, color="red"))
    assert read.kind == "bar" and read.colours == ("red",) and near(read.series, [9.5, 9, 9.5, 9, 9.5])


def test_edges_of_bars_are_no_grid_and_a_legend_is_no_mark():
    def draw(ax):
        ax.bar(NAMES, VALUES, color="gray", edgecolor="black", label="plan")
        ax.legend(loc="upper right")
    read = reading(draw)
    assert not read.grid and read.legend and near(read.series, VALUES)


def test_what_could_be_two_kinds_is_none():
    flat = reading(lambda ax: ax.fill_between(NAMES, [5] * 5, color="teal"))
    assert flat.kind is None and flat.series is None
    touching = reading(lambda ax: (ax.scatter([2, 5, 5.2, 9], [2, 5, 5.4, 3], s=60, color="red"),
                                   ax.set_xlim(0, 10)))
    assert touching.series is None


def test_without_a_frame_nothing_is_read():
    assert Drawing(Image.new("RGB", (60, 40), "white")).reading is None
    page = Image.new("RGB", (300, 200), "white")
    page.paste("teal", (30, 30, 200, 90))
    assert Drawing(page).reading is None


@given(arrays(float, st.integers(1, 60), elements=st.floats(0, 20)), st.floats(0, 1))
def test_median_and_quantile_are_numpys_to_the_last_bit(values, share):
    assert _median(values) == np.median(values)
    assert _quantile(values, share) == np.quantile(values, share)
