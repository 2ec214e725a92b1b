"""How many pages and plotly figures a second? Kept pages against the usual ways: a new context per page,
and kaleido.

The ways take turns, round by round, on the same inputs, so that other load on the machine meets them alike;
trust the ratios and the CPU times, not the wall times. CPU counts this process and everything it started.
All are warm, and all end with a decoded picture. The figure rows time only figure JSON -> picture; the
program that makes the figure costs the same either way. Pictures/s can also grow because a way keeps more
cores busy; pictures per CPU second cannot. Kaleido is no dependency of this project; without it its row is
left out. To include it:

    pip install --no-deps --target /tmp/kaleido kaleido choreographer logistro simplejson orjson
    export PYTHONPATH=/tmp/kaleido BROWSER_PATH=$(which chromium)
    python tests/benchmarks/bench_browser.py --n 12 --rounds 3

Left out: pages and figures that fail, 3-D figures, and the time of the first picture.
"""
import argparse
import asyncio
import concurrent.futures
import io
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path

import psutil
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from makers import maker

from rrvf_lab.render.chromium import Browser, find_chromium
from rrvf_lab.render.engine import FLAGS
from rrvf_lab.render.page import HEIGHT, WIDTH


def figures():
    """Twelve figures, one of each common kind."""
    import plotly.express as px
    import plotly.graph_objects as go
    tips, iris = px.data.tips(), px.data.iris()
    return [
        px.bar(x=list("abcd"), y=[1, 3, 2, 5], title="Bars"),
        px.scatter(iris, x="sepal_width", y="sepal_length", color="species"),
        px.histogram(tips, x="total_bill", color="sex"),
        px.box(tips, x="day", y="total_bill", color="smoker"),
        px.line(px.data.stocks(), x="date", y=["GOOG", "AAPL"]),
        px.pie(tips, values="tip", names="day"),
        go.Figure(go.Heatmap(z=[[i * j for i in range(20)] for j in range(20)])),
        px.violin(tips, y="tip", x="smoker", box=True),
        px.sunburst(tips, path=["day", "time"], values="tip"),
        px.area(px.data.gapminder(), x="year", y="pop", color="continent"),
        go.Figure(go.Contour(z=[[i * i - j * j for i in range(20)] for j in range(20)])),
        go.Figure(go.Scatterpolar(r=[1, 5, 2, 2, 3], theta=list("abcde"), fill="toself")),
    ]


class NewContext:
    """Playwright as it is mostly used: one browser, and for each page a context, `set_content`, a full
    screenshot."""

    def __init__(self, at_a_time=1):
        self.at_a_time, self.loop = at_a_time, asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.run(self.start())

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def start(self):
        from playwright.async_api import async_playwright
        self.playwright = await async_playwright().start()
        self.browser = await self.playwright.chromium.launch(executable_path=find_chromium(),
                                                             args=[*FLAGS, "--no-sandbox"])

    async def one(self, code):
        context = await self.browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, offline=True)
        page = await context.new_page()
        await page.set_content(code)
        decoded(await page.screenshot(full_page=True))
        await context.close()

    def __call__(self, codes):
        with concurrent.futures.ThreadPoolExecutor(self.at_a_time) as pool:
            list(pool.map(lambda code: self.run(self.one(code)), codes))

    def close(self):
        async def stop():
            await self.browser.close()
            await self.playwright.stop()
        self.run(stop())


class WithKaleido(NewContext):
    """Kaleido 1 as one long-lived server with one browser: its fastest way for single figures."""

    async def start(self):
        import kaleido
        self.server = kaleido.Kaleido(n=1)
        await self.server.open()

    async def one(self, figure):
        opts = {"format": "png", "width": 700, "height": 500, "scale": 1}
        decoded(await self.server.calc_fig(figure, opts=opts))

    def close(self):
        self.run(self.server.close())


def decoded(png):
    Image.open(io.BytesIO(png)).load()


class Kept:
    """This project's `Browser`, with `workers` pages at a time."""

    def __init__(self, workers, what):
        self.browser, self.what, self.workers = Browser(workers), what, workers

    def __call__(self, items):
        draw = getattr(self.browser, self.what)
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            list(pool.map(draw, items))

    def close(self):
        self.browser.close()


def cpu():
    """CPU seconds of this process and its descendants, also of those that ended: a closed context ends its
    process."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
        except psutil.Error:
            pass
    return total


def timed(ways, items, rounds):
    """(wall seconds, CPU seconds) of each way's picture, {way: one of each round}; the ways are closed."""
    n = len(items[next(iter(ways))])
    wall, spent = {name: [] for name in ways}, {name: [] for name in ways}
    for name, way in ways.items():
        way(items[name][:2])                                  # start and warm up
    for _ in range(rounds):
        for name, way in ways.items():
            start, before = time.perf_counter(), cpu()
            way(items[name])
            wall[name].append((time.perf_counter() - start) / n)
            spent[name].append((cpu() - before) / n)
    for way in ways.values():
        way.close()
    return wall, spent


def race(title, ways, items, rounds):
    n = len(items[next(iter(ways))])
    wall, spent = timed(ways, items, rounds)
    walls, spents = [
        {name: statistics.median(rounds_) for name, rounds_ in kind.items()} for kind in (wall, spent)
    ]
    usual, (one, two) = next(iter(ways)), list(ways)[-2:]
    print(
        f"\n{title}: {n} inputs x {rounds} rounds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; "
        "medians"
    )
    print(
        f"{'':34} {'pictures/s':>20} {'wall ms':>9} {'CPU ms':>8} {'pictures/s':>11} {'per CPU second':>15}"
    )
    for name in ways:
        rates = f"{1 / walls[name]:.2f} ({1 / max(wall[name]):.2f}-{1 / min(wall[name]):.2f})"
        print(f"{name:34} {rates:>20} {1000 * walls[name]:9.0f} {1000 * spents[name]:8.0f} "
              f"{walls[usual] / walls[name]:10.1f}x {spents[usual] / spents[name]:14.1f}x", flush=True)
    print(f"1 -> 2 workers: {walls[one] / walls[two]:.2f}x the pictures a second")


def main(n, rounds):
    codes = [maker("pages").code("pages", "benchmark", i) for i in range(n)]
    ways = {"html, new context per page": NewContext(), "html, new contexts, 2 at a time": NewContext(2),
            "html, kept page, 1 worker": Kept(1, "html"),
            "html, kept pages, 2 workers": Kept(2, "html")}
    race("html", ways, {name: codes for name in ways}, rounds)
    made = (figures() * (n // 12 + 1))[:n]
    texts = [figure.to_json().encode() for figure in made]
    ways, items = {}, {}
    try:
        ways["plotly, kaleido"] = WithKaleido()
        items["plotly, kaleido"] = [json.loads(text) for text in texts]
    except ImportError:
        print("\nkaleido is not installed: its row is left out (see the head of this file)")
    for workers in (1, 2):
        name = f"plotly, kept page, {workers} worker{'s' * (workers > 1)}"
        ways[name], items[name] = Kept(workers, "plotly"), texts
    race("plotly", ways, items, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=12, help="pages, and figures, in a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    main(options.n, options.rounds)
