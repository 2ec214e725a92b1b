"""Chromium behind plain functions: hostile pages and figures stay where they are, and no result is lost."""
import asyncio
import base64
import contextlib
import io
import json
import os
import re
import socket
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from families import members
from PIL import Image

from rrvf_lab.render import chromium, engine, page
from rrvf_lab.render.chromium import Browser, PageError
from rrvf_lab.render.sandbox import MAX_PIXELS

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # a minute or more as a whole

NORMAL = ("<!doctype html><body style='margin:0;background:#0000ff'><div style='width:100px;height:80px;"
          "background:#00ff00'>")
WRITTEN = sorted((Path(__file__).parents[1] / "pairs" / "pages").glob("*.html"))
SECRET = (255, 0, 255)                           # no attack paints this colour itself


@pytest.fixture(scope="module")
def browser():
    with Browser(timeout=4, memory=600) as browser:
        yield browser


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A magenta picture and page on this disk, and a server that counts who calls: what no page may reach."""
    folder = tmp_path_factory.mktemp("secret")
    Image.new("RGB", (64, 64), SECRET).save(folder / "secret.png")
    (folder / "secret.html").write_text("<body style='background:#ff00ff'>")
    (folder / "secret.css").write_text("body{background:#ff00ff!important}")
    (folder / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><rect id="x" width="900" '
                                       'height="900" fill="#ff00ff"/></svg>')
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    calls, open_ = [], True

    def count():
        while open_:
            try:
                connection, _ = server.accept()
                calls.append(1)
                connection.close()
            except TimeoutError:
                continue

    thread = threading.Thread(target=count)
    thread.start()
    yield {"folder": folder.as_posix(), "port": server.getsockname()[1], "calls": calls}
    open_ = False
    thread.join()
    server.close()


def colours(image):
    return {tuple(c) for c in np.asarray(image).reshape(-1, 3)[::7].tolist()}


def is_normal(browser):
    image = browser.html(NORMAL)
    return (image.size, image.getpixel((50, 40)), image.getpixel((500, 500))) == ((1024, 768), (0, 255, 0),
        (0, 0, 255))


def bomb_png(side):
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


HOSTILE = {
    "script": "<body style='background:#ffffff'><script>document.body.style.background='#ff00ff'</script>",
    "script in an attribute": "<img src='data:,' onerror=\"document.body.style.background='#ff00ff'\">",
    "endless script": "<script>while(true){}</script>",
    "meta refresh to the network": "<meta http-equiv=refresh content='0;url=http://127.0.0.1:{port}/'>hello",
    "meta refresh to a file": "<meta http-equiv=refresh content='0;url=file://{folder}/secret.html'>hello",
    "file in a frame": "<iframe src='file://{folder}/secret.html' width=600 height=400></iframe>",
    "file as object and embed": "<object data='file://{folder}/secret.png' width=300 height=300></object>"
                                "<embed src='file://{folder}/secret.png' width=300 height=300>",
    "file as picture": "<img src='file://{folder}/secret.png' width=300 height=300>",
    "file as style": "<link rel=stylesheet href='file://{folder}/secret.css'><style>@import "
                     "url(file://{folder}/secret.css);</style>hi",
    "file in svg": "<svg width=900 height=900><use href='file://{folder}/secret.svg#x'/>"
                   "<image href='file://{folder}/secret.png' width=200 height=200/></svg>",
    "network in style": "<style>@import url(http://127.0.0.1:{port}/a.css);@font-face{{font-family:x;"
                        "src:url(http://127.0.0.1:{port}/f)}}"
                        "body{{font-family:x;background:url(http://127.0.0.1:{port}/b.png)}}</style>text",
    "network in frames and preloads": "<iframe src='http://127.0.0.1:{port}/'></iframe><link rel=preload "
                                      "as=font href='http://127.0.0.1:{port}/p'>"
                                      "<link rel=dns-prefetch href='//x.invalid'><link rel=prefetch "
                                      "href='http://127.0.0.1:{port}/q'>",
    "base and form": "<base href='http://127.0.0.1:{port}/'><img src=a.png><form action=/x><input autofocus>"
                     "</form>",
    "script in a foreign object": "<svg width=300 height=300><foreignObject width=300 height=300><body "
                                  "xmlns='http://www.w3.org/1999/xhtml'>"
                                  "<script>document.body.style.background='#ff00ff'</script></body>"
                                  "</foreignObject></svg>",
    "nested frames with script": "<iframe srcdoc=\"<script>document.body.style.background='#ff00ff'</script>"
                                 "x\" width=500 height=500></iframe>",
    "video and sound": "<video src='http://127.0.0.1:{port}/v.mp4' autoplay></video><audio "
                       "src='http://127.0.0.1:{port}/a' autoplay></audio>",
    "million pixels high": "<div style='height:100000000px;background:linear-gradient(red,blue)'></div>",
    "wide and turned": "<div style='width:99999999px;height:50px;transform:rotate(45deg) scale(9999)'>"
                       "x</div>",
    "unclosed everything": "<table><tr><td><textarea><style>" * 400,
    "deep": "<div>" * 50_000 + "x",
}


@pytest.mark.parametrize("name", members(HOSTILE, {"script", "file as picture", "network in style",
                                                  "million pixels high", "unclosed everything"}))
def test_a_hostile_page_reaches_nothing_and_the_next_page_is_right(browser, outside, name):
    code = HOSTILE[name]
    if "{port}" in code or "{folder}" in code:
        code = code.format(**outside)
    try:
        image = browser.html(code)
    except PageError as error:
        assert str(error)
    else:
        assert image.width == 1024 and 768 <= image.height <= page.TALLEST
        assert SECRET not in colours(image)
    assert outside["calls"] == [] and is_normal(browser)


def test_what_takes_too_long_to_draw_is_stopped_and_the_next_is_right():
    page = "<style>p:has(~ .x ~ .y ~ .z){color:red}</style>" + "<p>" * 30_000
    n = 40_000
    busy = {"type": "scatter", "mode": "text", "x": list(range(n)), "y": [0] * n, "text": ["x"] * n}
    with Browser(timeout=1, memory=600) as browser:
        with pytest.raises(PageError, match="used its 1 s of CPU time"):
            browser.html(page)
        assert is_normal(browser)
        with pytest.raises(PageError, match="used its 1 s of CPU time"):
            browser.plotly(json.dumps({"data": [busy]}).encode())
        assert is_normal(browser)


def test_a_giant_picture_in_the_page_costs_no_more_memory_than_allowed(browser):
    page = f"<img width=100 src='data:image/png;base64,{bomb_png(12_000)}'>" * 4
    peak, stop = [0.0], threading.Event()

    def watch():
        while not stop.wait(0.05):
            for process in children():
                with contextlib.suppress(psutil.Error):
                    peak[0] = max(peak[0], process.memory_info().rss / 2**20)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        browser.html(page)
    except PageError as error:
        assert "memory" in str(error) or "lost twice" in str(error)
    stop.set()
    thread.join()
    assert peak[0] < 4000 and is_normal(browser)


def figure(**layout):
    return {"data": [{"type": "bar", "x": ["a", "b"], "y": [1, 2]}],
            "layout": {"width": 300, "height": 200, **layout}}


def picture(source):
    return figure(images=[{"source": source, "x": 0, "y": 1, "sizex": 1, "sizey": 1}])


FIGURES = {
    "prototype": '{"data":[{"type":"bar","y":[1,2],"__proto__":{"polluted":1}}],'
                 '"layout":{"__proto__":{"polluted":1},'
                 '"constructor":{"prototype":{"polluted":1}},"width":300,"height":200}}',
    "picture from the network": json.dumps(picture("http://127.0.0.1:{port}/x.png")),
    "picture from the disk": json.dumps(picture("file://{folder}/secret.png")),
    "template with a picture": json.dumps(figure(template={"layout": {"images": [
        {"source": "http://127.0.0.1:{port}/t.png", "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
        "paper_bgcolor": "url(http://127.0.0.1:{port}/u)"}})),
    "script in texts": json.dumps(figure(title={"text": "<img src=x "
                                                        "onerror=\"document.body.style.background='#ff00ff'"
                                                        "\"><script>1</script>"
                                                        "<a href='javascript:alert(1)'>t</a><a "
                                                        "href='http://127.0.0.1:{port}/'>u</a>"})),
    "style in a font name": json.dumps(figure(
        font={"family": "x;background:url(http://127.0.0.1:{port}/f)"})),
    "giant": json.dumps(figure(width=1e5, height=1e5)),
    "no numbers": json.dumps(figure(width="NaN", height={})),
    "not json": "{",
    "not a figure": "[1,2,3]",
    "deep": "[" * 100_000,
    "map tiles": '{"data":[{"type":"scattermap","lat":[1],"lon":[1]}],'
                 '"layout":{"map":{"style":"http://127.0.0.1:{port}/style"}}}',
    "country shapes": '{"data":[{"type":"choropleth","locations":["USA"],"z":[1]}],"layout":{"geo":{}}}',
    "millions of ticks": json.dumps(figure(xaxis={"type": "linear", "dtick": 1e-9, "range": [0, 1e9]})),
}


@pytest.mark.parametrize("name", members(FIGURES, {"prototype", "picture from the network", "script in texts",
                                                  "giant", "not json"}))
def test_a_hostile_figure_reaches_nothing_and_the_next_figure_is_right(browser, outside, name):
    text = FIGURES[name].replace("{port}", str(outside["port"])).replace("{folder}", outside["folder"])
    normal = json.dumps(figure()).encode()
    before = browser.plotly(normal)
    try:
        image = browser.plotly(text.encode())
        assert SECRET not in colours(image) and image.width * image.height <= MAX_PIXELS
    except PageError as error:
        assert str(error)
    assert outside["calls"] == []
    assert browser.plotly(normal).tobytes() == before.tobytes()


# ------------------------------------------------------------------------------------ pages as they should be

def test_a_long_page_is_shown_whole_up_to_the_cap(browser):
    def height(pixels):
        return browser.html(f"<body style='margin:0'><div style='height:{pixels}px'>").height
    assert [height(100), height(1500), height(90_000)] == [768, 1500, page.TALLEST]


def test_a_picture_that_cannot_be_reached_is_a_gray_box_of_its_place(browser):
    image = browser.html("<body style='margin:0'><img src='https://a.invalid/b.png' width=200 height=100><br>"
                         "<img src='relative/300x120'>")
    gray = (200, 200, 200)
    assert image.getpixel((199, 99)) == gray and image.getpixel((201, 50)) == (255, 255, 255)
    assert image.getpixel((290, 200)) == gray and image.getpixel((310, 200)) == (255, 255, 255)


def test_a_picture_inside_the_page_is_shown(browser):
    file = io.BytesIO()
    Image.new("RGB", (20, 20), (1, 200, 3)).save(file, "PNG")
    image = browser.html(f"<body style='margin:0'><img src='data:image/png;base64,"
                         f"{base64.b64encode(file.getvalue()).decode()}'>")
    assert image.getpixel((10, 10)) == (1, 200, 3)


def test_an_animation_is_shown_at_its_end(browser):
    page = ("<style>@keyframes a{from{opacity:0}to{opacity:1}}div{animation:a 60s forwards;width:100px;"
            "height:100px;background:#00ff00}"
            "</style><body style='margin:0'><div>")
    assert browser.html(page).getpixel((50, 50)) == (0, 255, 0)


def test_the_quick_picture_is_the_careful_one(browser, monkeypatch):
    codes = [path.read_text() for path in WRITTEN[:4]] + list(PECULIAR.values()) + [NORMAL]
    quick = [browser.html(code).tobytes() for code in codes]
    monkeypatch.setattr(chromium, "MOVES", re.compile(b""))
    assert [browser.html(code).tobytes() for code in codes] == quick


def test_nothing_of_one_page_is_left_on_the_next(browser):
    alone = browser.html("<p>plain</p>").tobytes()
    browser.html("<html style='zoom:3;filter:invert(1)'><title>x</title><body style='background:black'><p "
                 "id=a>other</p>")
    browser.html("<p>small</p>", size=(333, 222))
    assert browser.html("<p>plain</p>").tobytes() == alone


def navigated(browser, code, monkeypatch):
    """The page in a document of its own, as any browser opens it."""
    with monkeypatch.context() as patch:
        patch.setattr(page, "LASTS", re.compile(b""))
        return browser.html(code)


GREEN = "<body style='background:#00ff00'>"
LEFT_BEHIND = {                                  # a page, and the next one, on which it might leave a mark
    "policy": ("<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\">", GREEN),
    "language": ("<meta HTTP-EQUIV=content-language content=ja>", "<style>:lang(ja){background:red}</style>"),
    "default style": ("<meta http-equiv=default-style content=b>",
                      "<style title=a>p{color:red}</style><style title=b>p{color:blue}</style><p>x"),
    "style set": ("<style title=a></style>", "<style title=b>p{color:red}</style><p>x"),
    "style set of a link": ("<link rel=stylesheet href='data:text/css,' title = a>",
                            "<style title=b>p{color:red}</style><p>x"),
    "base": ("<base href='http://x.invalid/900x700/'>", "<img src=a.png>"),
    "no doctype": ("<p>x", "<!doctype html><body style='font:40px serif'><table><td style='width:50'>x"),
    "doctype": ("<!doctype html><p>x", "<body style='font:40px serif'><table><td style='width:50'>x"),
    "focus": ("<input autofocus>", "<style>:focus{background:red}</style><input><input autofocus>"),
    "scroll position": ("<div style='height:2500px'></div><a id=x></a><input autofocus>",
                        "<p style='position:fixed;top:9px'>x</p><div style='height:2000px'>"),
    "colour scheme": ("<meta name=color-scheme content=dark>", "<p>x<input>"),
    "colour scheme, hidden": ("<meta charset=x name=color-scheme content=dark>", "<p>x<input>"),
    "colour scheme, again": ("<meta name=viewport><meta/name=color-scheme content=dark>", "<p>x<input>"),
    "text scale": ("<meta name=text-scale content=scale>", "<p>x"),
    "waiting": ("<link rel=expect href='#never' blocking=render><p>x", "<p>x"),
    "icon": ("<link rel=icon href='http://x.invalid/i.png'><a href='#x' id=x>x</a>", "<a href='#x' "
                                                                                     "id=x>x</a>"),
    "property": ("<style>@property --x{syntax:'<color>';inherits:false;initial-value:red}</style>",
                 "<p style='background:var(--x,lime)'>x"),
    "font": ("<style>@font-face{font-family:'DejaVu Sans';src:local('Liberation Serif')}</style><p>x",
             "<p style='font:40px DejaVu Sans'>words"),
    "counter style": ("<style>@counter-style decimal{system:cyclic;symbols:'x'}</style>",
                      "<ol><li>a<li>b</ol>"),
    "layers": ("<style>@layer b,a;</style>", "<style>@layer a{p{color:red}}@layer "
                                             "b{p{color:blue}}</style><p>x"),
    "frames": ("<frameset rows='50%,*'><frame><frame></frameset>", "<p>x"),
    "writing": ("<html dir=rtl><body style='writing-mode:vertical-rl'><div style='width:9000px'>x",
                "<div style='width:3000px;background:linear-gradient(90deg,red,blue)'>x"),
    "overflow": ("<html style='overflow:hidden;height:100%'>", "<div style='height:2000px'>x"),
    "viewport": ("<meta name=viewport content='width=300,initial-scale=3'>", "<p>x"),
    "shadow": ("<body><template shadowrootmode=open><b>other</b></template>", "<p>x"),
    "dialog": ("<dialog open>x</dialog><div popover id=p>y</div>", "<p>x"),
    "old phone": ("<!DOCTYPE html PUBLIC '-//WAPFORUM//DTD XHTML Mobile 1.0//EN' ''>", "<p>x"),
    "text without end": ("<plaintext>", "<p>x"),
    "encoding": ("<meta charset=utf-16>", "<p>\u00e4\u4e2d"),
}


@pytest.mark.parametrize("name", members(LEFT_BEHIND, {"policy", "base", "no doctype", "frames", "font"}))
def test_a_page_leaves_no_mark_on_the_next_one(browser, monkeypatch, name):
    first, second = LEFT_BEHIND[name]
    expected = navigated(browser, second, monkeypatch)
    browser.html(first)
    assert browser.html(second).tobytes() == expected.tobytes()


PECULIAR = {
    "byte order mark": "\ufeff<!doctype html><table><td style='width:50'>x",
    "no doctype": "<table><td style='width:50'>x",
    "xml": "<?xml version='1.0'?><!doctype html><p>x", "no script": "<noscript><p>no script</noscript><p>x",
    "line ends": "<pre>\r\na\rb\r\nc</pre>", "zeros": "<p>a\0b<img al\0t=x>", "half a sign": "<p>\ud800x",
    "shadow": "<div><template shadowrootmode=open><b>in the shadow</b></template>outside</div>",
    "pictures": "<img src=a/400x300><p style='background:url(//b.invalid/c)'>x<iframe srcdoc='<img "
                "src=d>'></iframe>",
    "viewport": "<div style='height:100vh;background:#00ff00'></div><p style='position:fixed;bottom:0'>x<p>y",
    "style of its own": "<link rel=stylesheet href='data:text/css,p{color:red}'><p>x", "nothing": "<!-- -->",
}


@pytest.mark.parametrize("name", members(PECULIAR, {"byte order mark", "half a sign"}))
def test_a_kept_document_shows_what_a_new_one_shows(browser, monkeypatch, name):
    expected = navigated(browser, PECULIAR[name], monkeypatch)
    browser.html("<p>another")
    assert browser.html(PECULIAR[name]).tobytes() == expected.tobytes()


def test_a_page_that_moves_costs_nothing_once_it_is_drawn():
    style = "<style>@keyframes a{to{width:9px}}p{animation:a 1s infinite;filter:blur(9px)}</style>"
    page = style + "<p>x" * 50
    with Browser(pages=1) as browser:
        browser.html(page)

        def cpu():
            return sum(sum(process.cpu_times()[:2]) for process in children())

        time.sleep(0.5)
        before = cpu()
        time.sleep(1.5)
        assert cpu() - before < 0.15


def test_it_works_inside_a_running_event_loop(browser):
    async def cell():
        return browser.html(NORMAL)
    assert asyncio.run(cell()).size == (1024, 768)


def test_many_threads_get_their_own_pages(browser):
    results = {}

    def work(i):
        results[i] = browser.html(f"<body style='background:rgb({i},0,0)'>").getpixel((5, 5))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: (i, 0, 0) for i in range(12)}


def test_an_empty_or_endless_page_is_refused(browser):
    for code, word in ((" \n", "empty"), ("x" * 1_000_001, "limit")):
        with pytest.raises(PageError, match=word):
            browser.html(code)


# --------------------------------------------------------------------------------------------- when it breaks

def children():
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name().startswith(("chrom", "headless")):
                found.append(process)
    return found


def kill(process):
    with contextlib.suppress(psutil.Error):
        process.kill()


def test_killing_chromium_in_the_middle_loses_no_result():
    with Browser(pages=2) as browser:
        first = browser.html(NORMAL).tobytes()
        mine = psutil.Process(browser.engine.pid).children(recursive=True)
        results = []
        threads = [threading.Thread(target=lambda: results.append(browser.html(NORMAL).tobytes()))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for process in mine:
            kill(process)
        for thread in threads:
            thread.join()
        assert results == [first] * 8


CUBE = json.dumps({"data": [{"type": "mesh3d", "x": [0, 1, 0, 0], "y": [0, 0, 1, 0], "z": [0, 0, 0, 1],
                             "color": "#ff0000"}], "layout": {"width": 300, "height": 300}}).encode()


def test_killing_the_graphics_process_leaves_no_figure_without_its_marks():
    with Browser(pages=1) as browser:
        def red_pixels():
            return sum(red > 120 and green < 90 for red, green, _ in browser.plotly(CUBE).getdata())

        first = red_pixels()
        assert first > 200
        for process in psutil.Process(browser.engine.pid).children(recursive=True):
            if "--type=gpu-process" in process.cmdline():
                kill(process)
        # not byte for byte: the renderer that replaces it may shade an edge differently
        assert abs(red_pixels() - first) < 0.05 * first


def test_without_webgl_a_3d_figure_is_an_error_and_a_flat_one_is_drawn(monkeypatch):
    monkeypatch.setattr(engine, "FLAGS", [*engine.FLAGS, "--disable-3d-apis"])
    with Browser(pages=1) as browser:
        for kind in ("mesh3d", "scattergl"):
            with pytest.raises(PageError, match="WebGL"):
                browser.plotly(CUBE.replace(b"mesh3d", kind.encode()))
        assert browser.plotly(json.dumps(figure()).encode()).size == (300, 200)


def test_a_page_that_takes_chromium_down_each_time_is_an_error():
    with Browser(pages=1) as browser:
        browser.html(NORMAL)

        async def dies(page):
            browser.engine.kill()
            await asyncio.sleep(60)

        with pytest.raises(PageError, match="lost twice"):
            browser._wait(browser._draw("html", dies))
        assert is_normal(browser)


def test_closing_leaves_no_process_and_refuses_more():
    browser = Browser()
    browser.html(NORMAL)
    mine = psutil.Process(browser.engine.pid).children(recursive=True)
    folder = browser.engine.folder
    browser.close()
    gone, alive = psutil.wait_procs(mine, timeout=10)
    assert not alive and not os.path.exists(folder)
    with pytest.raises(PageError, match="closed"):
        browser.html(NORMAL)


def test_closing_leaves_no_descriptor_and_no_thread():
    def left():
        return len(os.listdir("/proc/self/fd")), set(threading.enumerate())

    with Browser(pages=1) as browser:            # the first one may load what stays
        browser.html(NORMAL)
    descriptors, threads = left()
    with Browser(pages=1) as browser:
        browser.html(NORMAL)
    deadline = time.monotonic() + 5              # asyncio's thread that waited for a process ends after it
    while not left()[1] <= threads and time.monotonic() < deadline:
        time.sleep(0.02)
    after, still = left()                        # what earlier tests left may end meanwhile
    assert after <= descriptors and still <= threads


def test_closing_ends_a_page_that_is_still_being_drawn():
    browser, errors = Browser(timeout=100), []
    browser.html(NORMAL)

    async def endless_work(page):
        await asyncio.sleep(3600)

    def endless():
        try:
            browser._wait(browser._draw("html", endless_work))
        except PageError as error:
            errors.append(str(error))

    thread = threading.Thread(target=endless)
    thread.start()
    time.sleep(1)
    browser.close()
    thread.join(30)
    assert not thread.is_alive() and errors


def test_without_chromium_the_error_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr(engine.shutil, "which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="python -m playwright install chromium"):
        chromium.find_chromium()
    with Browser() as browser, pytest.raises(PageError, match="python -m playwright install chromium"):
        browser.html(NORMAL)


def test_pages_have_no_script(browser):
    page = "<body style='background:#ffffff'><script>document.body.style.background='#00ff00'</script>"
    assert browser.html(page).getpixel((5, 5)) == (255, 255, 255)


def test_the_protection_is_stated(browser):
    browser.html(NORMAL)
    assert browser.protection.startswith("Chromium: ")
