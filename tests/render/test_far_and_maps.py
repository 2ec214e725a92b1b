"""Texts far outside a figure, and maps: what can be drawn is drawn, of the rest the reason is said."""
import numpy as np
import pytest

from rrvf_lab.render import shared

FAR = """import matplotlib.pyplot as plt
plt.figure(figsize=(4, 3))
plt.plot([1, 2])
plt.text({}, {}, "far away")
plt.savefig("a.png", {})
"""
TIGHT = 'bbox_inches="tight"'


@pytest.mark.parametrize("x, y", [(60, 60), (1e6, 1.5), (1.5, -1e6)])
def test_a_tight_box_around_a_far_text_names_the_text(x, y):
    rendering = shared().render(FAR.format(x, y, TIGHT))
    assert rendering.image is None
    last = rendering.error.splitlines()[-1]
    assert "pixels is too large" in last and f"the text 'far away' at ({x:.4g}, {y:.4g}) lies far" in last


@pytest.mark.parametrize("x, y, box", [(30, 30, TIGHT), (60, 60, ""), ("float('nan')", 1, TIGHT)])
def test_a_text_that_can_be_held_is_drawn(x, y, box):
    assert shared().render(FAR.format(x, y, box)).error is None


def test_a_figure_that_is_too_large_itself_blames_no_text():
    code = "import matplotlib.pyplot as plt\nplt.figure(figsize=(400, 300))\nplt.title('a')\nplt.plot([1])"
    assert shared().render(code).error.endswith("the limit is 41943040 pixels")


MAP = """import plotly.graph_objects as go
fig = go.Figure(go.Scattermap(lat=[45.5, 46], lon=[-73.6, -74], marker=dict(size=14, color="red"), {}))
fig.update_layout(map=dict(center=dict(lat=45.7, lon=-73.8), zoom=6, {}), width=400, height=300)
"""


@pytest.mark.browser
@pytest.mark.slow
def test_a_map_on_white_ground_needs_no_network():
    rendering = shared().render(MAP.format('mode="markers"', 'style="white-bg"'), "plotly")
    red = (np.asarray(rendering.image) == (255, 0, 0)).all(-1).sum()
    assert rendering.image.size == (400, 300) and 150 < red < 330  # two discs of radius 7


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("trace, style, said", [
    ('mode="markers"', "", "map tiles from the network"),
    ('mode="markers"', 'style="open-street-map"', 'map=dict(style="white-bg") is drawn'),
    ('mode="markers+text", text=["a", "b"]', 'style="white-bg"', "letters of a map from the network"),
    ('mode="markers", cluster=dict(enabled=True)', 'style="white-bg"', "letters of a map from the network"),
    ('mode="markers"', 'style="white-bg", layers=[dict(sourcetype="raster", source=["https://a/{z}"])]',
     "map tiles from the network")])
def test_what_a_map_wants_from_the_network_is_named(trace, style, said):
    rendering = shared().render(MAP.format(trace, style), "plotly")
    assert rendering.image is None and said in rendering.error
