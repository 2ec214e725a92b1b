"""How fast is all of it on this machine? One table, measured side by side, in under ten minutes.

    make bench                       a table for the README, and runs/bench.json
    make bench ARGS=--quick          the same on fewer inputs
    make bench BASE=a1b2c3d          this tree against that commit, by turns: what differs by more than noise

    python tests/benchmarks/bench.py --only judge runs --out /tmp/bench.json

What is measured stands in the other programs of this folder (`bench_render`, `bench_browser`, `bench_judge`,
`bench_step`, `bench_runs`, `bench_diagnose`); each part runs in a process of its own. Where there is a usual
way it takes turns with ours round by round, so that other load meets both alike, and the ratio is the median
of the rounds' ratios, with the lowest and the highest. With a base its commit is checked out into a temporary
folder, gets the programs and inputs of this tree, and both run in turns: A B A B A B. A difference counts
where all rounds of one lie beyond all of the other, by more than the rounds of either lie apart.

Left out: the network, GPUs, other machines (compare ratios, never milliseconds, across two), and whether
results are right.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
BUSY = 0.25  # of the cores: a load average at the start from which wall times say little
LEAST = 0.02  # of a value: what differs by less is the same
VERSIONS = "torch transformers trl matplotlib plotly numpy pillow playwright kaleido".split()
SAME_INPUTS = ("tests/benchmarks", "tests/programs", "tests/makers.py", "tests/render/drawings.py")


def row(name, values, unit="CPU ms", usual=None, way=""):
    """One line of the table: our value in each round, and that of the usual `way` in the same round."""
    return {"name": name, "values": [float(v) for v in values], "unit": unit, "way": way,
            "usual": usual and [float(v) for v in usual]}


# ---- the parts: each gives rows --------------------------------------------------------------------------

def programs(quick):
    """Renders of matplotlib beside a fresh process."""
    import bench_render

    rounds, chosen = (2, bench_render.PROGRAMS[:6]) if quick else (5, bench_render.PROGRAMS)
    renderer = bench_render.make(bench_render.CORES, "bwrap")
    ours, usual = ([], []), ([], [])
    for n in range(rounds):
        for (wall, cpu), run in ((usual, lambda: bench_render.fresh(chosen)),
                                 (ours, lambda n=n: bench_render.warm(renderer, chosen, n))):
            start = time.perf_counter()
            cpu.append(1000 * run() / len(chosen))
            wall.append(1000 * (time.perf_counter() - start) / len(chosen))
    floor = [1000 * statistics.mean(bench_render.floor(chosen)) for _ in range(2)]
    edit = _edits(renderer, 10 if quick else 30)
    renderer.close()
    return [row("matplotlib, a render", ours[0], "wall ms", usual[0], "fresh process"),
            row("matplotlib, a render", ours[1], "CPU ms", usual[1], "fresh process"),
            row("matplotlib, build and draw alone", floor),
            row("an edit to its picture and score", edit, "wall ms")]


def _edits(renderer, n):
    """Wall milliseconds of one small edit after the other, each rendered and judged."""
    from rrvf_lab.judge import PixelJudge

    chart = "import matplotlib.pyplot as plt\nplt.bar(list('abcd'), [{}, 2, 3, 4])\nplt.title('Sales')"
    judge, target, took = PixelJudge(), renderer.render(chart.format(4)).image, []
    for i in range(n + 1):
        start = time.perf_counter()
        judge(target, renderer.render(chart.format(5 + i)).image)
        took.append(1000 * (time.perf_counter() - start))
    return took[1:]  # the first takes the target apart


class Drawn:
    """The whole way of this project from a drawing to its picture, never out of the cache."""

    def __init__(self, workers):
        from rrvf_lab.render import Renderer

        self.renderer, self.rounds = Renderer(workers), 0

    def __call__(self, codes):
        self.rounds += 1
        self.renderer.map([f"{code}<!-- {self.rounds} -->" for code in codes], "svg")

    def close(self):
        self.renderer.close()


def browser(quick):
    """Renders of html and svg beside a new context for each, and of plotly beside kaleido."""
    import bench_browser as bb

    sys.path.append(str(ROOT / "tests" / "render"))
    from drawings import drawings

    n, rounds = (6, 2) if quick else (12, 4)
    pages = [bb.maker("pages").code("pages", "benchmark", i) for i in range(n)]
    figures = [figure.to_json().encode() for figure in bb.figures()[:n]]
    try:
        usual = bb.WithKaleido()
    except ImportError:
        usual = None
    some = list(drawings().values())[::7][:n]
    asked = [json.loads(figure) for figure in figures]
    races = (("html, a page", "new context", bb.NewContext(2), pages, bb.Kept(2, "html"), pages),
             ("svg, a drawing", "new context", bb.NewContext(2), some, Drawn(2), some),
             ("plotly, a figure", "kaleido", usual, asked, bb.Kept(2, "plotly"), figures))
    rows = []
    for name, way, theirs, their_items, ours, items in races:
        ways = {"usual": theirs, "ours": ours} if theirs else {"ours": ours}
        wall, cpu = bb.timed(ways, {"usual": their_items, "ours": items}, rounds)
        for unit, spent in (("wall ms", wall), ("CPU ms", cpu)):
            mine, other = ([1000 * s for s in spent.get(key, [])] for key in ("ours", "usual"))
            rows.append(row(name, mine, unit, other or None, way if theirs else f"{way}: not installed"))
    return rows


def judge(quick):
    """The judge's CPU time for a pair, and for a target that it has not seen."""
    import bench_judge

    from rrvf_lab.judge import PixelJudge
    from rrvf_lab.render import Renderer

    rows = []
    with Renderer(timeout=60) as renderer:
        for name, split, domain in (("charts", "train", "charts"), ("plotly", "test", "plotly"),
                                    ("pages", "test", "pages")):
            ladders = list(bench_judge.DOMAINS[split][domain][0](2 if quick else 4, split, renderer))
            rounds = [bench_judge.measure(ladders, PixelJudge())[3:] for _ in range(2 if quick else 4)]
            pair, fresh = ([statistics.median(part[k]) for part in rounds] for k in (0, 1))
            rows += [row(f"judge, {name}, a pair", pair), row(f"judge, {name}, a new target", fresh)]
    return rows


def step(quick):
    """A GRPO step of nano by phase, beside stock TRL in every other step."""
    import bench_step

    prompts, steps = (2, 4) if quick else (8, 6)
    done = bench_step.alternated(steps, prompts)
    phases = ("wall", *bench_step.PHASES)
    ours, stock = ([s for s in done if s["ours"] == kind] for kind in (True, False))
    for s in done:
        s["rest"] = s["wall"] - sum(s[phase] for phase in bench_step.PHASES)
    return [row(f"nano step, {8 * prompts} rollouts, {'whole' if phase == 'wall' else phase}",
                [s[phase] for s in ours], "wall s", [s[phase] for s in stock], "stock TRL")
            for phase in (*phases, "rest")]


def evaluation(quick):
    """An evaluation of held-out charts, three turns each, with nothing rendered or judged before."""
    import rrvf_lab as rl
    from rrvf_lab.judge import PixelJudge

    n = 16 if quick else 160
    policy, images = rl.load_policy("nano"), rl.load_images("data/charts/test").select(range(n))
    wall, cpu = [], []
    for some in (images.select(range(2)), images, images):
        with rl.Renderer() as renderer:  # its own: the shared one would know all programs in the next round
            renderer.render("")  # starts it
            start, before = time.perf_counter(), time.process_time()
            rl.evaluate(policy, some, renderer=renderer, judge=PixelJudge())
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - before)
    return [row(f"evaluation, {n} charts, three turns", wall[1:], "wall s"),
            row(f"evaluation, {n} charts, without the renderer", cpu[1:], "CPU s")]


def runs(quick):
    """Opening a long run, and diagnosing a shorter one."""
    import bench_diagnose
    import bench_runs

    rows = []
    for n, what in zip((5_000, 1_000) if quick else (50_000, 10_000), ("index", "diagnose"), strict=True):
        with tempfile.TemporaryDirectory() as folder:
            bench_runs.write(Path(folder), n)
            if what == "index":
                found = [bench_runs.opened(folder) for _ in range(2)]
                names = {"index": f"{n:,} rollouts, opened",
                         "index, widget and curves again": f"{n:,} rollouts, run browser again"}
            else:
                found = [bench_diagnose.opened("alone", folder) for _ in range(2)]
                names = {"diagnose": f"{n:,} rollouts, diagnosed"}
            rows += [row(name, [one[key][1] for one in found], "CPU s") for key, name in names.items()]
    return rows


def imports(quick):
    """What `import rrvf_lab` costs a fresh process, less what Python alone does."""
    took = {"": [], "import rrvf_lab": []}
    for _ in range(3 if quick else 7):
        for code, spent in took.items():
            before = sum(os.times()[2:4])  # of children that ended
            subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
            spent.append(sum(os.times()[2:4]) - before)
    bare = statistics.median(took[""])
    return [row("import rrvf_lab", [1000 * (s - bare) for s in took["import rrvf_lab"]])]


PARTS = {part.__name__: part for part in (imports, programs, browser, judge, runs, evaluation, step)}


# ---- the table, and two commits --------------------------------------------------------------------------

def ratio(one):
    """(median, lowest, highest) of usual / ours round by round, or None."""
    if not one["usual"]:
        return None
    each = [theirs / ours for ours, theirs in zip(one["values"], one["usual"], strict=False) if ours > 0]
    return (statistics.median(each), min(each), max(each)) if each else None


def table(rows):
    """A Markdown table of rows."""
    lines = ["| | ours | | the usual way | | times |", "|---|--:|---|---|--:|--:|"]
    for one in rows:
        times, usual = ratio(one), one["usual"]
        cells = [one["name"], _short(statistics.median(one["values"])), one["unit"], one["way"],
                 _short(statistics.median(usual)) if usual else "",
                 f"{times[0]:.1f} ({times[1]:.1f} to {times[2]:.1f})" if times else ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def exceeds(before, after):
    """Whether the rounds of two commits differ by more than their noise.

    Two rounds or more of each: the ranges lie apart by more than the wider of them, and the medians by LEAST.
    """
    if min(len(before), len(after)) < 2:
        return False
    gap = max(min(after) - max(before), min(before) - max(after))
    widest = max(max(before) - min(before), max(after) - min(after))
    moved = abs(statistics.median(after) - statistics.median(before))
    return gap > widest and moved > LEAST * abs(statistics.median(before))


def compared(base, ours):
    """A Markdown table of two commits from {(name, unit): medians of the rounds} each."""
    lines = ["| | base | now | | change | |", "|---|--:|--:|---|--:|---|"]
    for name, unit in [*ours, *(key for key in base if key not in ours)]:
        before, after = base.get((name, unit), []), ours.get((name, unit), [])
        middles = [statistics.median(part) if part else None for part in (before, after)]
        change = f"{100 * (middles[1] / middles[0] - 1):+.0f} %" if None not in middles and middles[0] else ""
        said = "" if change else "not measured in both"
        if exceeds(before, after):
            said = "**slower**" if middles[1] > middles[0] else "**faster**"
        shown = " | ".join("" if m is None else f"{_short(m)} ({_short(min(p))} to {_short(max(p))})"
                           for m, p in zip(middles, (before, after), strict=True))
        lines.append(f"| {name} | {shown} | {unit} | {change} | {said} |")
    return "\n".join(lines)


# ---- running them ----------------------------------------------------------------------------------------

def measured(name, root, quick):
    """The rows of a part in a fresh process of the tree at `root`; none, and a line of why, if it fails."""
    command = [sys.executable, str(root / "tests" / "benchmarks" / "bench.py"), "--part", name]
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))  # kaleido may lie there
    env = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": paths}
    start = time.perf_counter()
    done = subprocess.run(command + ["--quick"] * quick, cwd=root, env=env, capture_output=True, text=True)
    last = [line for line in (done.stderr if done.returncode else done.stdout).splitlines() if line.strip()]
    print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    if done.returncode:
        print(f"  failed: {last[-1] if last else 'without a word'}", file=sys.stderr, flush=True)
        return []
    return json.loads(last[-1])


def checked_out(commit, folder):
    """A worktree of a commit with the measuring programs and inputs of this tree."""
    subprocess.run(["git", "worktree", "add", "--detach", "--quiet", folder, commit], cwd=ROOT, check=True)
    for path in SAME_INPUTS:
        here, there = ROOT / path, Path(folder) / path
        if here.is_dir():
            shutil.copytree(here, there, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(here, there)


def by_turns(commit, parts, quick, rounds):
    """({(name, unit): medians} of the commit, the same of this tree), measured A B A B ..."""
    found = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        try:
            checked_out(commit, str(base))
            for name in parts:
                for _ in range(rounds):
                    for root, rows in zip((base, ROOT), found, strict=True):
                        for one in measured(name, root, quick):
                            key = one["name"], one["unit"]
                            rows.setdefault(key, []).append(statistics.median(one["values"]))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(base)], cwd=ROOT, check=False)
    return found


def machine():
    """What a number depends on: versions, cores, load at the start."""
    def version(name):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"date": datetime.date.today().isoformat(), "commit": commit.stdout.strip(), "cores": cores,
            "load": os.getloadavg()[0], "python": platform.python_version(), "system": platform.platform(),
            "versions": {name: version(name) for name in VERSIONS}}


def busy(told):
    """A warning where something else has the machine, else nothing."""
    if told["load"] <= BUSY * told["cores"]:
        return ""
    return (f"This machine is busy: load {told['load']:.1f} on {told['cores']} cores at the start. Wall "
            "times are too long; CPU times and ratios are less wrong.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer inputs and rounds")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--base", help="a commit to compare this tree with")
    parser.add_argument("--rounds", type=int, default=3, help="with --base: so many runs of each")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "bench.json")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        return print(json.dumps(PARTS[options.part](options.quick)))
    told, start = machine(), time.perf_counter()
    warning = busy(told)
    print(warning, file=sys.stderr)
    if options.base:
        base, ours = by_turns(options.base, options.only, options.quick, options.rounds)
        shown, found = compared(base, ours), [{"name": name, "unit": unit, "base": base.get((name, unit)),
                                               "now": values} for (name, unit), values in ours.items()]
    else:
        found = [one for name in options.only for one in measured(name, ROOT, options.quick)]
        shown = table(found)
    told |= {"seconds": time.perf_counter() - start, "base": options.base, "quick": options.quick}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told | {"rows": found}, indent=1) + "\n")
    print(f"{shown}\n\n{told['date']}, {told['commit']}, {told['cores']} cores, load {told['load']:.1f} at "
          f"the start, Python {told['python']}, {told['seconds']:.0f} s; medians, lowest and highest in "
          f"brackets. {warning}")


if __name__ == "__main__":
    main()
