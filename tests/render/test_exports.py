# ruff: noqa: E501  (one program a line)
"""plotly's exports: the size asked for is the picture's, what they return can be read, 3-D is always the same."""
import pytest

from rrvf_lab.render import Renderer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

START = """import io, os
import plotly.graph_objects as go, plotly.io as pio
from PIL import Image
fig = go.Figure(go.Bar(y=[1, 2]))
"""
SIZES = {
    "fig.write_image('a.png', width=1200, height=300)": (1200, 300),
    "fig.show(width=1000, height=400)": (1000, 400),
    "fig.show('png', width=300, height=200, scale=2)": (600, 400),
    "pio.write_image(fig, 'a.png', 'png', 2, 300, 200)": (600, 400),
    "pio.show(fig.to_dict(), width=333, height=222)": (333, 222),
    "fig.update_layout(width=400, height=300); fig.write_image('a.png', width=800)": (800, 300),
    "fig.update_layout(width=400, height=300); fig.write_image('a.png', scale=.5)": (200, 150),
    "fig.write_image('a.png', width=900); fig.show()": (700, 500),
    "pio.defaults.default_scale = 2; fig.show()": (1400, 1000),
    "pio.write_images([fig, fig], ['a.png', 'b.png'], width=300, height=200); assert os.path.exists('b.png')":
        (300, 200),
    "fig.write_image('a.png', width=4000, height=1000, scale=3)": (4000, 1000),       # no more pixels than that
    "go.Figure(go.Surface(z=[[1, 2], [3, 4]])).write_image('a.png', width=300, height=300, scale=2)": (600, 600),
    "assert Image.open(io.BytesIO(fig.to_image(format='png'))).size == (700, 500)": (700, 500),
    "assert Image.open(io.BytesIO(fig.to_image('jpg', 300, 200, 2))).format == 'JPEG'": (600, 400),
    "assert b'<svg' in fig.to_image('svg') and fig.to_image('pdf')[:4] == b'%PDF'": (700, 500),
    "fig.write_image('a.png', scale=2); assert Image.open('a.png').size == (1400, 1000)": (1400, 1000),
    "b = io.BytesIO(); fig.write_image(b, format='png'); b.seek(0); assert Image.open(b).size == (700, 500)": (700, 500),
    "fig.write_html('a.html'); assert '<div' in open('a.html').read() and '<div' in fig.to_html()": (700, 500),
    "fig.write_json('a.json'); assert pio.read_json('a.json').data[0].type == 'bar'": (700, 500),
}


@pytest.fixture(scope="module")
def renderer():
    with Renderer(workers=2) as renderer:
        yield renderer


@pytest.mark.parametrize("line", SIZES)
def test_an_export_has_the_size_asked_for_and_can_be_read(renderer, line):
    rendering = renderer.render(START + line, "plotly")
    assert rendering.error is None and rendering.image.size == SIZES[line]


def test_the_size_of_the_caller_counts_before_the_programs(renderer):
    code = START + "fig.write_image('a.png', width=1200, height=300, scale=2)"
    assert renderer.render(code, "plotly", (200, 100)).image.size == (200, 100)


def test_a_scale_draws_more_pixels_of_the_same_figure(renderer):
    code = START + "fig.update_layout(width=300, height=200)\nfig.write_image('a.png', scale={})"
    one, two = (renderer.render(code.format(n), "plotly").image for n in (1, 2))
    close = abs(two.resize(one.size).convert("L").resize((30, 20)).tobytes()[0] - one.convert("L").tobytes()[0])
    assert two.size == (600, 400) and close < 3


SPACE = {
    "surface": "go.Surface(z=[[1, 2], [3, 4]])",
    "scatter": "go.Scatter3d(x=[1, 2, 3], y=[1, 2, 1], z=[3, 1, 2], mode='markers+lines')",
    "mesh": "go.Mesh3d(x=[0, 1, 0, 0], y=[0, 0, 1, 0], z=[0, 0, 0, 1], i=[0, 0, 0, 1], j=[1, 2, 3, 2], "
            "k=[2, 3, 1, 3])",
    "gl": "go.Scattergl(x=[1, 2, 3], y=[2, 1, 3], mode='markers')",
}


@pytest.mark.exhaustive  # on a machine with a load of 17 on two cores 7 pictures came of these 4 figures
def test_a_figure_drawn_by_webgl_is_the_same_each_time_whatever_was_drawn_before(renderer):
    codes = [f"import plotly.graph_objects as go\ngo.Figure({SPACE[name]}).show()  # {n}"
             for n, names in enumerate((SPACE, list(SPACE)[::-1], list(SPACE)[1:] + ["surface"])) for name in names]
    found = [(code.partition("#")[0], r.image.tobytes()) for code, r in
             zip(codes, renderer.map(codes, "plotly"), strict=True)]
    assert len(set(found)) == len(SPACE)
