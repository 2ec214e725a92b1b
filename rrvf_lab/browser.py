"""Web pages and plotly figures become pictures: one Chromium behind plain functions that wait for their result.

Every call may come from any thread, also from inside a running event loop (a notebook): the work is done on one
background thread with a loop of its own, on pages that are used again, because opening one costs more than drawing.

A page gets no script (html), no network and no file: what it asks for is answered here, with a gray box for a picture
and with nothing for the rest. Chromium runs in a bubblewrap namespace without network and without the user's files
where the machine allows that, with its own sandbox inside where that works (`protection` says what was reached).
A page process that uses too much CPU time or memory is ended; so a busy machine does not fail a good page.

It does NOT protect against faults in Chromium itself: where bubblewrap does not work (macOS, many containers) these
meet only Chromium's own sandbox, and as root not even that. Left out: scrolling, hovering, several pages linked to
each other, videos, maps with tiles, MathJax in plotly, and fonts that are not installed.
"""

import asyncio
import atexit
import glob
import io
import math
import os
import re
import shutil
import sys
import tempfile
import threading
import time

WIDTH, HEIGHT, TALLEST = 1024, 768, 3072     # CSS pixels of an html page: viewport, and where a long page is cut
MAX_PIXELS = 4_000_000
MAX_HTML = 1_000_000                         # bytes of a page, with the pictures inside it
GRAY = "#c8c8c8"                             # a picture that cannot be reached
HTML_URL, PLOTLY_URL = "http://page.invalid/", "http://plotly.invalid/"
FLAGS = ("--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
         "--disable-sync --font-render-hinting=none --hide-scrollbars --force-color-profile=srgb --no-pings "
         "--force-webrtc-ip-handling-policy=disable_non_proxied_udp "
         "--enable-unsafe-swiftshader").split()                  # the last: WebGL on the CPU, for 3-D figures
HTML_POLICY = ("default-src 'none'; img-src * data: blob:; style-src 'unsafe-inline' data:; font-src data:; "
               "media-src data:; frame-src data:; form-action 'none'")
SCRIPTS = "; script-src 'unsafe-inline' 'unsafe-eval'"
PLOTLY_POLICY = ("default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
                 "font-src data:; worker-src blob:")
PLOTLY_PAGE = ('<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#fff}</style>'
               '<div id="figure"></div><script src="plotly.min.js"></script>')
# No reviver may be skipped here: a key "__proto__" would otherwise reach every object of the page.
DRAW_PLOTLY = """
async ([text, size, most]) => {
  const place = document.getElementById('figure');
  try {
    const figure = JSON.parse(text, (key, value) => key === '__proto__' ? undefined : value);
    const layout = figure.layout || {}, style = (layout.template || {}).layout || {};
    const side = (i, name, usual) => size ? size[i] : Number(layout[name] ?? style[name] ?? usual);
    const width = Math.round(side(0, 'width', 700)), height = Math.round(side(1, 'height', 500));
    if (!(width >= 10 && height >= 10 && width * height <= most))
      throw new Error(`the figure asks for ${width} x ${height} pixels; from 10 x 10 to ${most} in all are drawn`);
    Object.assign(layout, {width, height, autosize: false});
    Plotly.purge(place);
    const tiles = (figure.data || []).find(trace => /^(scatter|choropleth|density)map(box)?$/.test(trace.type));
    if (tiles) throw new Error(`${tiles.type} needs map tiles from the network, which is off here`);
    await Plotly.newPlot(place, figure.data || [], layout, {staticPlot: true, displayModeBar: false, plotGlPixelRatio: 1});
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return {width, height, clean: Object.getOwnPropertyNames(Object.prototype).length};
  } catch (problem) {
    return {error: String(problem && problem.message || problem).slice(0, 1500)};
  }
}
"""


class PageError(Exception):
    """A page or figure that could not become a picture; the text is for its author."""


class _Lost(Exception):
    """The page's process or all of Chromium went away while it was drawing."""


def find_chromium():
    """Path of the Chromium to use: the system's, else Playwright's own. Raises RuntimeError with the command to run."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if shutil.which(name):
            return shutil.which(name)
    home = os.path.expanduser("~")
    base = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or os.path.join(
        home, "Library/Caches/ms-playwright" if sys.platform == "darwin" else ".cache/ms-playwright")
    for inside in ("chrome-linux*/chrome", "chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
                   "chrome-mac*/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing"):
        found = sorted(glob.glob(os.path.join(base, "chromium-*", inside)))
        if found:
            return found[-1]
    raise RuntimeError("no Chromium found, which html and plotly need. Run: python -m playwright install chromium")


def plotly_js():
    """Path of the plotly.js that belongs to the installed plotly, found without importing it."""
    from importlib.util import find_spec
    return os.path.join(find_spec("plotly").submodule_search_locations[0], "package_data", "plotly.min.js")


def _bwrap(chromium):
    """The bubblewrap command before Chromium's own: no network, no files but programs and fonts."""
    flags = ["--unshare-all", "--uid", "1000", "--gid", "1000", "--die-with-parent", "--new-session", "--clearenv"]
    for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(path):
            flags += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            flags += ["--ro-bind", path, path]
    places = ["/usr", "/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives", "/etc/chromium.d",
              os.path.dirname(os.path.realpath(chromium))]
    for path in places:
        if os.path.exists(path):
            flags += ["--ro-bind", path, path]
    flags += ["--proc", "/proc", "--dev", "/dev", "--size", str(2**29), "--tmpfs", "/tmp", "--chdir", "/"]
    for name, value in {"HOME": "/tmp", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}.items():
        flags += ["--setenv", name, value]
    return [shutil.which("bwrap"), *flags]


class _Page:
    """One open page with its context, and a future that is done when it is gone."""

    def __init__(self):
        self.content = self.baseline = None
        self.gone = asyncio.get_running_loop().create_future()

    def end(self, *_):
        if not self.gone.done():
            self.gone.set_result(None)


class Browser:
    """One Chromium, started at the first picture and again when it was lost; `pages` pictures at a time.

    `timeout` is CPU seconds a page, `memory` MiB a page. `javascript=True` runs the scripts of html pages (then each
    page is used once). Attribute `protection` tells, once started, what is round Chromium. Close it at the end.

        with Browser() as browser:
            browser.html("<h1>Hello</h1>").size        # (1024, 768)
    """

    def __init__(self, pages=2, timeout=10.0, memory=1024, javascript=False):
        self.timeout, self.memory, self.javascript = timeout, memory, javascript
        self.protection = "not started"
        self._lock, self._loop, self._closed = threading.Lock(), None, False
        self._count, self._owner = max(1, pages), os.getpid()
        self._levels = None                      # the ways to start Chromium that are left to try, strongest first
        self._playwright = self._chromium = self._folder = None
        self._ended = (0.0, "")                  # when a process was ended for using too much, and why

    def html(self, code, size=None):
        """An HTML page -> PIL RGB image, as long as the page (768 to 3072 pixels); with `size` just that viewport.

        Raises PageError, in words for the page's author, when there is no picture.
        """
        data = code.encode("utf-8", "replace")
        if not data.strip():
            raise PageError("the page is empty")
        if len(data) > MAX_HTML:
            raise PageError(f"the page is {len(data)} bytes long; the limit is {MAX_HTML}")
        return self._wait(self._draw("html", self._html, data, size))

    def plotly(self, figure, size=None):
        """A figure's JSON (bytes, as `fig.to_json()` writes it) -> PIL RGB image of its own or the given size.

        Raises PageError, in words for the figure's author, when there is no picture.
        """
        return self._wait(self._draw("plotly", self._plotly, figure.decode("utf-8", "replace"), size))

    def close(self):
        """End Chromium. Pictures still being drawn end with PageError."""
        with self._lock:
            self._closed, loop = True, self._loop
            self._loop = None
        if loop is not None and self._owner == os.getpid():  # in a forked child the loop's thread does not exist
            atexit.unregister(self.close)
            try:
                asyncio.run_coroutine_threadsafe(self._shut_down(), loop).result(120)
            finally:
                loop.call_soon_threadsafe(loop.stop)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ------------------------------------------------------------------------------------------------- the loop's thread

    def _wait(self, work):
        with self._lock:
            if self._closed:
                work.close()
                raise PageError("this browser is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._start_lock, self._free = asyncio.Lock(), asyncio.Semaphore(self._count)
                self._idle, self._tasks = {"html": [], "plotly": []}, set()
                threading.Thread(target=self._loop.run_forever, name="browser", daemon=True).start()
                atexit.register(self.close)
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()

    async def _shut_down(self):
        await self._stop()
        if self._playwright is not None:
            await self._playwright.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def _draw(self, kind, draw, *what):
        """Draw on a free page; once more on a fresh one if Chromium was lost, not the page's own doing."""
        from playwright.async_api import Error
        self._tasks.add(asyncio.current_task())
        try:
            async with self._free:
                for _ in range(2):
                    page = None
                    try:
                        page = await self._page(kind)
                        picture = await self._watched(page, draw(page, *what))
                    except _Lost as error:
                        trouble = str(error)
                    except Error as error:
                        trouble = error.message.partition("\n")[0]
                        await asyncio.sleep(0.2)             # a lost page's own notice may come after the error
                        if page is not None and not page.gone.done():
                            raise PageError(f"the page could not be drawn: {trouble}") from None
                    else:
                        if kind == "plotly" or not self.javascript:
                            self._idle[kind].append(page)
                            page = None
                        return picture
                    finally:
                        if page is not None:
                            await self._discard(page)
                    ended, reason = self._ended
                    if time.monotonic() - ended < 30:
                        raise PageError(reason)
                    if self._closed:
                        raise PageError("the browser was closed before this page was drawn")
                raise PageError(f"Chromium was lost twice while this was drawn ({trouble})")
        finally:
            self._tasks.discard(asyncio.current_task())

    # ------------------------------------------------------------------------------------------------ Chromium and pages

    async def _start(self):
        """Start Chromium in the strongest way that works; later starts use that way again."""
        from playwright.async_api import Error, TimeoutError, async_playwright
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        chromium = find_chromium()
        if self._levels is None:
            own, none = (True, "its own sandbox"), (False, "no sandbox of its own")
            outer = [("bubblewrap without network and user files", _bwrap(chromium))] if shutil.which("bwrap") else []
            outer += [("no namespace round it", [])]
            root = hasattr(os, "geteuid") and os.geteuid() == 0
            self._levels = [(f"Chromium: {words}, {inner[1]}", command, inner[0]) for words, command in outer
                            for inner in (own, none) if not (root and inner[0] and not command)]
        while True:
            self.protection, command, sandbox = self._levels[0]
            self._folder = tempfile.mkdtemp(prefix="rrvf-browser-")
            starter = os.path.join(self._folder, "chromium")
            quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in [*command, chromium])
            with open(starter, "w") as file:                 # tells us the process id, which Playwright does not
                file.write(f"#!/bin/sh\necho $$ > '{self._folder}/pid'\nexec {quoted} \"$@\"\n")
            os.chmod(starter, 0o700)
            try:
                self._chromium = await self._playwright.chromium.launch(
                    executable_path=starter, args=FLAGS, chromium_sandbox=sandbox, timeout=300_000)
                self._levels = self._levels[:1]              # never weaker than what once worked
                break
            except Error as error:
                shutil.rmtree(self._folder, ignore_errors=True)
                if len(self._levels) == 1 or isinstance(error, TimeoutError):       # slow is no reason to be weaker
                    raise PageError(f"Chromium ({chromium}) does not start: {error.message[:500]}") from None
                self._levels.pop(0)
        with open(os.path.join(self._folder, "pid")) as file:
            self._pid = int(file.read())

    async def _stop(self):
        chromium, self._chromium = self._chromium, None
        for pages in self._idle.values():
            pages.clear()
        if chromium is not None:
            try:
                await asyncio.wait_for(chromium.close(), 30)
            except Exception:                                # it hangs or is gone: end it from outside
                self._kill_everything()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _kill_everything(self):
        import psutil
        try:
            top = psutil.Process(self._pid)
            for process in [*top.children(recursive=True), top]:
                process.kill()
        except psutil.Error:
            pass

    async def _page(self, kind):
        """An idle page, or a new one in a context of its own."""
        async with self._start_lock:
            if self._closed:
                raise PageError("the browser was closed before this page was drawn")
            if self._chromium is None or not self._chromium.is_connected():
                await self._stop()
                try:
                    await self._start()
                except RuntimeError as error:
                    raise PageError(str(error)) from None
        while self._idle[kind]:
            page = self._idle[kind].pop()
            if not page.gone.done():
                return page
        page = _Page()
        context = page.context = await self._chromium.new_context(
            java_script_enabled=kind == "plotly" or self.javascript, offline=True, service_workers="block",
            accept_downloads=False, viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1, locale="en-US",
            timezone_id="UTC", color_scheme="light", reduced_motion="reduce")
        context.set_default_timeout(0)                       # time is kept in `_watched`
        page.size = (WIDTH, HEIGHT)
        page.page = await context.new_page()
        page.page.on("crash", page.end)
        page.page.on("close", page.end)
        self._chromium.on("disconnected", page.end)
        context.on("page", lambda other: asyncio.ensure_future(other.close()))       # a window that a script opened
        page.devtools = await context.new_cdp_session(page.page)
        if kind == "html":
            await context.route("**/*", lambda route: self._answer(page, route))
        else:
            await context.route("**/*", lambda route: _answer_plotly(route))
            await page.page.goto(PLOTLY_URL)
        return page

    async def _discard(self, page):
        page.end()
        if self._chromium is not None:
            self._chromium.remove_listener("disconnected", page.end)
        try:
            await asyncio.wait_for(page.context.close(), 60)
        except Exception:                                    # the page hangs; a fresh Chromium is the sure way
            self._kill_everything()

    # ------------------------------------------------------------------------------------------------------------ limits

    async def _watched(self, page, work):
        """Await `work`; meanwhile end whichever process of Chromium uses too much CPU time or memory."""
        work = asyncio.ensure_future(work)
        work.add_done_callback(lambda done: done.cancelled() or done.exception())     # nobody may be left to ask
        start, before = time.monotonic(), {}
        longest = max(600.0, 60 * self.timeout)              # only for what hangs: work is limited by its CPU time
        try:
            while True:
                await asyncio.wait({work, page.gone}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    return work.result()
                if page.gone.done():
                    raise _Lost("its process ended")
                if time.monotonic() - start > longest:
                    raise PageError(f"the page was stopped after {longest:g} s")
                self._end_the_greedy(before)
        finally:
            if not work.done():
                work.cancel()

    def _end_the_greedy(self, before):
        import psutil
        try:
            processes = psutil.Process(self._pid).children(recursive=True)
        except psutil.Error:
            return
        for process in processes:
            try:
                times, memory = process.cpu_times(), process.memory_info().rss / 2**20
                used = times.user + times.system
                shared = not any(part.startswith("--type=") for part in process.cmdline())      # serves all pages
                if used - before.setdefault(process.pid, used) > self.timeout and not shared:
                    self._ended = time.monotonic(), f"the page was stopped: it used its {self.timeout:g} s of CPU time"
                elif memory > self.memory + 256:             # what an empty Chromium process may take
                    self._ended = time.monotonic(), f"the page was stopped: it used its {self.memory:g} MiB of memory"
                else:
                    continue
                process.kill()
            except psutil.Error:
                continue

    # ------------------------------------------------------------------------------------------------------------- drawing

    async def _html(self, page, data, size):
        width, height = size or (WIDTH, HEIGHT)
        await self._viewport(page, width, height)
        page.content = data
        await page.page.goto(HTML_URL)
        if size is None:
            metrics = await page.devtools.send("Page.getLayoutMetrics")
            height = min(max(math.ceil(metrics["cssContentSize"]["height"]), HEIGHT), TALLEST)
        return await self._shot(page, width, height)

    async def _plotly(self, page, text, size):
        answer = await page.page.evaluate(DRAW_PLOTLY, [text, size and list(size), MAX_PIXELS])
        if "error" in answer:
            raise PageError("plotly.js: " + _plotly_advice(answer["error"]))
        if page.baseline not in (None, answer["clean"]):
            raise PageError("the figure changes JavaScript's own objects")
        page.baseline = answer["clean"]
        width, height = int(answer["width"]), int(answer["height"])
        await self._viewport(page, max(width, 100), max(height, 100))
        return await self._shot(page, width, height)

    async def _viewport(self, page, width, height):
        if page.size != (width, height):
            await page.page.set_viewport_size({"width": width, "height": height})
            page.size = (width, height)

    async def _shot(self, page, width, height):
        from PIL import Image
        png = await page.page.screenshot(clip={"x": 0, "y": 0, "width": width, "height": height}, full_page=True,
                                         animations="disabled", scale="css")
        return Image.open(io.BytesIO(png)).convert("RGB")

    async def _answer(self, page, route):
        """What an html page gets for a request: itself once, a gray box for a picture, nothing else."""
        request = route.request
        if page.content is not None and request.url == HTML_URL:
            content, page.content = page.content, None
            policy = HTML_POLICY + (SCRIPTS if self.javascript else "")
            await route.fulfill(body=content, headers={"content-type": "text/html; charset=utf-8",
                                                       "content-security-policy": policy})
        elif request.resource_type == "image":
            found = re.search(r"(?<!\d)(\d{2,4})[x/](\d{2,4})(?!\d)", request.url)       # as placeholder services write it
            width, height = found.groups() if found else (300, 200)
            await route.fulfill(content_type="image/svg+xml", body=(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
                f'<rect width="100%" height="100%" fill="{GRAY}"/></svg>'))
        else:
            await route.abort("aborted")                     # this code leaves the present page where it is


async def _answer_plotly(route):
    if route.request.url == PLOTLY_URL:
        await route.fulfill(body=PLOTLY_PAGE, headers={"content-type": "text/html; charset=utf-8",
                                                       "content-security-policy": PLOTLY_POLICY})
    elif route.request.url == PLOTLY_URL + "plotly.min.js":
        await route.fulfill(path=plotly_js(), content_type="text/javascript; charset=utf-8")
    else:
        await route.abort()


def _plotly_advice(error):
    if "topojson" in error or "cdn.plot.ly" in error:
        return f"{error} (the shapes of countries come from the network, which is off here)"
    return error
