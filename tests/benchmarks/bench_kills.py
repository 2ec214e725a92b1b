"""Kill what a training run depends on at random moments, and see whether anything is lost or recorded twice.

    python tests/benchmarks/bench_kills.py --kills 20 --seed 0

Each round kills one of these with SIGKILL while a run trains: the trainer (then `--resume` follows), the
process that renders, or the judge's endpoint (which comes back a second later). The run is the embedded
model on charts with a `VLMJudge` behind a local server, falling back to the embedded judge while that is
down. At the end every step must be recorded exactly once with all its rollouts, and the curve must have
every step once.

Left out: Chromium, which charts do not need (tests/render/test_chromium.py kills it), kills while evaluating
(tests/loop/test_evaluate.py), power failures.
"""
import argparse
import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from rrvf_lab import load_rollouts

VICTIMS = ("trainer", "renderer", "endpoint")


def serve(port):
    """The endpoint as a process of its own, which takes 50 ms for an answer."""
    code = (f"import sys, time; sys.path[:0] = {sys.path[:2]!r}; import bench_step; "
            f"bench_step.Endpoint(0.05, {port}); time.sleep(1e6)")
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-c", code], stdout=quiet, stderr=quiet)


def wait_for(what, seconds, process):
    deadline = time.time() + seconds
    while not what():
        if time.time() > deadline:
            raise SystemExit(f"nothing happened within {seconds} s")
        if process.poll() is not None:
            return
        time.sleep(0.05)


class Trial:
    """A run that trains, the endpoint it asks, and ways to kill each part of them."""

    def __init__(self, place, steps, port, output):
        self.folder, self.port, self.output = place / "run", port, output
        url = f"http://127.0.0.1:{port}/v1"
        judge = {"model": "m", "base_url": url, "retries": 0, "on_unscored": "pixel"}
        self.command = [sys.executable, "-m", "rrvf_lab.train", "nano", "--set", f"output={self.folder}",
                        f"steps={steps}", "prompts=1", "group=4", "micro_batch=4", "save_steps=1",
                        "test_images=null", f"judge={json.dumps(judge)}"]
        self.server, self.killed, self.resumes = serve(port), Counter(), 0
        self.train()

    def train(self, *more):
        self.run = subprocess.Popen([*self.command, *more], stdout=self.output, stderr=self.output)

    def steps(self):
        return {path.stem for path in (self.folder / "rollouts").glob("step-*.jsonl")}

    def await_step(self):
        had = len(self.steps())
        wait_for(lambda: len(self.steps()) > had, 300, self.run)

    def kill(self, victim):
        getattr(self, f"kill_{victim}")()
        self.killed[victim] += 1
        if self.run.poll() is not None:
            self.resumes += 1
            self.train("--resume")

    def kill_trainer(self):
        os.kill(self.run.pid, signal.SIGKILL)
        self.run.wait()

    def kill_renderer(self):
        for child in psutil.Process(self.run.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):  # a program that was just drawn is gone by now
                if "_zygote" in " ".join(child.cmdline()):
                    child.kill()
                    return

    def kill_endpoint(self):
        self.server.kill()
        self.server.wait()
        time.sleep(1)
        self.server = serve(self.port)


def judged(trial, steps):
    """Print what is left after all kills; whether every step is there once and whole."""
    rows = load_rollouts(trial.folder).rows
    counts = Counter(row["info"]["step"] for row in rows)
    curve = [row["step"] for row in json.loads((trial.folder / "report.json").read_text())["log"]]
    drawn = [turn["rendering"] for row in rows for turn in row["turns"] if turn.get("rendering")]
    lost = sum(one["image"] is None and "process" in (one["error"] or "") for one in drawn)
    unscored = sum(math.isnan(row["reward"]["vision"]) for row in rows)
    whole, once = set(counts.values()) == {4}, curve == list(range(1, steps + 1))
    kills = ", ".join(f"{n} {name}" for name, n in trial.killed.items())
    print(f"{sum(trial.killed.values())} kills ({kills}), {trial.resumes} resumes")
    print(f"steps recorded {len(counts)} of {steps}, each with 4 rollouts: {whole}; the curve has each step "
          f"once: {once}; renders lost: {lost}; unscored rollouts: {unscored}")
    return whole and once


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=VICTIMS)
    parser.add_argument("--port", type=int, default=8791)
    options = parser.parse_args()
    chance, steps = random.Random(options.seed), 2 * options.kills
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as ends:
        output = ends.enter_context(open(Path(place) / "output.txt", "ab"))
        trial = Trial(Path(place), steps, options.port, output)
        ends.callback(lambda: trial.server.kill())
        for k in range(options.kills):
            trial.await_step()
            time.sleep(chance.uniform(0, 3))  # wherever it is by then: loading, sampling, rendering, saving
            victim = options.only or chance.choice(VICTIMS)
            if trial.run.poll() == 0:
                break
            trial.kill(victim)
            print(f"{k + 1}: killed the {victim} after {len(trial.steps())} steps", flush=True)
        if trial.run.wait() != 0:
            said = (Path(place) / "output.txt").read_text()[-3000:]
            raise SystemExit(f"the run ended with {trial.run.returncode}:\n{said}")
        if not judged(trial, steps):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
