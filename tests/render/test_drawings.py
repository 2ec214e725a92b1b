# ruff: noqa: E501  (drawings stand as they were written)
"""Drawings look as a browser shows them: what their style says counts, and their errors say what to write."""
from pathlib import Path

import numpy as np
import pytest
from drawings import BY_HAND, XMLNS, drawings
from matplotlib import get_data_path

from rrvf_lab.render import Renderer

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def renderer():
    with Renderer(workers=1) as renderer:
        yield renderer


def draw(renderer, text, size=None):
    rendering = renderer.render(f"<svg {XMLNS} {text}</svg>", "svg", size)
    assert rendering.image is not None, rendering.error
    return rendering.image


# where a pixel shows that the style was read: {drawing: (x, y, colour)}
SHOWS = {
    "background": (250, 150, (253, 230, 138)), "transform": (200, 90, (0, 0, 255)), "box": (100, 25, (0, 128, 0)),
    "var": (20, 20, (225, 29, 72)), "colours": (20, 20, (255, 128, 128)), "media": (20, 20, (255, 165, 0)),
    "is": (20, 20, (128, 0, 128)), "geometry": (60, 50, (0, 0, 128)), "clip": (2, 2, (255, 255, 255)),
    "foreign": (200, 80, (153, 204, 255)), "inner": (50, 20, (255, 0, 0)), "points": (100, 80, (0, 0, 0)),
    "blend": (70, 40, (0, 0, 255))}


@pytest.mark.parametrize("name", SHOWS)
def test_a_style_counts_as_in_a_browser(renderer, name):
    x, y, colour = SHOWS[name]
    found = draw(renderer, BY_HAND[name]).getpixel((x, y))
    assert max(abs(a - b) for a, b in zip(found, colour, strict=True)) <= 1


@pytest.mark.parametrize("attributes, size", [
    ('style="width:300px;height:200px"', (300, 200)), ('width="80mm" height="50mm"', (302, 189)),
    ('width="3in" height="144pt"', (288, 192)), ('width="10rem" height="5em"', (160, 80)),
    ('viewBox="0 0 30 20" width="60"', (60, 40)), ('width="37.8" height="18.9"', (38, 19)),
    ('width="100%" viewBox="0 0 40 20"', (512, 256)), ('style="WIDTH: 2IN" viewBox="0 0 2 1"', (192, 96))])
def test_a_size_in_any_unit_is_the_pictures_size(renderer, attributes, size):
    assert draw(renderer, f'{attributes}><rect width="10" height="10"/>').size == size


def test_a_size_in_the_style_sheet_is_the_pictures_size(renderer):
    assert draw(renderer, BY_HAND["sheet"]).size == (300, 200)


def test_another_size_scales_the_whole_drawing(renderer):
    half = draw(renderer, 'style="width:200px;height:100px"><rect width="100" height="100" fill="red"/>', (100, 50))
    assert half.size == (100, 50) and half.getpixel((48, 25)) == (255, 0, 0) != half.getpixel((52, 25))


@pytest.mark.parametrize("body, x", [
    ('<rect width="20" height="20" fill="red"><animate attributeName="x" to="60" dur="2s" fill="freeze"/></rect>', 70),
    ('<style>@keyframes a{to{transform:translate(60px)}} rect{animation:a 1s forwards}</style>'
     '<rect width="20" height="20" fill="red"/>', 70),
    ('<rect width="20" height="20" fill="red"><animate id="a" attributeName="x" to="30" dur="1s" fill="freeze"/>'
     '<animate attributeName="x" begin="a.end" to="60" dur="1s" fill="freeze"/></rect>', 70),
    ('<rect width="20" height="20" fill="red"><animate attributeName="x" from="0" to="60" dur="1s" '
     'repeatCount="indefinite"/></rect>', 10)])
def test_what_moves_is_shown_at_its_end_and_what_never_ends_at_its_start(renderer, body, x):
    assert draw(renderer, f'width="100" height="40">{body}').getpixel((x, 10)) == (255, 0, 0)


def test_a_drawing_leaves_nothing_on_the_next(renderer):
    plain = 'width="60" height="40"><rect width="20" height="20"/>'
    before = draw(renderer, plain)
    draw(renderer, 'width="60" height="40" style="background:red"><style>rect{display:none}</style>'
                   '<rect width="9" height="9"><animate attributeName="x" to="9" dur="9s"/></rect>')
    assert draw(renderer, plain + "<!-- again -->").tobytes() == before.tobytes()


@pytest.mark.parametrize("body, words", [
    ('<text x="5" y="20">a&nbsp;b</text>', ["undefined entity", "line 2", "&#160;", "a&nbsp;b"]),
    ('<use xlink:href="#a"/>', ["unbound prefix", "xmlns:xlink"]),
    ('<text>a & b</text>', ["not well-formed", "&amp;"]),
    ('<rect width="5"', ["line 3"]), ('<g><rect/></g2>', ["mismatched tag", "line 2"])])
def test_an_error_says_what_is_wrong_and_what_to_write_in_one_line(renderer, body, words):
    error = renderer.render(f'<svg {XMLNS} width="100" height="50">\n{body}\n</svg>', "svg").error
    assert all(word in error for word in words) and "\n" not in error


def test_entities_of_the_drawings_own_are_read(renderer):
    code = f'<!DOCTYPE svg [<!ENTITY st "fill:lime">]><svg {XMLNS} width="9" height="9"><rect style="&st;" width="9" ' \
           'height="9"/></svg>'
    assert renderer.render(code, "svg").image.getpixel((4, 4)) == (0, 255, 0)


def test_a_drawing_within_a_drawing_reaches_no_file(renderer):
    inner = "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%229%22 height=%229%22%3E%3Cimage " \
            "href=%22file://{}%22 width=%229%22 height=%229%22/%3E%3C/svg%3E"
    picture = sorted(Path(get_data_path(), "images").glob("*.png"))[0]
    there, nowhere = (draw(renderer, f'width="20" height="20"><image href="{inner.format(path)}" width="20" height="20"/>')
                      for path in (picture, "/no/such.png"))
    assert there.tobytes() == nowhere.tobytes()


def test_every_published_style_is_drawn(renderer):
    for name, code in drawings().items():
        rendering = renderer.render(code, "svg")
        assert rendering.image is not None, (name, rendering.error)
        assert not rendering.missing, name
        assert np.asarray(rendering.image).std() > 1, name
