"""How many charts a second? The warm renderer against a fresh `python script.py` for each program, as is
usual.

    python tests/benchmarks/bench_render.py [rounds]

All ways take turns, round by round, on the same 16 programs of `tests/programs`, so that other load on the
machine meets them alike; trust the ratios and the CPU times, not the wall times. CPU counts every process:
caller, zygote, children.

Left out: html, svg and plotly, for which see `bench_browser.py`.
"""

import concurrent.futures
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from rrvf_lab.render import Renderer, sandbox

NAMES = ("line_basic bar_basic bar_grouped bar_stacked scatter_sizes pie_explode heatmap_text hist_density "
         "boxplot_notched radar_chart stackplot_stream six_panels surface_3d contour_labels twin_axes "
         "pandas_bars").split()
PROGRAMS = [(Path(__file__).parents[1] / "programs" / f"{name}.py").read_text() for name in NAMES]
CORES = len(os.sched_getaffinity(0))
SAVE = "\nimport matplotlib.pyplot as plt\nplt.gcf().savefig('picture.png')\n"
BUILD_AND_DRAW = """
import json, sys, time, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt, pandas, mpl_toolkits.mplot3d
from matplotlib.figure import Figure
Figure.savefig = lambda self, *a, **k: None
matplotlib.backend_bases.FigureCanvasBase.draw_idle = lambda self, *a, **k: None
times = []
for code in json.load(sys.stdin):
    for _ in range(2):
        start = time.process_time()
        exec(code, {"__name__": "__main__"})
        plt.gcf().canvas.draw()
        spent = time.process_time() - start
        plt.close("all")
        matplotlib.rcdefaults()
    times.append(spent)
print(json.dumps(times))
"""


def own_cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def tree_cpu(pid):
    """CPU seconds of a process, its living descendants and those they waited for."""
    parents, spent = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry)], spent[int(entry)] = int(fields[1]), sum(map(int, fields[11:15]))
    wanted, total = {pid}, 0
    for child in sorted(parents):
        if child in wanted or parents[child] in wanted:
            wanted.add(child)
            total += spent[child]
    return total / os.sysconf("SC_CLK_TCK")


def fresh(programs):
    """A Python process per program, two at a time on two cores, that writes a PNG."""
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        os.makedirs(f"{folder}/out")

        def one(item):
            n, code = item
            path = Path(folder, f"program{n}.py")
            path.write_text(code if "savefig" in code else code + SAVE)
            subprocess.run([sys.executable, path], cwd=folder, check=True, capture_output=True,
                           env={**os.environ, "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"})

        before = own_cpu()
        list(pool.map(one, enumerate(programs)))
        return own_cpu() - before


def warm(renderer, programs, stamp):
    pid = renderer._lanes.jail.process.pid
    before = own_cpu() + tree_cpu(pid)
    renderings = renderer.map([f"{code}\n# {stamp}" for code in programs])       # never from the cache
    failed = [r.error for r in renderings if r.image is None]
    if failed:
        raise SystemExit(f"a program failed: {failed[0]}")
    return own_cpu() + tree_cpu(pid) - before


def make(workers, mode):
    sandbox.MODES, before = (mode,), sandbox.MODES
    renderer = Renderer(workers)
    start = time.perf_counter()
    for code in ("import matplotlib.pyplot as plt; plt.plot([1])", "import pandas"):     # both kinds of lane
        renderer.map([code + "#" * n for n in range(max(workers, 1))])
    print(f"start of a renderer, {mode}, {workers} workers: {time.perf_counter() - start:.1f} s")
    sandbox.MODES = before
    return renderer


def floor(programs):
    """CPU seconds that building and drawing each program takes in a process that is warm and not isolated."""
    done = subprocess.run([sys.executable, "-c", BUILD_AND_DRAW], input=json.dumps(programs), text=True,
                          capture_output=True, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    return json.loads(done.stdout)


def main(rounds=3):
    ways = {
        "fresh process": None,
        f"warm, {CORES} workers": make(CORES, "bwrap"),
        "warm, 1 worker": make(1, "bwrap"),
        "warm, no isolation": make(CORES, "bare"),
    }
    wall, cpu = {name: [] for name in ways}, {name: [] for name in ways}
    for n in range(rounds):
        for name, renderer in ways.items():
            start = time.perf_counter()
            cpu[name].append(
                (fresh(PROGRAMS) if renderer is None else warm(renderer, PROGRAMS, n)) / len(PROGRAMS)
            )
            wall[name].append((time.perf_counter() - start) / len(PROGRAMS))
    small = [
        "import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3))\n"
        f"plt.bar(list('abcd'), [{i}, 2, 3, 4])\n"
        "plt.title('Sales')"
        for i in range(100)
    ]
    renderer = ways[f"warm, {CORES} workers"]
    start = time.perf_counter()
    spent = warm(renderer, small, "small")
    small_wall = (time.perf_counter() - start) / len(small)
    for renderer in ways.values():
        if renderer:
            renderer.close()
    least = statistics.mean(floor(PROGRAMS))
    base_wall, base_cpu = (statistics.median(v["fresh process"]) for v in (wall, cpu))
    print(
        f"\n{len(PROGRAMS)} programs x {rounds} rounds, {CORES} cores, load {os.getloadavg()[0]:.1f}; medians"
    )
    print(f"{'':24} {'renders/s':>10} {'wall ms':>9} {'CPU ms':>8} {'faster':>8} {'less CPU':>9}")
    for name in ways:
        w, c = statistics.median(wall[name]), statistics.median(cpu[name])
        print(
            f"{name:24} {1 / w:10.2f} {1000 * w:9.0f} {1000 * c:8.0f} {base_wall / w:7.1f}x "
            f"{base_cpu / c:8.1f}x"
        )
    isolated, bare = (statistics.median(cpu[k]) for k in (f"warm, {CORES} workers", "warm, no isolation"))
    print(f"build and draw in a warm process: {1000 * least:.0f} CPU ms; "
          f"a whole render takes {isolated / least:.2f} times that")
    print(f"all isolation layers: {100 * (isolated / bare - 1):+.1f} % CPU")
    print(f"100 small bar charts, 400x300: {1 / small_wall:.1f} renders/s, {10 * spent:.0f} CPU ms each")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
