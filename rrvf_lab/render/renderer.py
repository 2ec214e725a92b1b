"""Turn programs into pictures: code + language -> `Rendering`, many at a time, from warm isolated processes.

A program that fails is a `Rendering` without an image and with the end of its own traceback, never an
exception. Programs run in the jail that `sandbox` found (see `doctor`); limits are CPU time and memory, so a
busy machine does not turn a good program into a failure. The picture is the figure saved last, else the
current figure. Pixels are whatever the program painted: nothing here can tell an honest chart from a forged
one, `flags` only name the crude attempts.
"""

import ast
import atexit
import concurrent.futures
import dataclasses
import hashlib
import os
import re
import threading
import time
from collections import OrderedDict

from . import chromium as browser
from . import sandbox
from .rendering import Rendering

CACHE_BYTES = 256 * 2**20
# programs that profit from a lane with these loaded
HEAVY = re.compile(r"\b(pandas|scipy|seaborn|sklearn|networkx)\b")


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
        self.languages = {"matplotlib": self._in_sandbox, "plotly": self._plotly, "svg": self._in_sandbox,
                          "html": self._html}
        self._cache, self._cached_bytes = OrderedDict(), 0
        self._fresh()

    def _fresh(self):
        self._pid, self._jail, self._lanes, self._closed = os.getpid(), None, {}, False
        self._safe = False                       # whether its first jail was; none that replaces it may be less
        self._lock, self._jail_lock, self._serial = threading.Lock(), threading.Lock(), threading.Lock()
        self._browser = browser.Browser(self.workers, self.timeout, self.memory)         # starts when first needed
        self._pool = concurrent.futures.ThreadPoolExecutor(self.workers, "render") if self.workers else None
        self._pending = {}

    def render(self, code, language="matplotlib", size=None):
        """One program -> `Rendering`. `size=(width, height)` in pixels scales the figure; None keeps its own
        size.

        Raises ValueError only for an unknown language or an impossible size, never for the program.
        """
        return self._take(self._submit(code, language, size))

    def map(self, codes, language="matplotlib", size=None):
        """Programs -> list of `Rendering` in the same order, `workers` at a time."""
        return [self._take(job) for job in [self._submit(code, language, size) for code in codes]]

    @property
    def isolation(self):
        """What keeps this Renderer's programs in -> `sandbox.Isolation`; starts its render process if none runs yet.

        Raises RuntimeError when none can be started.
        """
        if self._pid != os.getpid():
            self._fresh()
        with self._jail_lock:
            if self._closed:
                raise RuntimeError("this Renderer is closed; make a new one")
            return sandbox.isolation_of(self._running_jail())

    def close(self):
        """End all processes. Renders still running come back as failed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._pid == os.getpid():
            with self._jail_lock:
                self._end_jail()
            self._browser.close()
            if self._pool:
                self._pool.shutdown(cancel_futures=True)
            for lane in sum(self._lanes.values(), []):
                lane.close()

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
            size = tuple(int(n) for n in size)
            if len(size) != 2 or min(size) < 1 or size[0] * size[1] > sandbox.MAX_PIXELS:
                raise ValueError(f"size={size}: needs (width, height), both above 0 and their product at "
                                 f"most {sandbox.MAX_PIXELS}")
        key = hashlib.sha256(repr((language, size)).encode() + code.encode("utf-8", "surrogatepass")).digest()
        if self._pid != os.getpid():             # after a fork threads, locks and processes are the parent's
            self._fresh()
        with self._lock:
            if self._closed:
                raise RuntimeError("this Renderer is closed; make a new one")
            if key in self._cache:
                self._cache.move_to_end(key)
                future = concurrent.futures.Future()
                future.set_result(self._cache[key])
                return future, True
            if key in self._pending:
                return self._pending[key], True
            if self._pool:
                future = self._pending[key] = self._pool.submit(self._job, key, code, language, size)
                return future, False
        with self._serial:
            future = concurrent.futures.Future()
            future.set_result(self._job(key, code, language, size))
            return future, False

    def _take(self, submitted):
        future, known = submitted
        try:
            rendering = future.result()
        except concurrent.futures.CancelledError:
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

    # -------------------------------------------------------------------------------- programs in the sandbox

    def _lane(self, heavy):
        """A free lane, else a new one, from a new jail when the old one is gone."""
        with self._jail_lock:
            if self._closed:
                raise OSError("the Renderer was closed")
            if self._lanes.get(heavy):
                return self._lanes[heavy].pop()
            try:
                return self._running_jail().lane(heavy)
            except OSError:
                self._end_jail()
                return self._running_jail().lane(heavy)

    def _running_jail(self):
        """The jail, started when there is none; never one that is weaker than the first. Needs `_jail_lock`."""
        if self._jail is None:
            jail = sandbox.Jail(self.memory)
            if self._safe and not jail.safe:
                jail.close()
                raise OSError("a new one would be less isolated than the first; " + "; ".join(jail.reasons))
            self._jail, self._safe = jail, jail.safe
        return self._jail

    def _end_jail(self):
        jail, self._jail = self._jail, None
        if jail:
            jail.close()

    def _in_sandbox(self, code, language, size):
        """(rendering, may it be kept): run it in a lane; once more if the lane, not the program, failed."""
        start, heavy = time.perf_counter(), language == "plotly" or bool(HEAVY.search(code))
        for _ in range(2):
            try:
                lane = self._lane(heavy)
            except OSError as error:
                outcome = sandbox.Outcome(f"no render process: {error}", None, None, 0.0, 0.0, lost=True)
                break
            outcome = sandbox.run(lane, code, language, self.timeout, max(120.0, 12 * self.timeout), size)
            with self._jail_lock:
                self._lanes.setdefault(heavy, []).append(lane)
                if not outcome.lost:
                    break
                for free in self._lanes.values():        # whatever took this lane may have taken the others
                    while free:
                        free.pop().close()
                if self._jail and not self._jail.alive():
                    self._end_jail()
        report = outcome.report or {}
        error = outcome.status or report.get("error")
        image = None
        if outcome.pixels and not error:
            from PIL import Image
            image = Image.frombytes("RGB", (report["width"], report["height"]), outcome.pixels)
        if image is None and not error:
            error = "the program came back without a picture"
        flags = suspicious(code, language)
        if report.get("patched"):
            flags = tuple(sorted({*flags, "patches the renderer"}))
        rendering = Rendering(image, error and _text(error, 4000), time.perf_counter() - start, language,
                              outcome.cpu, _text(report.get("printed", ""), 2000), flags)
        return rendering, not outcome.lost and not outcome.status

    # ---------------------------------------------------------------------------- pages and figures in Chromium

    def _html(self, code, language, size):
        start = time.perf_counter()
        image, error = _drawn(self._browser.html, code, size)
        return Rendering(image, error, time.perf_counter() - start, language), error is None

    def _plotly(self, code, language, size):
        """The program runs in the sandbox; its figure comes back as JSON (in a row of pixels), Chromium draws it."""
        start = time.perf_counter()
        figure, keep = self._in_sandbox(code, language, None)
        if figure.image is None:
            return figure, keep
        image, error = _drawn(self._browser.plotly, figure.image.tobytes(), size)
        return dataclasses.replace(figure, image=image, error=error, seconds=time.perf_counter() - start), error is None


def _drawn(draw, *what):
    try:
        return draw(*what), None
    except browser.PageError as error:
        return None, str(error)


_PAINTERS = {"FigureCanvasAgg", "FigureCanvasBase", "FigureCanvas", "RendererAgg"}
_PAINTING = {"buffer_rgba", "print_figure", "print_raw", "print_rgba", "print_png", "get_renderer", "savefig",
             "draw"}
_INNER = {"ctypes", "_ctypes"}
_SYSTEM = {"_getframe", "pwrite", "_exit", "memfd_create", "sendmsg", "dup2"}


def suspicious(code, language="matplotlib"):
    """Words for what an honest program has no need of -> tuple, most often empty. Easy to evade: a hint, not
    a defence.

    "patches the renderer", "reaches below Python", "reads /proc", "holds an embedded picture".
    """
    if language not in ("matplotlib", "plotly"):
        return ()
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found = set()
    numbers = 0
    for node in nodes:
        if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Attribute) and t.attr in _PAINTING and getattr(t.value, "id", "") != "self"
                for t in node.targets):
            found.add("patches the renderer")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr" and any(
                isinstance(a, ast.Constant) and a.value in _PAINTING for a in node.args):
            found.add("patches the renderer")
        elif isinstance(node, ast.ClassDef) and any(
                getattr(b, "id", getattr(b, "attr", "")) in _PAINTERS for b in node.bases):
            found.add("patches the renderer")
        elif isinstance(node, ast.Import) and any(a.name.split(".")[0] in _INNER for a in node.names):
            found.add("reaches below Python")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _INNER:
            found.add("reaches below Python")
        elif isinstance(node, ast.Attribute) and node.attr in _SYSTEM:
            found.add("reaches below Python")
        elif isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, str) and value.startswith("/proc"):
                found.add("reads /proc")
            if isinstance(value, (str, bytes)) and len(value) > 4000:
                found.add("holds an embedded picture")
            numbers += isinstance(value, (int, float))
    if numbers > 3000:
        found.add("holds an embedded picture")
    return tuple(sorted(found))


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
