"""What is paper and what is drawn on it: the ground lies along a picture's sides, however much of it is left.

Left out: what a reader makes of the marks (test_read).
"""
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

from rrvf_lab.judge import PixelJudge, judge  # noqa: E402
from rrvf_lab.judge.see import Colours, Drawing, as_page  # noqa: E402
from rrvf_lab.judge.shades import shades_of  # noqa: E402

TALL, HIGHER = (8, 7, 8, 8), (10, 9.5, 10, 10)


def chart(values=TALL, paper="white", colour="teal", spines="all", grid=False, kind="area"):
    fig = plt.figure(figsize=(4, 3), dpi=100, facecolor=paper)
    ax = fig.add_axes([0.14, 0.16, 0.84, 0.76], facecolor="none", axisbelow=True)
    if kind == "area":
        ax.fill_between(range(len(values)), values, color=colour)
        ax.margins(x=0)
    else:
        ax.barh(range(len(values)), values, color=colour)
    (ax.set_ylim if kind == "area" else ax.set_xlim)(0, 10)
    ax.grid(grid)
    ax.spines[:].set_visible(spines == "all")
    fig.canvas.draw()
    image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
    plt.close(fig)
    return image


def shade(colour):
    return int(shades_of(Image.new("RGB", (1, 1), tuple(round(255 * c) for c in to_rgb(colour)))).item())


def ground(image):
    return Colours(as_page(image)).background


def test_an_area_that_outgrew_its_paper_is_no_paper():
    image = chart(HIGHER)
    assert (np.asarray(image) == 255).all(2).mean() < (np.asarray(image) == [0, 128, 128]).all(2).mean()
    assert ground(image) == shade("white")


@pytest.mark.parametrize("paper", ["white", "ivory", "linen"])
def test_a_right_area_larger_than_its_paper_is_right(paper):
    target, near = chart(TALL, paper), chart(HIGHER, paper)
    assert judge(target, target.copy()).score == judge(near, near.copy()).score == 1
    assert judge(target, near).score > 0.5 and judge(near, target).score > 0.5
    assert judge(near, chart(HIGHER, paper, colour="red")).score < judge(near, target).score


def test_what_fills_an_area_is_named_and_not_the_paper():
    said = PixelJudge()(chart(HIGHER), chart(HIGHER, colour="red")).feedback
    assert "Colour teal, not red." in said


@pytest.mark.parametrize("papers", [("white", "ivory"), ("mintcream", "white"), ("linen", "aliceblue")])
def test_a_tinted_paper_in_one_picture_alone_is_a_ground_of_its_own(papers):
    for values in (TALL, (3, 7, 5, 2)):
        target, drawn = (chart(values, paper) for paper in papers)
        assert [ground(image) for image in (target, drawn)] == [shade(paper) for paper in papers]
        assert judge(target, drawn).score > 0.7


@pytest.mark.parametrize("share", [0.5, 0.65])
def test_a_disc_in_the_middle_is_drawn_on_what_lies_around_it(share):
    image = Image.new("RGB", (300, 300), "white")
    radius = 300 * (share / np.pi) ** 0.5
    ImageDraw.Draw(image).ellipse([150 - radius, 150 - radius, 150 + radius, 150 + radius], fill="gold")
    assert ground(image) == shade("white")


def test_a_little_paper_around_a_picture_is_a_margin_and_no_ground():
    image = Image.new("RGB", (400, 300), "teal")
    image.paste("white", (20, 20, 380, 280))
    assert ground(image) == shade("white")
    framed = Image.new("RGB", (400, 300), "black")
    framed.paste("white", (4, 4, 396, 296))
    assert ground(framed) == shade("white")


@pytest.mark.parametrize("tint", ["#e5ecf6", "#eaeaf2"])
def test_the_tint_of_a_plot_on_white_paper_is_the_ground_of_what_is_drawn_there(tint):
    image = Image.new("RGB", (400, 300), "white")
    image.paste(tint, (50, 30, 390, 260))
    ImageDraw.Draw(image).line([(60, 200), (200, 80), (380, 150)], fill="teal", width=4)
    assert ground(image) == shade(tint)


def test_sides_of_several_shades_are_no_ground():
    image = Image.new("RGB", (300, 200), "white")
    image.paste("teal", (0, 0, 190, 200))
    assert ground(image) == shade("teal")


@pytest.mark.parametrize("kind", ["area", "barh"])
def test_two_lines_of_a_grid_are_no_frame(kind):
    """Of axes that have none: a box outside of which most of the coloured marks lie holds no plot."""
    drawn = Drawing(as_page(chart((2, 8, 6), spines="none", grid=True, kind=kind)))
    coloured = drawn.ink & ~drawn.gray
    left, top, right, bottom = drawn.frame
    assert coloured[top:bottom + 1, left:right + 1].sum() == coloured.sum() > 1000
