"""Web pages, drawings and plotly figures become pictures: one Chromium behind plain functions that wait for
their result.

Every call may come from any thread, also from inside a running event loop (a notebook): the work is done on
one background thread with a loop of its own, on pages that are used again. A page process that dies loses no
result: its page is drawn once more. What a page may do is in `page`, what is round Chromium in `engine`.

Left out: the scripts of html pages, scrolling, hovering, several pages linked to each other, videos (their
controls may differ from one picture to the next), maps with tiles, MathJax in plotly, and fonts that are not
installed.
"""

import asyncio
import atexit
import json
import math
import os
import re
import threading
import time

from . import plotly_page, svg_page
from .absent import cut
from .engine import Engine, Lost, PageError, find_chromium
from .page import HEIGHT, TALLEST, WIDTH, Page
from .sandbox import MAX_PIXELS

__all__ = ["Browser", "PageError", "find_chromium"]

MAX_HTML = 1_000_000                         # bytes of a page, with the pictures inside it
# what a browser that runs scripts does not show; here none run, but a page is meant for those that do
NOSCRIPT = re.compile(rb"<noscript\b", re.IGNORECASE), re.compile(rb"</noscript\s*>", re.IGNORECASE)
# in the code of a page that may look different a moment later: an animation, a caret, a font being loaded
MOVES = re.compile(rb"anim|transition|autofocus|font-face|marquee|video|\\", re.IGNORECASE)


class Browser:
    """One Chromium, started at the first picture and again when it was lost; `pages` pictures at a time.

    `timeout` is CPU seconds a page, `memory` MiB a page. Close it at the end. A subclass may draw pages
    otherwise by its own `_viewport` and `_shot`.

        with Browser() as browser:
            browser.html("<h1>Hello</h1>").size        # (1024, 768)
    """

    def __init__(self, pages=2, timeout=10.0, memory=1024):
        self.engine = Engine(timeout, memory)
        self._lock, self._loop, self._closed = threading.Lock(), None, False
        self._count, self._owner = max(1, pages), os.getpid()
        self._dark = 0                           # figures in a row that found no WebGL

    @property
    def protection(self):
        """In words, once started, what is round Chromium."""
        return self.engine.protection

    def html(self, code, size=None):
        """An HTML page -> PIL RGB image, as long as the page (768 to 3072 pixels); with `size` that viewport.

        Raises PageError, in words for the page's author, when there is no picture.
        """
        data = code.encode("utf-8", "replace")
        if not data.strip():
            raise PageError("the page is empty")
        if len(data) > MAX_HTML:
            raise PageError(f"the page is {len(data)} bytes long; the limit is {MAX_HTML}")
        data = cut(data, *NOSCRIPT)
        return self._wait(self._draw("html", self._html, data, size))

    def plotly(self, figure, size=None):
        """A figure's JSON (bytes, as `fig.to_json()` writes it) -> PIL RGB image, its own or the given size.

        Raises PageError, in words for the figure's author, when there is no picture.
        """
        return self._wait(self._draw("plotly", self._plotly, figure.decode("utf-8", "replace"), size))

    def svg(self, drawing, size=None):
        """A drawing as `_svg` leaves it (JSON, bytes) -> PIL RGB image, its own or the given size.

        Raises PageError, in words for the drawing's author, when there is no picture.
        """
        told = json.loads(drawing)
        source = told["svg"].encode("utf-8", "replace")
        return self._wait(self._draw("svg", svg_page.draw, source, told["room"], size))

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

    # -------------------------------------------------------------------------------------- the loop's thread

    def _wait(self, work):
        """Have the loop's thread do `work` (a coroutine) and wait for its result."""
        with self._lock:
            if self._closed:
                work.close()
                raise PageError("this browser is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._start_lock, self._free = asyncio.Lock(), asyncio.Semaphore(self._count)
                self._idle, self._tasks = {"html": [], "svg": [], "plotly": []}, set()
                self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()

    async def _shut_down(self):
        self._forget_pages()
        await self.engine.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def _draw(self, kind, draw, *what):
        """Draw on a free page; once more on a fresh one if Chromium was lost, not the page's own doing."""
        self._tasks.add(asyncio.current_task())
        try:
            async with self._free:
                began = time.monotonic()
                for _ in range(2):
                    try:
                        return await self._draw_once(kind, draw, *what)
                    except Lost as error:
                        trouble = str(error)
                    ended, reason = self.engine.ended
                    if ended > began:            # not an earlier page's end, which this one may feel too
                        raise PageError(reason)
                    if self._closed:
                        raise PageError("the browser was closed before this page was drawn")
                raise PageError(f"Chromium was lost twice while this was drawn ({trouble})")
        finally:
            self._tasks.discard(asyncio.current_task())

    async def _draw_once(self, kind, draw, *what):
        from playwright.async_api import Error
        page = None
        try:
            page = await self._page(kind)
            picture = await self.engine.watched(page, draw(page, *what))
            self._idle[kind].append(page)
            page = None
            return picture
        except Error as error:
            trouble = error.message.partition("\n")[0]
            await asyncio.sleep(0.2)                         # a lost page's notice may come after the error
            if page is not None and not page.gone.done():
                if "Unable to capture" in trouble:
                    trouble += "; it may need more memory than a page is allowed"
                raise PageError(f"the page could not be drawn: {trouble}") from None
            raise Lost(trouble) from None
        finally:
            if page is not None:
                await self._discard(page)

    # -------------------------------------------------------------------------------------------------- pages

    async def _page(self, kind):
        """An idle page, or a new one; Chromium is started where it does not run."""
        async with self._start_lock:
            if self._closed:
                raise PageError("the browser was closed before this page was drawn")
            if not self.engine.running():
                self._forget_pages()
                await self.engine.stop()
                try:
                    await self.engine.start()
                except RuntimeError as error:
                    raise PageError(str(error)) from None
        while self._idle[kind]:
            page = self._idle[kind].pop()
            if not page.gone.done():
                return page
        return await Page.open(self.engine.chromium, kind)

    def _forget_pages(self):
        for pages in self._idle.values():
            pages.clear()

    async def _discard(self, page):
        page.end()
        if self.engine.chromium is not None:
            self.engine.chromium.remove_listener("disconnected", page.end)
        try:
            await asyncio.wait_for(page.context.close(), 60)
        except Exception:                                    # the page hangs: a fresh Chromium is sure
            self.engine.kill()

    # ------------------------------------------------------------------------------------------------ drawing

    async def _html(self, page, data, size):
        width, height = size or (WIDTH, HEIGHT)
        await self._viewport(page, width, height)
        await page.load(data)
        if size is None:
            height = min(max(math.ceil((await page.content_size())["height"]), HEIGHT), TALLEST)
        moves = bool(MOVES.search(data))
        image = await self._shot(page, width, height, moves)
        if moves:
            await page.load(b"<p>")                          # else it would move on, at this machine's cost
        return image

    async def _plotly(self, page, text, size):
        answer = await page.page.evaluate(plotly_page.DRAW, [text, size and list(size), MAX_PIXELS])
        if "dark" in answer:                                 # the process that draws it is gone, or never was
            self._dark += 1
            if self._dark > 1:
                raise PageError("a 3-D or gl trace needs WebGL, which this Chromium does not have")
            self.engine.kill()
            raise Lost("no WebGL")
        if answer.get("png"):
            self._dark = 0
        return await plotly_page.picture(page, answer)

    async def _viewport(self, page, width, height):
        await page.viewport(width, height)

    async def _shot(self, page, width, height, moves):
        """The page's top left part -> PIL image."""
        return await page.shot(width, height, moves)
