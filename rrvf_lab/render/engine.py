"""One Chromium process: found on this machine, started as confined as it can be, held to its limits, ended.

It runs in a bubblewrap namespace without network and without the user's files where the machine allows that,
with its own sandbox inside where that works. A page process that uses too much CPU time or memory is ended;
so a busy machine does not fail a good page.

It does NOT protect against faults in Chromium itself: where bubblewrap does not work (macOS, many containers)
these meet only Chromium's own sandbox, and as root not even that.

Left out: pages and what is drawn on them (`page`, `plotly_page`, `chromium`), and a graphics card (3-D
figures are drawn on the CPU).
"""

import asyncio
import glob
import os
import shutil
import sys
import tempfile
import time

INSTALL = "python -m playwright install chromium"
OUTER, INNER = "bubblewrap without network and user files", "its own sandbox"
FLAGS = ("--disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --font-render-hinting=none --hide-scrollbars "
         "--force-color-profile=srgb --no-pings "
         "--force-webrtc-ip-handling-policy=disable_non_proxied_udp "
         "--enable-unsafe-swiftshader").split()                  # the last: WebGL on the CPU, for 3-D figures
EMPTY = 256                                                      # MiB that an empty Chromium process may take


class PageError(Exception):
    """A page or figure that could not become a picture; the text is for its author."""


class Lost(Exception):
    """The page's process or all of Chromium went away while it was drawing: worth a second try."""


def find_chromium():
    """Path of the Chromium to use: the system's, else Playwright's own.

    Raises RuntimeError with the command to run. Example: `find_chromium() == "/usr/bin/chromium"`.
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
    raise RuntimeError(f"no Chromium found, which html, svg and plotly need. Run: {INSTALL}")


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


def _levels(chromium):
    """The ways to start it here, strongest first: (in words, command before its own, own sandbox on)."""
    own, none = (True, INNER), (False, "no sandbox of its own")
    outer = [(OUTER, _bwrap(chromium))] if shutil.which("bwrap") else []
    outer += [("no namespace round it", [])]
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [(f"Chromium: {words}, {inner[1]}", command, inner[0]) for words, command in outer
            for inner in (own, none) if not (root and inner[0] and not command)]


class Engine:
    """Chromium, to be used from one event loop: `start`, `watched` for each page's work, `stop`.

    `timeout` is CPU seconds a page, `memory` MiB a page. Attributes: `protection` (in words, once started,
    what is round it), `chromium` (Playwright's browser or None), `pid`, `folder`.
    """

    def __init__(self, timeout=10.0, memory=1024):
        self.timeout, self.memory = timeout, memory
        self.protection = "not started"
        self.chromium = self.pid = self.folder = None
        self.ended = (0.0, "")                   # when a process was ended for using too much, and why
        self._playwright = None
        self._ways = None                        # the ways to start it left to try, strongest first

    def running(self):
        return self.chromium is not None and self.chromium.is_connected()

    async def start(self):
        """Start Chromium in the strongest way that works; later starts use that way again.

        Raises RuntimeError where there is none, PageError where it does not start.
        """
        from playwright.async_api import Error, TimeoutError, async_playwright
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        chromium = find_chromium()
        if self._ways is None:
            self._ways = _levels(chromium)
        while True:
            self.protection, command, sandbox = self._ways[0]
            try:
                self.chromium = await self._playwright.chromium.launch(
                    executable_path=self._starter([*command, chromium]), args=FLAGS, chromium_sandbox=sandbox,
                    timeout=300_000)
                self._ways = self._ways[:1]                  # never weaker than what once worked
                break
            except Error as error:
                shutil.rmtree(self.folder, ignore_errors=True)
                slow = isinstance(error, TimeoutError)       # which is no reason to be weaker
                if len(self._ways) == 1 or slow:
                    raise PageError(f"Chromium ({chromium}) does not start: {error.message[:500]}") from None
                self._ways.pop(0)
        with open(os.path.join(self.folder, "pid")) as file:
            self.pid = int(file.read())

    def _starter(self, command):
        """A script in a fresh folder: runs `command` and tells the process id, which Playwright does not."""
        self.folder = tempfile.mkdtemp(prefix="rrvf-browser-")
        path = os.path.join(self.folder, "chromium")
        quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in command)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\necho $$ > '{self.folder}/pid'\nexec {quoted} \"$@\"\n")
        os.chmod(path, 0o700)
        return path

    async def stop(self):
        """End Chromium; it may be started again."""
        chromium, self.chromium = self.chromium, None
        if chromium is not None:
            try:
                await asyncio.wait_for(chromium.close(), 30)
            except Exception:                                # it hangs or is gone: end it from outside
                self.kill()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def close(self):
        """End Chromium and Playwright for good."""
        await self.stop()
        if self._playwright is not None:
            await self._playwright.stop()

    def kill(self):
        """End all of its processes from outside."""
        import psutil
        try:
            top = psutil.Process(self.pid)
            for process in [*top.children(recursive=True), top]:
                process.kill()
        except psutil.Error:
            pass

    # ------------------------------------------------------------------------------------------------- limits

    async def watched(self, page, work):
        """Await `work` on a page; meanwhile end whichever process of Chromium uses too much CPU time or
        memory.

        Raises Lost when the page's process goes away, PageError for what hangs.
        """
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
                    raise Lost("its process ended")
                if time.monotonic() - start > longest:
                    raise PageError(f"the page was stopped after {longest:g} s")
                self._end_the_greedy(before)
        finally:
            if not work.done():
                work.cancel()

    def _end_the_greedy(self, before):
        import psutil
        try:
            processes = psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return
        for process in processes:
            try:
                reason = self._too_much(process, before)
                if reason:
                    self.ended = time.monotonic(), f"the page was stopped: it used its {reason}"
                    process.kill()
            except psutil.Error:
                continue

    def _too_much(self, process, before):
        """What a process used up, or None; `before` holds the CPU seconds each had when first seen."""
        times, memory = process.cpu_times(), process.memory_info().rss / 2**20
        used = times.user + times.system
        shared = not any(part.startswith("--type=") for part in process.cmdline())           # by all pages
        if used - before.setdefault(process.pid, used) > self.timeout and not shared:
            return f"{self.timeout:g} s of CPU time"
        if memory > self.memory + EMPTY:
            return f"{self.memory:g} MiB of memory"
        return None


def _seen(future):
    """Take note of a future's end, as its error may come when nobody waits for it any more."""
    if not future.cancelled():
        future.exception()
