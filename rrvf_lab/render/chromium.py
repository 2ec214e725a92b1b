"""Web pages and plotly figures become pictures: one Chromium behind plain functions that wait for their
result.

Every call may come from any thread, also from inside a running event loop (a notebook): the work is done on
one background thread with a loop of its own, on pages that are used again, because opening one costs more
than drawing. A page without scripts even replaces the last one in the same document, which is the fastest
way, unless its code holds something that a document keeps (LASTS).

A page gets no script (html), no network and no file: what it asks for is answered here, with a gray box for a
picture and with nothing for the rest. Chromium runs in a bubblewrap namespace without network and without the user's files where the machine allows that,
with its own sandbox inside where that works (`protection` says what was reached). A page process that uses
too much CPU time or memory is ended; so a busy machine does not fail a good page.

It does NOT protect against faults in Chromium itself: where bubblewrap does not work (macOS, many containers)
these meet only Chromium's own sandbox, and as root not even that.

Left out: the scripts of html pages, scrolling, hovering, several pages linked to each other, videos (their controls may differ from one
picture to the next), maps with tiles, MathJax in plotly, a graphics card (3-D figures are drawn on the CPU),
and fonts that are not installed.
"""

import asyncio
import atexit
import base64
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

WIDTH, HEIGHT, TALLEST = 1024, 768, 3072     # CSS pixels of a page: viewport, and where a long one is cut
MAX_PIXELS = 4_000_000
MAX_HTML = 1_000_000                         # bytes of a page, with the pictures inside it
# in the code of a page that may look different a moment later: an animation, a caret, a font being loaded
MOVES = re.compile(rb"anim|transition|autofocus|font-face|marquee|video|\\", re.IGNORECASE)
# what a document may keep when its content is replaced: a policy, a language, colours, the style set once chosen
LASTS = re.compile(rb"""<meta(?!\s+charset=["']?[\w-]+["']?\s*/?>)"""
                   rb"""(?!\s+name=["']?(viewport|description|keywords|author)\b)"""
                   rb"""|http-equiv|title\s*=|autofocus""", re.IGNORECASE)
GRAY = "#c8c8c8"                             # a picture that cannot be reached
WINDOW = {"width": 300, "height": 200}       # round a page of any size
HTML_URL, PLOTLY_URL = "http://page.invalid/", "http://plotly.invalid/"
FLAGS = ("--disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --font-render-hinting=none --hide-scrollbars "
         "--force-color-profile=srgb --no-pings "
         "--force-webrtc-ip-handling-policy=disable_non_proxied_udp "
         "--enable-unsafe-swiftshader").split()                  # the last: WebGL on the CPU, for 3-D figures
HTML_POLICY = ("default-src 'none'; img-src * data: blob:; style-src 'unsafe-inline' data:; font-src data:; "
               "media-src data:; frame-src data:; form-action 'none'")
PLOTLY_POLICY = ("default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'unsafe-inline'; "
                 "img-src data: blob:; font-src data:; worker-src blob:")
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
      throw new Error(`the figure asks for ${width} x ${height} pixels; 10 x 10 to ${most} in all are drawn`);
    Object.assign(layout, {width, height, autosize: false});
    Plotly.purge(place);
    const onMap = /^(scatter|choropleth|density)map(box)?$/;
    const tiles = (figure.data || []).find(trace => onMap.test(trace.type));
    if (tiles) throw new Error(`${tiles.type} needs map tiles from the network, which is off here`);
    const options = {staticPlot: true, displayModeBar: false, plotGlPixelRatio: 1};
    await Plotly.newPlot(place, figure.data || [], layout, options);
    if (place.querySelector('.no-webgl')) return {dark: true};
    const full = place._fullLayout, scenes = (full._subplots.gl3d || []).map(id => full[id]._scene);
    const contexts = scenes.map(scene => scene.glplot.gl);
    if (full._glcanvas) full._glcanvas.each(part => { if (part.regl) contexts.push(part.regl._gl); });
    for (const module of full._basePlotModules)      // a static 3-D scene is in no canvas of the page
      if (module.name === 'gl3d') module.toSVG(place);
    if (contexts.some(context => context.isContextLost())) return {dark: true};
    if (contexts.length) await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const clean = Object.getOwnPropertyNames(Object.prototype).length;
    return {width, height, clean, gl: contexts.length > 0};
  } catch (problem) {
    if (/error creating static canvas/.test(problem && problem.message)) return {dark: true};
    return {error: String(problem && problem.message || problem).slice(0, 1500)};
  }
}
"""


class PageError(Exception):
    """A page or figure that could not become a picture; the text is for its author."""


class _Lost(Exception):
    """The page's process or all of Chromium went away while it was drawing."""


def find_chromium():
    """Path of the Chromium to use: the system's, else Playwright's own.

    Raises RuntimeError with the command to run.
    """
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
    raise RuntimeError(f"no Chromium found, which html and plotly need. Run: {INSTALL}")


INSTALL = "python -m playwright install chromium"
OUTER, INNER = "bubblewrap without network and user files", "its own sandbox"
_NAMESPACES = ("sudo apt-get install bubblewrap; Ubuntu 24.04 also: "
               "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; "
               "or use a container that allows user namespaces")
_MISSING = {    # is bubblewrap round it, is its own sandbox on: what is not protected, what to do about it
    (True, True): ("", ""),
    (True, False): ("one layer less: a fault in Chromium meets bubblewrap only",
                    "Ubuntu 24.04: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
    (False, True): ("one layer less: a fault in Chromium meets its own sandbox only", _NAMESPACES),
    (False, False): ("a hostile page that finds a fault in Chromium has your files and your network; "
                     "as root its own sandbox is off", f"{_NAMESPACES}; or do not run as root"),
}


def protection_row():
    """Start Chromium and see what is round it -> (name, active, what is not protected, fixing command).

    Takes some seconds. For the table of `sandbox.doctor`.
    """
    name = "Chromium, for html and plotly"
    try:
        find_chromium()
    except RuntimeError:
        return name, False, "nothing is drawn in these two languages, for want of it", INSTALL
    with Browser(pages=1) as browser:
        try:
            browser.html("<p>")
        except PageError as error:
            return name, False, str(error), INSTALL.replace("install", "install --with-deps")
        missing, fix = _MISSING[OUTER in browser.protection, INNER in browser.protection]
    return f"{name}: {browser.protection.partition(': ')[2]}", not missing, missing, fix


def plotly_js():
    """Path of the plotly.js that belongs to the installed plotly, found without importing it."""
    from importlib.util import find_spec
    return os.path.join(find_spec("plotly").submodule_search_locations[0], "package_data", "plotly.min.js")


def _bwrap(chromium):
    """The bubblewrap command before Chromium's own: no network, no files but programs and fonts."""
    flags = ["--unshare-all", "--uid", "1000", "--gid", "1000", "--die-with-parent", "--new-session",
             "--clearenv"]
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
        self.content = self.baseline = self.main = self.stopped = self.size = None
        self.spent = True
        self.gone = asyncio.get_running_loop().create_future()

    def end(self, *_):
        if not self.gone.done():
            self.gone.set_result(None)

    def loaded(self, *_):
        if self.stopped is not None and not self.stopped.done():
            self.stopped.set_result(None)


class Browser:
    """One Chromium, started at the first picture and again when it was lost; `pages` pictures at a time.

    `timeout` is CPU seconds a page, `memory` MiB a page. Attribute `protection` tells, once started, what is
    round Chromium. Close it at the end.

        with Browser() as browser:
            browser.html("<h1>Hello</h1>").size        # (1024, 768)
    """

    def __init__(self, pages=2, timeout=10.0, memory=1024):
        self.timeout, self.memory = timeout, memory
        self.protection = "not started"
        self._lock, self._loop, self._closed = threading.Lock(), None, False
        self._count, self._owner = max(1, pages), os.getpid()
        self._levels = None                      # the ways to start Chromium left to try, strongest first
        self._playwright = self._chromium = self._folder = None
        self._dark = 0                           # figures in a row that found no WebGL
        self._ended = (0.0, "")                  # when a process was ended for using too much, and why

    def html(self, code, size=None):
        """An HTML page -> PIL RGB image, as long as the page (768 to 3072 pixels); with `size` that viewport.

        Raises PageError, in words for the page's author, when there is no picture.
        """
        data = code.encode("utf-8", "replace")
        if not data.strip():
            raise PageError("the page is empty")
        if len(data) > MAX_HTML:
            raise PageError(f"the page is {len(data)} bytes long; the limit is {MAX_HTML}")
        return self._wait(self._draw("html", self._html, data, size))

    def plotly(self, figure, size=None):
        """A figure's JSON (bytes, as `fig.to_json()` writes it) -> PIL RGB image, its own or the given size.

        Raises PageError, in words for the figure's author, when there is no picture.
        """
        return self._wait(self._draw("plotly", self._plotly, figure.decode("utf-8", "replace"), size))

    def close(self):
        """End Chromium. Pictures still being drawn end with PageError."""
        with self._lock:
            self._closed, loop = True, self._loop
            self._loop = None
        if loop is not None and self._owner == os.getpid():  # a forked child has no thread of the loop
            atexit.unregister(self.close)
            try:
                asyncio.run_coroutine_threadsafe(self._shut_down(), loop).result(120)
            finally:
                loop.call_soon_threadsafe(loop.stop)
                self._thread.join()
                loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ------------------------------------------------------------------------------------- the loop's thread

    def _wait(self, work):
        with self._lock:
            if self._closed:
                work.close()
                raise PageError("this browser is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._start_lock, self._free = asyncio.Lock(), asyncio.Semaphore(self._count)
                self._idle, self._tasks = {"html": [], "plotly": []}, set()
                self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
                self._thread.start()
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
                began = time.monotonic()
                for _ in range(2):
                    page = None
                    try:
                        page = await self._page(kind)
                        picture = await self._watched(page, draw(page, *what))
                    except _Lost as error:
                        trouble = str(error)
                    except Error as error:
                        trouble = error.message.partition("\n")[0]
                        await asyncio.sleep(0.2)             # a lost page's notice may come after the error
                        if page is not None and not page.gone.done():
                            raise PageError(f"the page could not be drawn: {trouble}") from None
                    else:
                        self._idle[kind].append(page)
                        page = None
                        return picture
                    finally:
                        if page is not None:
                            await self._discard(page)
                    ended, reason = self._ended
                    if ended > began:                        # not an earlier page's end, which this one may feel too
                        raise PageError(reason)
                    if self._closed:
                        raise PageError("the browser was closed before this page was drawn")
                raise PageError(f"Chromium was lost twice while this was drawn ({trouble})")
        finally:
            self._tasks.discard(asyncio.current_task())

    # ------------------------------------------------------------------------------------ Chromium and pages

    async def _start(self):
        """Start Chromium in the strongest way that works; later starts use that way again."""
        from playwright.async_api import Error, TimeoutError, async_playwright
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        chromium = find_chromium()
        if self._levels is None:
            own, none = (True, INNER), (False, "no sandbox of its own")
            outer = [(OUTER, _bwrap(chromium))] if shutil.which("bwrap") else []
            outer += [("no namespace round it", [])]
            root = hasattr(os, "geteuid") and os.geteuid() == 0
            self._levels = [(f"Chromium: {words}, {inner[1]}", command, inner[0]) for words, command in outer
                            for inner in (own, none) if not (root and inner[0] and not command)]
        while True:
            self.protection, command, sandbox = self._levels[0]
            self._folder = tempfile.mkdtemp(prefix="rrvf-browser-")
            starter = os.path.join(self._folder, "chromium")
            quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in [*command, chromium])
            with open(starter, "w") as file:                 # tells the process id, which Playwright does not
                file.write(f"#!/bin/sh\necho $$ > '{self._folder}/pid'\nexec {quoted} \"$@\"\n")
            os.chmod(starter, 0o700)
            try:
                self._chromium = await self._playwright.chromium.launch(
                    executable_path=starter, args=FLAGS, chromium_sandbox=sandbox, timeout=300_000)
                self._levels = self._levels[:1]              # never weaker than what once worked
                break
            except Error as error:
                shutil.rmtree(self._folder, ignore_errors=True)
                slow = isinstance(error, TimeoutError)       # which is no reason to be weaker
                if len(self._levels) == 1 or slow:
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
            java_script_enabled=kind == "plotly", offline=True, service_workers="block",
            accept_downloads=False, no_viewport=True, locale="en-US", timezone_id="UTC", color_scheme="light",
            reduced_motion="reduce")
        context.set_default_timeout(0)                       # time is kept in `_watched`
        page.page = await context.new_page()
        page.page.on("crash", page.end)
        page.page.on("close", page.end)
        self._chromium.on("disconnected", page.end)
        # a window that a script opened
        context.on("page", lambda other: asyncio.ensure_future(other.close()))
        page.devtools = await context.new_cdp_session(page.page)
        # the window is drawn too, for nobody: the less of it the better
        window = await page.devtools.send("Browser.getWindowForTarget")
        await page.devtools.send("Browser.setWindowBounds", {"windowId": window["windowId"], "bounds": WINDOW})
        await self._viewport(page, WIDTH, HEIGHT)
        if kind == "html":
            await page.devtools.send("Page.enable")
            await self._frame(page)
            page.devtools.on("Page.loadEventFired", page.loaded)
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
        except Exception:                                    # the page hangs: a fresh Chromium is sure
            self._kill_everything()

    # ------------------------------------------------------------------------------------------------ limits

    async def _watched(self, page, work):
        """Await `work`; meanwhile end whichever process of Chromium uses too much CPU time or memory."""
        work = asyncio.ensure_future(work)
        work.add_done_callback(_seen)
        start, before = time.monotonic(), {}
        longest = max(600.0, 60 * self.timeout)              # for what hangs: work is limited by its CPU time
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
                shared = not any(part.startswith("--type=") for part in process.cmdline())   # by all pages
                if used - before.setdefault(process.pid, used) > self.timeout and not shared:
                    reason = f"{self.timeout:g} s of CPU time"
                elif memory > self.memory + 256:             # what an empty Chromium process may take
                    reason = f"{self.memory:g} MiB of memory"
                else:
                    continue
                self._ended = time.monotonic(), f"the page was stopped: it used its {reason}"
                process.kill()
            except psutil.Error:
                continue

    # ----------------------------------------------------------------------------------------------- drawing

    async def _html(self, page, data, size):
        width, height = size or (WIDTH, HEIGHT)
        await self._viewport(page, width, height)
        await self._load(page, data)
        if size is None:
            metrics = await page.devtools.send("Page.getLayoutMetrics")
            height = min(max(math.ceil(metrics["cssContentSize"]["height"]), HEIGHT), TALLEST)
        moves = bool(MOVES.search(data))
        image = await self._shot(page, width, height, moves)
        if moves:
            await self._load(page, b"<p>")                   # else it would move on, at this machine's cost
        return image

    async def _load(self, page, data):
        """Put a page without scripts into the open document; into a new one, for five times the cost, if it LASTS."""
        lasts = bool(LASTS.search(data))
        if lasts or page.spent:
            page.content, page.spent = data if lasts else b"", lasts
            await page.page.goto(HTML_URL)
            await self._frame(page)                          # what the old document had to say comes before the answer
        if not lasts:
            page.stopped = asyncio.get_running_loop().create_future()
            await page.devtools.send("Page.setDocumentContent", {
                "frameId": page.main, "html": data.decode("utf-8").removeprefix("\ufeff")})
            await page.stopped

    async def _frame(self, page):
        page.main = (await page.devtools.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]

    async def _plotly(self, page, text, size):
        answer = await page.page.evaluate(DRAW_PLOTLY, [text, size and list(size), MAX_PIXELS])
        if "dark" in answer:                                 # the process that draws it is gone, or never was
            self._dark += 1
            if self._dark > 1:
                raise PageError("a 3-D or gl trace needs WebGL, which this Chromium does not have")
            self._kill_everything()
            raise _Lost("no WebGL")
        if answer.get("gl"):
            self._dark = 0
        if "error" in answer:
            raise PageError("plotly.js: " + _plotly_advice(answer["error"]))
        if page.baseline not in (None, answer["clean"]):
            raise PageError("the figure changes JavaScript's own objects")
        page.baseline = answer["clean"]
        width, height = int(answer["width"]), int(answer["height"])
        await self._viewport(page, max(width, 100), max(height, 100))
        return await self._shot(page, width, height, False)

    async def _viewport(self, page, width, height):
        if page.size != (width, height):
            await page.devtools.send("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "screenWidth": width, "screenHeight": height,
                "deviceScaleFactor": 1, "mobile": False})
            page.size = (width, height)

    async def _shot(self, page, width, height, moves):
        """The page's top left part -> PIL image. What `moves` is first brought to its end."""
        from PIL import Image
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        if moves:
            png = await page.page.screenshot(clip=clip, full_page=True, animations="disabled", scale="css")
        else:
            beyond = {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}}       # draws the page anew
            answer = await page.devtools.send("Page.captureScreenshot", {
                "format": "png", "optimizeForSpeed": True, **(beyond if page.size != (width, height) else {})})
            png = base64.b64decode(answer["data"])
        return Image.open(io.BytesIO(png)).convert("RGB")

    async def _answer(self, page, route):
        """What an html page gets for a request: itself once, a gray box for a picture, nothing else."""
        request = route.request
        if page.content is not None and request.url == HTML_URL:
            content, page.content = page.content, None
            await route.fulfill(body=content, headers={"content-type": "text/html; charset=utf-8",
                                                       "content-security-policy": HTML_POLICY})
        elif request.resource_type == "image":
            # as the services for placeholder pictures write it
            found = re.search(r"(?<!\d)(\d{2,4})[x/](\d{2,4})(?!\d)", request.url)
            width, height = found.groups() if found else (300, 200)
            await route.fulfill(content_type="image/svg+xml", body=(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
                f'<rect width="100%" height="100%" fill="{GRAY}"/></svg>'))
        else:
            await route.abort("aborted")                     # this code leaves the present page where it is


def _seen(future):
    """Take note of a future's end, as its error may come when nobody waits for it any more."""
    future.cancelled() or future.exception()


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
