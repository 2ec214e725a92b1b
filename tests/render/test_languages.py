"""The four languages: each becomes the right picture, fails in useful words, and reaches nothing outside."""
import math
from pathlib import Path

import numpy as np
import pytest
from families import members
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.talk import write_turn

pytestmark = pytest.mark.slow  # a minute or more as a whole

PROGRAMS = {
    "matplotlib": "import matplotlib.pyplot as plt\nplt.figure(figsize=(3, 2))\nplt.bar([1, 2], [3, 4])",
    "plotly": "import plotly.express as px\nfig = px.bar(x=['a', 'b'], y=[3, 4], width=300, height=200)",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><circle cx="100" cy="100" '
           'r="50" fill="#00ff00"/></svg>',
    "html": "<!doctype html><body style='margin:0;background:#0000ff'><h1>Title</h1>",
}
BROKEN = {
    "matplotlib": ("import matplotlib.pyplot as plt\nplt.plot([1, 2], [1])", "line 2"),
    "plotly": ("import plotly.express as px\nfig = px.bar(x=[1], y=[2])\nfig.update_layout(colour='red')",
               "line 3"),
    "svg": ('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">\n<circle r="5"</svg>', "line 2"),
    "html": ("  ", "empty"),
}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {}</svg>'
everywhere = pytest.mark.parametrize("language", [
    pytest.param(name, marks=() if name == "matplotlib" else pytest.mark.browser) for name in PROGRAMS])


@pytest.fixture(scope="module")
def renderer():
    with rl.Renderer(workers=2) as renderer:
        yield renderer


def draw(renderer, code, language="svg", size=None):
    rendering = renderer.render(code, language, size)
    assert rendering.image is not None, rendering.error
    return rendering.image


@everywhere
def test_a_program_becomes_a_picture_of_its_own_size_or_the_size_asked_for(renderer, language):
    own = draw(renderer, PROGRAMS[language], language)
    assert own.mode == "RGB" and own.size == ((1024, 768) if language == "html" else (300, 200))
    assert draw(renderer, PROGRAMS[language], language, (240, 180)).size == (240, 180)


@everywhere
def test_a_broken_program_is_told_what_and_where(renderer, language):
    code, word = BROKEN[language]
    rendering = renderer.render(code, language)
    assert rendering.image is None and word in rendering.error and rendering.language == language


@everywhere
def test_the_serial_twin_gives_the_same_bytes(renderer, language):
    with rl.Renderer(workers=0) as serial:
        assert draw(serial, PROGRAMS[language], language).tobytes() == draw(renderer, PROGRAMS[language],
            language).tobytes()


@everywhere
def test_what_was_drawn_is_not_drawn_again(language):
    with rl.Renderer(workers=1) as renderer:
        assert [renderer.render(PROGRAMS[language], language).cached for _ in range(2)] == [False, True]
        assert not renderer.render(PROGRAMS[language], language, (200, 100)).cached


@everywhere
def test_results_come_in_order(renderer, language):
    mark = {"matplotlib": "import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1), facecolor='{}')",
            "plotly": "import plotly.graph_objects as go\nfig = go.Figure(layout=dict(paper_bgcolor='{}', "
                      "width=90, height=90))",
            "svg": SVG.format('width="9" height="9"><rect width="9" height="9" fill="{}"/>'),
            "html": "<body style='background:{}'>"}[language]
    colours = [f"#{i:02x}0000" for i in range(0, 250, 50)]
    found = renderer.map([mark.replace("{}", colour) for colour in colours], language)
    assert [r.image.getpixel((1, 1)) for r in found] == [(i, 0, 0) for i in range(0, 250, 50)]


@everywhere
def test_a_rollout_plays(renderer, language):
    target = draw(renderer, PROGRAMS[language], language)
    policy = rl.Recording([write_turn("look", code=BROKEN[language][0]),
                           write_turn("again", answer=PROGRAMS[language])])
    rollout = rl.play(policy, {"image": target, "language": language, "id": "x"}, max_turns=2,
                      renderer=renderer)
    assert rollout.language == language and rollout.turns[0].rendering.image is None
    assert rollout.turns[1].rendering.image.tobytes() == target.tobytes() and rollout.reward.vision > 0.95


# ----------------------------------------------------------------------------------------------------- plotly

START = """import plotly.graph_objects as go, plotly.io as pio
a = go.Figure(layout=dict(paper_bgcolor='#ff0000', width=90, height=90))
b = go.Figure(layout=dict(paper_bgcolor='#00ff00', width=90, height=90))
"""


@pytest.mark.browser
@pytest.mark.parametrize("ending", members([
    "", "b.show()", "fig = b; del a", "pio.show(b)", "b.write_image('x.png')", "b.write_html('x.html')",
    "pio.write_image(b, '/tmp/x.pdf', format='pdf', scale=2)", "a.show(); b.show('browser')",
    "b.to_image('png')",
    "import plotly.offline as o; o.plot(b, filename='x.html', auto_open=False)", "pio.show(b.to_dict())",
], {"", "a.show(); b.show('browser')", "b.write_image('x.png')"}))
def test_the_last_figure_of_a_plotly_program_is_drawn(renderer, ending):
    assert draw(renderer, START + ending, "plotly").getpixel((2, 2)) == (0, 255, 0)


@pytest.mark.browser
def test_a_plotly_figure_without_size_is_700_by_500(renderer):
    code = "import plotly.express as px\npx.line(x=[1, 2], y=[3, 4]).show()"
    assert draw(renderer, code, "plotly").size == (700, 500)


GL = {   # each paints a red thing that no axis has
    "scattergl": "go.Scattergl(x=[1, 2], y=[1, 2], mode='markers', marker=dict(color='#ff0000', size=40))",
    "scatter3d": "go.Scatter3d(x=[1, 2, 1], y=[2, 1, 1], z=[1, 2, 2], mode='markers', "
                 "marker=dict(color='#ff0000', size=20))",
    "surface": "go.Surface(z=[[1, 2], [2, 1]], colorscale=[[0, '#ff0000'], [1, '#ff0000']], showscale=False)",
    "mesh3d": "go.Mesh3d(x=[0, 1, 0, 0], y=[0, 0, 1, 0], z=[0, 0, 0, 1], i=[0, 0, 0, 1], j=[1, 2, 3, 2], "
              "k=[2, 3, 1, 3], color='#ff0000')",
}


def red(image):
    pixels = np.asarray(image).astype(int)
    return (pixels[..., 0] > 120) & (pixels[..., 1] < 100) & (pixels[..., 2] < 100)


@pytest.mark.browser
@pytest.mark.parametrize("trace", members(GL, {"scattergl", "mesh3d"}))
def test_figures_that_need_webgl_show_their_marks(renderer, trace):
    code = ("import plotly.graph_objects as go\n"
            f"go.Figure({GL[trace]}, layout=dict(width=300, height=300)).show()")
    assert red(draw(renderer, code, "plotly")).sum() > 300


@pytest.mark.browser
def test_two_3d_scenes_are_drawn_each_in_its_place(renderer):
    code = f"""import plotly.graph_objects as go
from plotly.subplots import make_subplots
fig = make_subplots(1, 2, specs=[[dict(type='scene'), dict(type='scene')]])
fig.add_trace({GL['mesh3d']}, 1, 1)
fig.add_trace({GL['mesh3d'].replace('#ff0000', '#0000ff')}, 1, 2)
fig.update_layout(width=600, height=300)"""
    image = draw(renderer, code, "plotly")
    left, right = red(image)[:, :300], red(image)[:, 300:]
    assert left.sum() > 300 and right.sum() == 0
    pixels = np.asarray(image).astype(int)
    blue = (pixels[..., 2] > 120) & (pixels[..., 0] < 100) & (pixels[..., 1] < 100)
    assert blue[:, 300:].sum() > 300 and blue[:, :300].sum() == 0


REMOVED = {
    "fig.update_layout(xaxis=dict(titlefont=dict(size=9)))": "title_font",
    "fig.update_layout(yaxis_titlefont_size=9)": "title_font",
    "go.Bar(marker=dict(colorbar=dict(titleside='right')))": "side=",
    "px.scatter_mapbox(lat=[1], lon=[2])": "px.scatter_map",
    "go.Scattermapbox(lat=[1], lon=[2])": "go.Scattermap",
    "go.Heatmapgl(z=[[1]])": "go.Heatmap",
    "go.Scatter(transforms=[])": "pandas",
    "import plotly.plotly as py": "graph_objects",
    "pio.kaleido.scope.default_format = 'svg'": "fig.show()",
    "fig.update_xaxes(autotick=False)": "tickmode",
    "raise ValueError('own ' + 'x' * 5000)": "own",
    "fig = fig.data": "no figure",
}


@pytest.mark.parametrize("line", members(REMOVED, {"go.Heatmapgl(z=[[1]])", "fig = fig.data",
                                                   "fig.update_layout(yaxis_titlefont_size=9)"}))
def test_what_plotly_removed_is_named_with_its_replacement(renderer, line):
    start = "import plotly.express as px, plotly.graph_objects as go, plotly.io as pio\nfig = go.Figure()\n"
    error = renderer.render(start + line, "plotly").error
    assert REMOVED[line] in error and len(error) < 2500 and "Valid properties" not in error


def test_a_figure_with_too_much_data_is_refused(renderer):
    code = "import plotly.graph_objects as go\nfig = go.Figure(go.Bar(text=['x' * 1000] * 20000))"
    assert "limit" in renderer.render(code, "plotly").error


GO = "import plotly.graph_objects as go\n"
HOSTILE_PROGRAMS = {
    "endless": GO + "fig = go.Figure()\nwhile True: pass",
    "ends itself": "import os\nos._exit(0)",
    "exit status": "import plotly\nraise SystemExit(3)",
    "broken writer": GO + "import plotly.io\nfig = go.Figure()\n"
                          "plotly.io.to_json = lambda *a, **k: 1 / 0\nfig = 5",
    "interrupts": GO + "class F(go.Figure):\n    def to_dict(self): raise KeyboardInterrupt\nfig = F()",
    "network": GO + "import socket\nsocket.create_connection(('127.0.0.1', 1))",
    "file": GO + "open('/etc/passwd')",
}


@pytest.mark.parametrize("name", members(HOSTILE_PROGRAMS, {"endless", "interrupts", "file"}))
def test_a_hostile_plotly_program_is_an_error_and_the_next_is_right(strict, name):
    assert strict.render(HOSTILE_PROGRAMS[name], "plotly").error
    assert draw(strict, PROGRAMS["matplotlib"] + f"\n# {name}", "matplotlib").size == (300, 200)


@pytest.mark.browser
def test_a_plotly_figure_keeps_its_data_on_the_way(renderer):
    code = """import plotly.graph_objects as go, numpy as np
scale = [[0, '#f00'], [1, '#00f']]
fig = go.Figure(go.Heatmap(z=np.eye(2) + 1e-9, showscale=False, colorscale=scale))
fig.update_layout(width=200, height=200, margin=dict(l=0, r=0, t=0, b=0))
fig.update_xaxes(visible=False)
fig.update_yaxes(visible=False)"""
    image = draw(renderer, code, "plotly")
    assert image.getpixel((50, 150)) == (0, 0, 255) and image.getpixel((150, 150)) == (255, 0, 0)


# -------------------------------------------------------------------------------------------------------- svg

@pytest.mark.parametrize("attributes, size", [
    ('width="200" height="100"', (200, 100)), ('width="200px" height="1in"', (200, 96)), ('viewBox="0 0 50 '
        '25"', (512, 256)),
    ('viewBox="0 0 20 40"', (256, 512)), ('width="100%" height="100%" viewBox="0 0 10 10"', (512, 512)),
    ('width="80" viewBox="0,0,40,20"', (80, 40))])
def test_a_drawing_has_the_size_it_states(renderer, attributes, size):
    assert draw(renderer, SVG.format(attributes + '><rect width="5" height="5"/>')).size == size


def test_pixels_are_true(renderer):
    image = draw(renderer, SVG.format('width="40" height="20"><rect x="10" y="5" width="10" height="10" '
                                      'fill="#123456"/>'))
    expected = Image.new("RGB", (40, 20), "white")
    expected.paste("#123456", (10, 5, 20, 15))
    assert image.tobytes() == expected.tobytes()


def test_common_fonts_find_a_stand_in_of_their_kind(renderer):
    def text(family):
        return draw(renderer, SVG.format(f'width="300" height="60"><text x="5" y="40" font-size="30" '
                                         f'font-family="{family}">Illi 1lO0</text>')).tobytes()
    sans, serif, mono = text("sans-serif"), text("serif"), text("monospace")
    assert text("Arial, sans-serif") == text("Helvetica") == text("sans-serif") == sans
    assert text("Times New Roman, serif") == text("Times") == serif
    assert text("'Courier New', monospace") == text("Courier")
    assert len({sans, serif, mono}) == 3


def test_a_css_style_counts(renderer):
    image = draw(renderer, SVG.format('width="20" height="20"><style>.a{fill:#00f}</style><rect class="a" '
                                      'width="20" height="20"/>'))
    assert image.getpixel((10, 10)) == (0, 0, 255)


@pytest.fixture(scope="module")
def readable_picture():
    """A picture that the sandbox itself may read: one of matplotlib's."""
    from matplotlib import get_data_path
    return sorted(Path(get_data_path(), "images").glob("*.png"))[0].as_posix()


@pytest.mark.parametrize("reference", members([
    "{path}", "file://{path}", "FILE:{path}", "./../{path}", "http://127.0.0.1:9/x.png", "//x.invalid/y.png",
], {"{path}", "http://127.0.0.1:9/x.png"}))
@pytest.mark.parametrize("attribute", ["href", "xlink:href"])
def test_no_drawing_reads_a_file(renderer, readable_picture, attribute, reference):
    body = (f'width="40" height="40"><image {attribute}="{reference.format(path=readable_picture)}" x="10" '
            f'y="10" width="20" height="20"/>')
    image = draw(renderer, SVG.format(body))
    expected = Image.new("RGB", (40, 40), "white")
    expected.paste((200, 200, 200), (10, 10, 30, 30))
    assert image.tobytes() == expected.tobytes()


def test_a_picture_inside_the_drawing_is_shown(renderer):
    import base64
    import io
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 200)).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    image = draw(renderer, SVG.format(f'width="20" height="20"><image href="data:image/png;base64,{data}" '
                                      f'width="20" height="20"/>'))
    assert image.getpixel((10, 10)) == (1, 2, 200)


HOSTILE = {
    "entities": '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    + SVG.format('width="9" height="9"><text>&b;</text>'),
    "outside entity": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + SVG.format('width="99" '
        'height="99"><text y="9">&x;</text>'),
    "giant": SVG.format('width="100000" height="100000">'),
    "giant view": SVG.format('width="1e300" height="1e300" viewBox="0 0 1e300 1e300">'),
    "giant by style": SVG.format('viewBox="0 0 9 9" style="width:100000px;height:100000px">'),
    "giant pattern": SVG.format('width="90" height="90"><pattern id="p" width="1e-6" height="1e-6" '
                                'patternUnits="userSpaceOnUse"><rect width="1" height="1"/>'
                                '</pattern><rect width="90" height="90" fill="url(#p)"/>'),
    "giant filter": SVG.format('width="2000" height="2000"><filter id="f" x="-999" y="-999" width="9999" '
                               'height="9999"><feTurbulence numOctaves="99999"/>'
                               '<feGaussianBlur stdDeviation="99999"/></filter><rect width="2000" '
                               'height="2000" filter="url(#f)"/>'),
    "uses of uses": SVG.format('width="90" height="90"><g id="a0"><rect width="1" height="1"/></g>'
                               + "".join(f'<g id="a{i}">' + f'<use href="#a{i - 1}"/>' * 10 + "</g>"
                                         for i in range(1, 9)) + '<use href="#a8"/>'),
    "use of itself": SVG.format('width="90" height="90"><g id="a"><use href="#a"/></g>'),
    "deep": SVG.format('width="90" height="90">' + "<g>" * 30_000 + "</g>" * 30_000),
    "script": SVG.format('width="90" height="90" onload="alert(1)"><script>alert(1)</script><foreignObject '
                         'width="9" height="9"><p>x</p></foreignObject>'),
    "style sheet": '<?xml-stylesheet href="file:///etc/passwd"?>' + SVG.format('width="9" height="9"><style>'
        '@import url(file:///etc/passwd);</style>'),
    "included": SVG.format('width="9" height="9"><use href="file:///etc/passwd#x"/><xi:include '
                           'xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'),
    "endless dashes": SVG.format('width="900" height="900"><path d="M0 0H1e9" stroke="red" '
                                 'stroke-dasharray="1e-7"/>'),
    "no numbers": SVG.format('width="nan" height="inf" viewBox="0 0 nan inf">'),
    "not xml": "I cannot draw that.",
    "no namespace": '<svg width="9" height="9"/>',
    "nothing": "",
    "another root": '<g xmlns="http://www.w3.org/2000/svg"/>',
    "null": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">\x00\ud800</svg>',
}


@pytest.fixture(scope="module")
def strict():
    with rl.Renderer(workers=1, timeout=3, memory=512) as renderer:
        yield renderer


@pytest.mark.parametrize("name", members(HOSTILE, {"entities", "outside entity", "giant", "uses of uses",
                                                  "script", "not xml"}))
def test_a_hostile_drawing_ends_within_its_limits_and_the_next_is_right(strict, name):
    normal = SVG.format('width="9" height="9"><rect width="9" height="9" fill="#0f0"/>')
    rendering = strict.render(HOSTILE[name], "svg")
    assert (rendering.image is None) == bool(rendering.error) and rendering.cpu_seconds < 5
    if rendering.image:
        assert math.prod(rendering.image.size) <= 4_000_000
    assert draw(strict, normal).getpixel((4, 4)) == (0, 255, 0)
