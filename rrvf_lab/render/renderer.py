"""Turn programs into pictures: code + language -> `Rendering`, many at a time, from warm isolated processes.

A program that fails is a `Rendering` without an image and with the end of its own traceback, never an
exception. Programs run in the jail that this machine allows (see `doctor`); limits are CPU time and memory,
so a busy machine does not turn a good program into a failure. The picture is the figure saved last, else the
current figure. Pixels are whatever the program painted: nothing here can tell an honest chart from a forged
one, `flags` only name the crude attempts.

Left out: running a program (`lanes`, `job`, `_zygote`) and drawing pages, drawings and plotly's figures
(`chromium`).
"""

import atexit
import dataclasses
import hashlib
import os
import threading
import time
from collections import OrderedDict
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from PIL import Image

from .absent import absent, absent_from_figure
from .chromium import Browser, PageError
from .flags import PATCHES, suspicious, unsteady
from .lanes import CLOSED, Lanes
from .removed import advised
from .rendering import Rendering
from .sandbox import MAX_PIXELS

CACHE_BYTES = 256 * 2**20


class Renderer:
    """Renders programs in warm, isolated processes; use as a context manager or call `close`.

    `workers` programs run at a time (None: one per core; 0: one after the other in the calling thread, same
    images). `timeout` is CPU seconds a program, `memory` MiB a program. All methods may be called from
    several threads and inside a running event loop. Raises RuntimeError at the first render when no render
    process can be started.

        with Renderer() as renderer:
            renderer.render("import matplotlib.pyplot as plt\\nplt.bar([1, 2], [3, 4])").image
    """

    def __init__(self, workers=None, timeout=10.0, memory=1024):
        if not timeout > 0 or not memory > 0 or (workers is not None and workers < 0):
            raise ValueError(f"workers={workers}, timeout={timeout}, memory={memory}: workers must be 0 or "
                             "more, timeout (s) and memory (MiB) above 0")
        self.workers = (os.cpu_count() or 1) if workers is None else workers
        self.timeout, self.memory = timeout, memory
        self.languages = {"matplotlib": self._in_sandbox, "plotly": self._plotly, "svg": self._svg,
                          "html": self._html}
        self._cache, self._cached_bytes = OrderedDict(), 0
        self._fresh()

    def _fresh(self):
        """What belongs to one process, none of it started: a fork needs its own."""
        self._pid, self._closed, self._pending = os.getpid(), False, {}
        self._lock, self._serial = threading.Lock(), threading.Lock()
        self._lanes = Lanes(self.timeout, self.memory)
        self._browser = Browser(self.workers, self.timeout, self.memory)
        self._pool = ThreadPoolExecutor(self.workers, "render") if self.workers else None

    def render(self, code, language="matplotlib", size=None):
        """One program -> `Rendering`. `size=(width, height)` in pixels scales the figure, `(width, None)`
        sets its dpi (matplotlib alone); None keeps its own size.

        Raises ValueError only for an unknown language or an impossible size, never for the program.
        """
        return self._take(self._submit(code, language, size))

    def map(self, codes, language="matplotlib", size=None):
        """Programs -> list of `Rendering` in the same order, `workers` at a time."""
        return [self._take(job) for job in [self._submit(code, language, size) for code in codes]]

    @property
    def isolation(self):
        """What keeps this Renderer's programs in -> `Isolation`; starts its render process if none runs yet.

        Raises RuntimeError when none can be started.
        """
        if self._pid != os.getpid():
            self._fresh()
        return self._lanes.isolation()

    def close(self):
        """End all processes. Renders still running come back as failed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._pid == os.getpid():
            self._lanes.close()
            self._browser.close()
            if self._pool:
                self._pool.shutdown(cancel_futures=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ------------------------------------------------------------------------------------- jobs and the cache

    def _submit(self, code, language, size):
        """(key, future, was it there already) of this program's render."""
        if language not in self.languages:
            raise ValueError(f"unknown language {language!r}; known: {', '.join(self.languages)}")
        if size is not None:
            size = tuple(n and int(n) for n in size)
            width, height = (*size, None)[:2]
            if len(size) != 2 or not width or width < 1 or (height or 1) * width > MAX_PIXELS or (
                    height is not None and height < 1) or (height is None and language != "matplotlib"):
                raise ValueError(f"size={size}: needs (width, height), both above 0 and their product at "
                                 f"most {MAX_PIXELS}; matplotlib takes (width, None) too")
        code = code.removeprefix("\ufeff")       # the mark that some editors put before UTF-8
        key = hashlib.sha256(repr((language, size)).encode() + code.encode("utf-8", "surrogatepass")).digest()
        if self._pid != os.getpid():             # after a fork threads, locks and processes are the parent's
            self._fresh()
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            if key in self._cache:
                self._cache.move_to_end(key)
                future = Future()
                future.set_result(self._cache[key])
                return future, True
            if key in self._pending:
                return self._pending[key], True
            if self._pool:
                future = self._pending[key] = self._pool.submit(self._job, key, code, language, size)
                return future, False
        with self._serial:
            future = Future()
            future.set_result(self._job(key, code, language, size))
            return future, False

    def _take(self, submitted):
        future, known = submitted
        try:
            rendering = future.result()
        except CancelledError:
            return Rendering(error="the Renderer was closed before this program was rendered")
        image = rendering.image and rendering.image.copy()       # the cache's own image stays as it is
        return dataclasses.replace(rendering, image=image, cached=known)

    def _job(self, key, code, language, size):
        keep = False
        try:
            rendering, keep = self.languages[language](code, language, size)
        finally:
            with self._lock:
                self._pending.pop(key, None)
                if keep:
                    self._cache[key] = rendering
                    self._cached_bytes += _bytes(rendering)
                    while self._cached_bytes > CACHE_BYTES:
                        self._cached_bytes -= _bytes(self._cache.popitem(last=False)[1])
        return rendering

    # ------------------------------------------------------------- (rendering, may it be kept), by language

    def _in_sandbox(self, code, language, size):
        start = time.perf_counter()
        outcome = self._lanes.run(code, language, size)
        report = outcome.report or {}
        error = outcome.status or report.get("error")
        image = None
        if outcome.pixels and not error:
            image = Image.frombytes("RGB", (report["width"], report["height"]), outcome.pixels)
        if image is None and not error:
            error = "the program came back without a picture"
        if error and language in ("matplotlib", "plotly"):
            error = advised(_text(error, 4000))
        flags = {*suspicious(code, language), *unsteady(code, language)}
        if report.get("patched"):
            flags.add(PATCHES)
        rendering = Rendering(image, error and _text(error, 4000), time.perf_counter() - start, language,
                              outcome.cpu, _text(report.get("printed", ""), 2000), tuple(sorted(flags)))
        return rendering, not outcome.lost and not outcome.status

    def _html(self, code, language, size):
        start = time.perf_counter()
        image, error = _drawn(self._browser.html, code, size)
        missing = absent(code)
        return Rendering(image, error, time.perf_counter() - start, language, printed=missing,
                         flags=suspicious(code, language), missing=missing), error is None

    def _plotly(self, code, language, size):
        """The program runs in the sandbox; its figure comes back as a row of pixels that are JSON."""
        return self._by_browser(self._browser.plotly, code, size, language, absent_from_figure)

    def _svg(self, code, language, size):
        """The drawing is read in the sandbox and comes back as a row of pixels that are JSON."""
        return self._by_browser(self._browser.svg, code, size, language, lambda drawing: absent(code))

    def _by_browser(self, draw, code, size, language, look):
        start = time.perf_counter()
        figure, keep = self._in_sandbox(code, language, None)
        if figure.image is None:
            return figure, keep
        data = figure.image.tobytes()
        image, error = _drawn(draw, data, size)
        missing = look(data.decode("utf-8", "replace"))
        return dataclasses.replace(figure, image=image, error=error, seconds=time.perf_counter() - start,
                                   printed=figure.printed or missing, missing=missing), error is None


def _drawn(draw, *what):
    try:
        return draw(*what), None
    except PageError as error:
        return None, str(error)


def _text(untrusted, length):
    """Its last characters, such that any file or page takes them."""
    return str(untrusted)[-length:].encode("utf-8", "replace").decode()


def _bytes(rendering):
    width, height = rendering.image.size if rendering.image else (0, 0)
    return 3 * width * height + 4096


# ---------------------------------------------------------------------------------------- the shared renderer

_shared, _shared_lock = None, threading.Lock()


def shared():
    """The `Renderer` that this process shares, started at the first call and closed at exit."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Renderer()
            atexit.register(_shared.close)
    return _shared


def render(code, language="matplotlib", size=None):
    """One program -> `Rendering`, by the shared `Renderer`.

        render("import matplotlib.pyplot as plt\\nplt.plot([1, 3, 2])").image
    """
    return shared().render(code, language, size)
