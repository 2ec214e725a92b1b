"""Does the renderer last? A program of each language many times under full load, then thousands of renders in
one `Renderer`, then processes killed in the middle.

    python tests/benchmarks/bench_soak.py --identical 1000 --renders 10000 --pages 2000 --killed 200

Prints whether all pictures of a language were identical; at steps of the long runs (programs, then web pages)
the memory of the caller and of the render processes (proportional set size, so that shared pages count once),
open descriptors and processes; and how many results were lost when the zygote, then Chromium, was killed
again and again. 0 leaves a part out. It may be interrupted at any time: nothing of it goes on.

Left out: speed, and machines other than Linux.
"""

import argparse
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from makers import maker

from rrvf_lab.render import Renderer

BARS = ("import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3))\nplt.bar(list('abcd'), [1, 2, 3, 4])\n"
        "plt.title('Sales')\nplt.tight_layout()\n")


def family(pid):
    """The living descendants of a process, itself included."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def megabytes(pids):
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])
    return total / 1024


SAME = {        # one comment more in each, so that none comes from the cache
    "matplotlib": BARS + "# {}",
    "plotly": "import plotly.express as px\nfig = px.bar(x=['a', 'b'], y=[1, 3], width=400, height=300)# {}",
    "plotly, 3-D": "import plotly.graph_objects as go\nfig = go.Figure(go.Surface(z=[[1, 2], [3, 4]]))# {}",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="120"><text y="40" font-size="30">Sale'
           '</text><circle cx="90" cy="80" r="30" fill="teal"/><!-- {} --></svg>',
    "html": "<body style='font-family:sans-serif'><h1>Sales</h1><table border=1><tr><td>1<td>2</table><!--{}",
}


def same_picture(identical):
    endless = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    burners = [subprocess.Popen([sys.executable, "-c", endless]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        with Renderer() as renderer:
            for name, code in SAME.items():
                start = time.perf_counter()
                results = renderer.map([code.format(n) for n in range(identical)], name.partition(",")[0])
                digests = {hashlib.sha256(r.image.tobytes()).hexdigest() if r.image else r.error
                           for r in results}
                print(
                    f"{identical} renders of one program ({name}), {len(burners)} endless loops beside them, "
                    f"load {os.getloadavg()[0]:.1f}: {len(digests)} different result(s), "
                    f"{sum(r.image is None for r in results)} failed, "
                    f"slowest {max(r.seconds for r in results):.1f} s, "
                    f"{time.perf_counter() - start:.0f} s in all",
                    flush=True,
                )
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def long_run(renders, language, code):
    """`code(n)` is the n-th program; each is another one, so that none comes from the cache."""
    before = len(os.listdir("/proc/self/fd")), len(family(os.getpid()))
    with Renderer() as renderer:
        renderer.map([code(-n - 1) for n in range(2 * renderer.workers)], language)
        engine = renderer._browser.engine.pid if language == "html" else renderer._lanes.jail.process.pid
        print(f"\n{language:>10} {'caller MB':>10} {'engine MB':>10} {'descriptors':>12} {'processes':>10} "
              f"{'ms each':>8}")
        done, start = 0, time.perf_counter()
        while True:
            # the cache alone grows to CACHE_BYTES before the caller's memory is flat
            print(f"{done:10} {megabytes([os.getpid()]):10.0f} {megabytes(family(engine)):10.0f} "
                  f"{len(os.listdir('/proc/self/fd')):12} {len(family(engine)):10} "
                  f"{1000 * (time.perf_counter() - start) / max(1, done):8.0f}", flush=True)
            if done >= renders:
                break
            step = min(renders // 10 or 1, renders - done)
            failed = [
                r.error
                for r in renderer.map([code(done + n) for n in range(step)], language)
                if r.image is None
            ]
            if failed:
                raise SystemExit(f"{len(failed)} failed: {failed[0]}")
            done += step
    after = len(os.listdir("/proc/self/fd")), len(family(os.getpid()))
    print(f"descriptors and processes before: {before}, after close: {after}; "
          f"engine gone: {not alive(engine)}", flush=True)


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def kill_in_the_middle(killed):
    """A process is killed twice while `killed` programs are drawn; a result that fails or differs is lost."""
    page = "<body style='background:#00ff00'><h1>Sales</h1><!-- {} -->"
    victims = set()
    with Renderer() as renderer:
        for language, code, victim in (
            ("matplotlib", BARS + "# {}", lambda: renderer._lanes.jail.process.pid),
            ("html", page, lambda: renderer._browser.engine.pid),
        ):
            expected = renderer.render(code.format("first"), language).image.tobytes()
            lost, errors = 0, set()
            for part in range(2):
                codes = [code.format(f"{part} {n}") for n in range(killed // 2)]
                with ThreadPoolExecutor(1) as pool:
                    drawing = pool.submit(renderer.map, codes, language)
                    time.sleep(0.1)                                      # by then all of them wait or run
                    renderer.render(codes[len(codes) // 4], language)    # so many are done
                    for pid in family(victim()):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                        victims.add(pid)
                    results = drawing.result()
                lost += sum(r.image is None or r.image.tobytes() != expected for r in results)
                errors |= {r.error for r in results if r.error}
            print(
                f"{language}: {'Chromium' if language == 'html' else 'zygote'} killed twice during {killed} "
                "renders: "
                f"{lost} lost {errors or ''}",
                flush=True,
            )
    print(f"killed processes that are left after close: {sum(map(alive, victims))} of {len(victims)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--identical", type=int, default=1000)
    parser.add_argument("--renders", type=int, default=10000)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--killed", type=int, default=200)
    options = parser.parse_args()
    if options.identical:
        same_picture(options.identical)
    if options.renders:
        long_run(options.renders, "matplotlib", lambda n: f"{BARS}# {n}")
    if options.pages:
        long_run(options.pages, "html", lambda n: maker("pages").code("pages", "soak", n))
    if options.killed:
        kill_in_the_middle(options.killed)
