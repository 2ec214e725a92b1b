"""How long the run browser takes over many recorded rollouts.

    python tests/benchmarks/bench_runs.py --rollouts 50000

A synthetic run is written into a temporary folder (real rows of 64 to a step, two drafts of about 1.2 kB
each, shared pictures), then opened by a fresh process. Wall and CPU seconds: opening cold (with the imports
of ipywidgets and plotly), opening again, every filter and order with a page of pictures. Other work on the
machine shows in the wall times. """
import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image


def write(folder, n):
    from dataclasses import replace

    from rrvf_lab.judge import Verdict
    from rrvf_lab.records import Recorder
    from rrvf_lab.render import Rendering
    from rrvf_lab.reward import reward
    from rrvf_lab.rollout import Rollout, Turn

    random = np.random.default_rng(0)
    recorder = Recorder(folder / "rollouts")
    noise = random.integers(0, 255, (40, 30, 40, 3), np.uint8)
    pictures = [Image.fromarray(one).resize((400, 300), Image.Resampling.NEAREST) for one in noise]
    code = "import matplotlib.pyplot as plt\n" + "ax.set_title('some text of a program')\n" * 12

    def turn(k):
        if random.random() < 0.2:
            failed = Rendering(None, "SyntaxError", 0.1)
            return Turn("thought", code + str(k), failed, Verdict(0.0, "Failed"), code, "render", "run: x")
        score = float(random.random())
        drawn = Rendering(pictures[k % 40], None, 0.1, flags=("reads /proc",) * (k % 500 == 0))
        verdict = Verdict(score, "Too small. Grid differs.", dict.fromkeys("abcdefghij", score), "why")
        return Turn("thought", code + str(random.integers(3)), drawn, verdict, code, "render")

    for step in range(-(-n // 64)):
        rollouts = []
        for i in range(min(64, n - 64 * step)):
            info = {"step": step + 1, "group": i // 8, "advantage": float(random.normal())}
            turns = turn(64 * step + i), turn(i)
            name = f"train-{i // 8:04d}"
            r = Rollout(pictures[i // 8], "matplotlib", turns, "turn 1", i % 2, None, name, info)
            rollouts.append(replace(r, reward=reward(r)))
        recorder.write(f"step-{step + 1:06d}", rollouts)


async def measure(folder):
    started, cpu, out = time.perf_counter(), time.process_time(), {}

    def lap(name):
        nonlocal started, cpu
        out[name] = round(time.perf_counter() - started, 3), round(time.process_time() - cpu, 3)
        started, cpu = time.perf_counter(), time.process_time()

    import rrvf_lab as rl
    from rrvf_lab.training.runs import ORDERS, ROLLOUT_KINDS
    lap("import rrvf_lab")
    run = rl.Run(folder)
    lap("index")
    view = rl.inspect_run(run)
    lap("widget, with the import of ipywidgets")
    await view.curves.task
    lap("its curves, with the import of plotly, after the rest is shown")
    await rl.inspect_run(folder).curves.task
    lap("index, widget and curves again")
    for kind in ROLLOUT_KINDS:
        view.kind.value = kind
    lap(f"widget: {len(ROLLOUT_KINDS)} filters, each with its page of pictures")
    for order in ORDERS:
        view.order.value = order
    lap(f"widget: {len(ORDERS)} orders, each with its page of pictures")
    slowest = 0.0
    for kind in ROLLOUT_KINDS:
        for order in ORDERS:
            began = time.perf_counter()
            run.find(kind, order, image="00")
            slowest = max(slowest, time.perf_counter() - began)
    lap(f"find: all {len(ROLLOUT_KINDS) * len(ORDERS)} pairs with a text; slowest {slowest:.3f} s")
    run.refresh()
    lap("refresh with nothing new")
    out["rollouts"] = len(run)
    print(json.dumps(out))


def opened(folder):
    """{what: (wall, CPU seconds)} of a fresh process that opens this run, and how many rollouts it has."""
    command = [sys.executable, __file__, "--open", folder]
    done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(done.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rollouts", type=int, default=50_000)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.open:
        return asyncio.run(measure(args.open))
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), args.rollouts)
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.jsonl")) / 1e6
        out = opened(folder)
    print(f"{out.pop('rollouts'):,} rollouts, {size:.0f} MB of JSON lines")
    for name, (wall, cpu) in out.items():
        print(f"{wall:8.3f} s wall  {cpu:8.3f} s CPU  {name}")


if __name__ == "__main__":
    main()
