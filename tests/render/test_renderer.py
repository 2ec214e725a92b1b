"""Programs become pictures: which figure, how large, what a failure says, and alike however it was run."""

import asyncio
import io
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rrvf_lab.render import Renderer, job, sandbox
from rrvf_lab.render import renderer as module

PLT = "import matplotlib.pyplot as plt\n"
BARS = PLT + "plt.figure(figsize=(4, 3))\nplt.bar(list('abcd'), [1, 2, 3, 4])\nplt.title('Sales')\n"
PROGRAMS = sorted((Path(__file__).parents[1] / "programs").glob("*.py"))


@pytest.fixture(scope="module")
def renderer():
    with Renderer(workers=2, timeout=2.0, memory=1024) as renderer:
        yield renderer


def pixels(rendering):
    assert rendering.image is not None, rendering.error
    return np.asarray(rendering.image)


def drawn_here(draw, **options):
    """What matplotlib itself writes, drawn in this process."""
    import matplotlib.pyplot as plt
    from PIL import Image
    with plt.rc_context():
        plt.rcdefaults()
        draw(plt)
        buffer = io.BytesIO()
        plt.savefig(buffer, format="png", **options)
        plt.close("all")
    return np.asarray(Image.open(buffer).convert("RGB"))


@pytest.mark.parametrize("options", [
    {}, {"dpi": 150}, {"bbox_inches": "tight"}, {"dpi": 60, "bbox_inches": "tight", "pad_inches": 0.4},
    {"facecolor": "pink"}])
def test_saved_pictures_are_what_matplotlib_writes(renderer, options):
    def draw(plt):
        plt.plot([1, 3, 2], label="a")
        plt.legend()
        plt.title("$x^2$ and text")
    code = PLT + "plt.plot([1, 3, 2], label='a')\nplt.legend()\nplt.title('$x^2$ and text')\n"
    ours = pixels(renderer.render(code + f"plt.savefig('x.png', **{options!r})"))
    theirs = drawn_here(draw, **options)
    assert ours.shape == theirs.shape and (ours == theirs).all()


@pytest.mark.parametrize("ending, width", [
    ("plt.savefig('a.png', dpi=50); plt.close()", 200),
    ("plt.savefig('/no/such/folder/a.pdf', dpi=50); plt.figure(figsize=(1, 1))", 200),
    ("plt.show(); plt.close('all')", 400),
    ("plt.show(); plt.clf()", 400),
    ("plt.figure(figsize=(1, 1)); plt.plot([1])", 100),
    ("f = plt.gcf(); plt.figure(figsize=(1, 1)); plt.plot([1]); f.savefig('a')", 400),
    ("import sys; sys.exit(0)", 400),
    ("plt.pause(100); plt.draw(); plt.ion(); plt.show(block=True)", 400),
    ("plt.savefig('a.png', dpi=50); plt.savefig('b.svg')", 400),
])
def test_the_picture_is_the_figure_saved_last_else_the_current_one(renderer, ending, width):
    assert pixels(renderer.render(BARS + ending)).shape[1] == width


def test_transparent_pictures_lie_on_white(renderer):
    code = BARS + "plt.savefig('a.png', transparent=True)"
    assert tuple(pixels(renderer.render(code))[0, 0]) == (255, 255, 255)


def test_an_empty_figure_is_a_blank_picture_and_no_figure_an_error(renderer):
    assert (pixels(renderer.render(PLT + "plt.figure()")) == 255).all()
    assert renderer.render("print('hello')").error == "no figure was drawn"
    assert renderer.render("print('hello')").printed == "hello\n"


@pytest.mark.parametrize("code, words", [
    ("x = (", ["line 1", "SyntaxError"]),
    ("def f():\n    return {}['key']\nf()",
     ["line 3, in <module>", "line 2, in f", "return {}['key']", "KeyError: 'key'"]),
    (PLT + "plt.plot([1, 2], [1])", ["line 2", "plt.plot([1, 2], [1])", "ValueError: x and y must have "
                                                                        "same first dimension"]),
    (PLT + "plt.title('$\\\\frac{$')", ["While the figure was drawn", "Parse"]),
    (BARS + "plt.savefig('a.xyz')", ["line 5", "Format 'xyz' is not supported"]),
    (BARS + "plt.savefig('a.png', quality=95)", ["TypeError", "quality"]),
    ("import no_such_module", ["ModuleNotFoundError"]),
    ("import sys; sys.exit(3)", ["SystemExit: 3"]),
    ("input()", ["EOFError"]),
    ("import os; os._exit(0)", ["ended itself (exit status 0)"]),
    ("import os; os._exit(4)", ["ended itself (exit status 4)"]),
    ("import ctypes; ctypes.string_at(0)", ["SIGSEGV"]),
    ("while True: pass", ["line 1", "CPU time"]),
    ("import numpy\nx = numpy.ones((2000, 2**20))", ["line 2", "MemoryError"]),
    (PLT + "plt.figure(figsize=(1000, 1000)); plt.plot([1])", ["Image size of 100000x100000 pixels is too "
                                                               "large"]),
    ("x = 1" + " " * 300000, ["bytes long"]),
])
def test_a_failure_tells_the_programs_own_last_lines(renderer, code, words):
    rendering = renderer.render(code)
    assert rendering.image is None
    for word in words:
        assert word in rendering.error
    assert "_zygote" not in rendering.error and "site-packages" not in rendering.error


def test_size_scales_the_figure_to_so_many_pixels(renderer):
    for code in (BARS, BARS + "plt.savefig('a.png', dpi=300, bbox_inches='tight')",
                 "import matplotlib as m\nm.rcParams['savefig.bbox'] = 'tight'\n" + BARS):
        assert renderer.render(code, size=(224, 168)).image.size == (224, 168)
    half = renderer.render(BARS, size=(200, 150)).image
    whole = np.asarray(renderer.render(BARS).image.resize(half.size), float)
    assert np.abs(np.asarray(half, float) - whole).mean() < 8


@pytest.mark.parametrize("figsize, height", [((4, 3), 240), ((4, 3.33), 266), ((8, 6), 240), ((3, 6), 640)])
def test_a_width_alone_sets_the_dpi_and_keeps_the_figures_sides(renderer, figsize, height):
    code = PLT + f"plt.figure(figsize={figsize}, dpi=70)\nplt.plot([1, 3, 2])\nplt.title('Sales')\n"
    for saved in ("", "plt.savefig('a.png', dpi=33)"):
        assert renderer.render(code + saved, size=(320, None)).image.size == (320, height)


def test_a_width_alone_is_met_to_the_pixel(renderer):
    """Where matplotlib would round down, too."""
    codes = [PLT + f"plt.figure(figsize=({inches}, 1))" for inches in (0.7, 3.3, 6.4, 7.1)]
    for width in (323, 479, 561):
        assert [r.image.width for r in renderer.map(codes, size=(width, None))] == [width] * 4


def test_a_width_alone_is_matplotlib_s_own_dpi(renderer):
    for dpi in (50, 120):
        asked = pixels(renderer.render(BARS, size=(4 * dpi, None)))
        assert (asked == pixels(renderer.render(BARS + f"plt.savefig('a.png', dpi={dpi})"))).all()


def test_a_width_alone_leaves_a_tight_picture_tight(renderer):
    code = BARS + "plt.savefig('a.png', bbox_inches='tight')"
    tight = renderer.render(code + "  # again", size=(400, None)).image
    assert tight.size == renderer.render(code).image.size != (400, 300)


def test_a_size_asked_for_once_is_gone_with_the_next_render(renderer):
    with Renderer(workers=1) as fresh:
        before = fresh.render(BARS).image.tobytes()
        for n, size in enumerate([(320, None), (224, 168)]):
            fresh.render(BARS + f"# {n}", size=size)
            assert fresh.render(BARS + f"# {n} without").image.tobytes() == before


def test_a_width_alone_above_the_pixel_cap_is_drawn_smaller(renderer):
    tall = renderer.render(PLT + "plt.figure(figsize=(1, 30)); plt.plot([1])", size=(2000, None)).image
    assert tall.width * tall.height <= sandbox.MAX_PIXELS and abs(tall.height / tall.width - 30) < 0.2


@pytest.mark.parametrize("language, size", [
    ("plotly", (320, None)), ("svg", (320, None)), ("html", (320, None)), ("matplotlib", (None, 240)),
    ("matplotlib", (None, None)), ("matplotlib", (0, None)), ("matplotlib", (-3, None)),
    ("matplotlib", (320, 0)), ("matplotlib", (320,)), ("matplotlib", (320, None, None)),
    ("matplotlib", (sandbox.MAX_PIXELS + 1, None))])
def test_an_impossible_size_is_refused_with_what_is_possible(renderer, language, size):
    with pytest.raises(ValueError, match=r"size=.*\(width, height\).*matplotlib takes \(width, None\) too"):
        renderer.render(BARS, language, size=size)


def test_a_figure_above_the_pixel_cap_is_drawn_smaller_with_the_same_layout(renderer):
    big = pixels(renderer.render(PLT + "plt.figure(figsize=(20, 15)); plt.bar([1, 2], [3, 4]); "
                                       "plt.savefig('a', dpi=300)"))
    assert 0.95 * sandbox.MAX_PIXELS < big.shape[0] * big.shape[1] <= sandbox.MAX_PIXELS
    assert abs(big.shape[1] / big.shape[0] - 4 / 3) < 0.01


@pytest.mark.slow
def test_programs_as_people_publish_them_render(renderer):
    assert len(PROGRAMS) >= 80
    renderings = renderer.map([path.read_text() for path in PROGRAMS])
    named = {path.stem: rendering for path, rendering in zip(PROGRAMS, renderings, strict=True)}
    failed = {name: r.error for name, r in named.items() if r.image is None}
    assert len(failed) <= 0.02 * len(PROGRAMS), failed
    blank = [name for name, r in named.items() if r.image and len(r.image.getcolors(2**24)) < 2]
    assert not blank
    flagged = [name for name, r in named.items() if r.flags]
    assert not flagged, "honest programs were flagged"


def test_the_serial_twin_gives_the_same_bytes_in_the_same_order(renderer):
    codes = [BARS, "1/0", PLT + "import numpy as np\nplt.plot(np.random.rand(9), "
                                "np.random.default_rng().random(9))",
             PLT + "import random\nplt.plot([random.random() for _ in range(9)])",
             PLT + "plt.bar(list({'a', 'b', 'c', 'd'}), [1, 2, 3, 4])", BARS + "plt.savefig('x', dpi=30)"]
    with Renderer(workers=0) as serial:
        for one, other in zip(serial.map(codes), renderer.map(codes), strict=True):
            assert one.error == other.error
            assert one.image is None or one.image.tobytes() == other.image.tobytes()


def test_results_come_in_order(renderer):
    codes = [PLT + f"plt.figure(figsize=({n}, 1))\n" for n in range(1, 7)]
    codes[0] += "sum(range(3_000_000))\n"
    assert [r.image.width for r in renderer.map(codes)] == [100, 200, 300, 400, 500, 600]


def test_the_same_program_is_rendered_once_and_its_image_is_ones_own(renderer):
    code = BARS + "# cached"
    first = renderer.render(code)
    first.image.paste((0, 0, 0), (0, 0, 400, 300))
    again = renderer.render(code)
    assert not first.cached and again.cached and again.image.getpixel((0, 0)) == (255, 255, 255)
    assert not renderer.render(code, size=(100, 75)).cached


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "CACHE_BYTES", 800_000)
    with Renderer(workers=0) as renderer:
        renderer.map([BARS + f"# {n}" for n in range(5)])
        assert renderer.render(BARS + "# 4").cached and not renderer.render(BARS + "# 0").cached
        assert renderer._cached_bytes <= 800_000


def test_it_works_from_threads_and_in_a_running_event_loop(renderer):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(renderer.render, [PLT + f"plt.figure(figsize=({n}, 1))" for n in range(1, 9)]))
    assert [rendering.image.width for rendering in found] == [100 * n for n in range(1, 9)]

    async def cell():
        return renderer.render(BARS + "# loop").image.size
    assert asyncio.run(cell()) == (400, 300)


def test_a_lost_render_process_loses_no_result():
    codes = [BARS + f"sum(range(2_000_000))  # {n}" for n in range(12)]
    with Renderer(workers=2) as renderer:
        renderer.render(BARS)
        process = renderer._lanes.jail.process
        timer = threading.Timer(0.3, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        renderings = renderer.map(codes)
        timer.join()
        assert process.poll() is not None
    assert [r.error for r in renderings] == [None] * 12


def test_a_render_process_lost_twice_is_reported_and_not_remembered(monkeypatch, renderer):
    calls = []
    real = job.run
    renderer.render(BARS)

    def lost(lane, *rest, **more):
        calls.append(rest)
        return job.Outcome("the render process was lost (test)", None, None, 0.0, 0.0, lost=True)

    monkeypatch.setattr(job, "run", lost)
    assert "was lost" in renderer.render(BARS + "# lost").error
    assert len(calls) == 2
    monkeypatch.setattr(job, "run", real)
    assert renderer.render(BARS + "# lost").image.size == (400, 300)


def test_a_forked_process_gets_render_processes_of_its_own(renderer):
    renderer.render(BARS)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if renderer.render(BARS + "# in a fork").image.size == (400, 300) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert renderer.render(BARS + "# after a fork").image.size == (400, 300)


def test_wrong_calls_say_what_is_possible(renderer):
    with pytest.raises(ValueError, match="unknown language 'perl'; known: .*matplotlib"):
        renderer.render("x", language="perl")
    with pytest.raises(ValueError, match="size"):
        renderer.render(BARS, size=(0, 10))
    with pytest.raises(ValueError, match="workers=-1"):
        Renderer(workers=-1)
    closed = Renderer(workers=0)
    closed.close()
    with pytest.raises(RuntimeError, match="closed"):
        closed.render(BARS)


@pytest.mark.slow
def test_nothing_is_left_behind_after_many_renders():
    with Renderer(workers=2, memory=519) as renderer:
        renderer.map([BARS + f"# start {n}" for n in range(4)])
        before = len(os.listdir("/proc/self/fd"))
        assert not [r.error for r in renderer.map([BARS + f"# {n}" for n in range(100)]) if r.error]
        assert len(os.listdir("/proc/self/fd")) <= before + 1
        process = renderer._lanes.jail.process
    assert process.poll() is not None
    left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if b'"memory": 519' in _read(p)]
    assert not left


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
