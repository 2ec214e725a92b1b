"""What a GRPO step costs beside generation and update: this trainer against stock serial TRL, step by step
in one run.

    python tests/benchmarks/bench_step.py --steps 8
    python tests/benchmarks/bench_step.py --steps 4 --judge-seconds 1 --concurrency 16 --prompts 4

Odd steps are ours: renders and verdicts of a turn sought together as soon as its text exists, LoRA merged
while sampling, equal pictures prepared and encoded once. Even steps run what TRL does alone: each tool call
when its turn comes, nothing merged, every picture prepared and encoded again. Both use the same model,
which goes on learning, so their rollouts are alike. With `--judge-seconds` the judge is a `VLMJudge` that
asks a local OpenAI-compatible server which takes that long for each answer; the time is compared with calls
x seconds / concurrency.

Left out: real endpoints, several processes. The first step of each kind warms up and is not counted.
"""
import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from transformers import TrainerCallback
from trl import GRPOTrainer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from rrvf_lab.judge import VLMJudge
from rrvf_lab.judge.criteria import CRITERIA
from rrvf_lab.nano import distinct
from rrvf_lab.nano.prepared import Kept
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.report import PHASES
from rrvf_lab.training.trainer import RRVFTrainer


class Endpoint(ThreadingHTTPServer):
    """Answers every chat completion after `seconds` with a score that depends on the pictures; counts the
    calls."""

    daemon_threads, request_queue_size, allow_reuse_address = True, 256, True

    def __init__(self, seconds, port=0):
        self.seconds, self.calls, self.lock = seconds, 0, threading.Lock()
        super().__init__(("127.0.0.1", port), _Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.calls += 1
        time.sleep(self.server.seconds)
        share = hash(body) % 100 / 100
        scores = {name: share * points for name, (points, _) in CRITERIA["chart"].items()}
        said = json.dumps({"differences": [], "scores": scores, "sentence": "."})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def stock():
    """TRL's own way inside: nothing begun early, nothing merged, no picture prepared or encoded once for all.

    No episode is told of a turn before all are written, so each waits for its render when TRL asks for it.
    """
    ours = RRVFTrainer._generate_single_turn, distinct._distinct, Kept.get

    def timed(self, *args, **kwargs):
        started = time.perf_counter()
        made = GRPOTrainer._generate_single_turn(self, *args, **kwargs)
        self.seconds["generate"] += time.perf_counter() - started
        return made

    def each(pictures):
        return list(range(len(pictures))), list(range(len(pictures)))

    def again(self, how, image, prepare):
        return prepare(image)

    RRVFTrainer._generate_single_turn, distinct._distinct, Kept.get = timed, each, again
    try:
        yield
    finally:
        RRVFTrainer._generate_single_turn, distinct._distinct, Kept.get = ours


class Alternate(TrainerCallback):
    """Every other step is stock; the wall seconds and judge calls of each step are kept."""

    def __init__(self, endpoint):
        self.endpoint, self.steps, self.inside = endpoint, [], None

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step % 2:
            self.inside = stock()
            self.inside.__enter__()
        self.started, self.before = time.perf_counter(), self.endpoint.calls if self.endpoint else 0

    def on_step_end(self, args, state, control, **kwargs):
        calls = self.endpoint.calls - self.before if self.endpoint else 0
        wall = time.perf_counter() - self.started
        self.steps.append({"ours": self.inside is None, "wall": wall, "calls": calls})
        if self.inside:
            self.inside.__exit__(None, None, None)
            self.inside = None


def alternated(steps, prompts, judge=None, endpoint=None):
    """The seconds of so many steps by turns, ours and stock: [{"ours", "wall", "calls", each of PHASES}]."""
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig.load("nano", steps=steps + 2, prompts=prompts,
                                  output=str(Path(folder) / "run"), test_images=None, save_steps=1000)
        trainer = make_trainer(config, judge=judge)
        alternate = Alternate(endpoint)
        trainer.add_callback(alternate)
        trainer.train()
        rows = [row for row in trainer.state.log_history if "seconds/generate" in row]
    for step, row in zip(alternate.steps, rows, strict=True):
        step |= {phase: row[f"seconds/{phase}"] for phase in PHASES}
    return alternate.steps[2:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--steps", type=int, default=8, help="of both kinds together")
    parser.add_argument("--prompts", type=int, default=8, help="images in a step; 8 rollouts of each")
    parser.add_argument("--judge-seconds", type=float, help="ask a local endpoint that takes this long")
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    endpoint = Endpoint(options.judge_seconds) if options.judge_seconds else None
    judge = VLMJudge("m", endpoint.url, concurrency=options.concurrency) if endpoint else None
    steps = alternated(options.steps, options.prompts, judge, endpoint)
    ours, theirs = ([s for s in steps if s["ours"] == kind] for kind in (True, False))
    middle = {name: {key: statistics.median(s[key] for s in part) for key in ("wall", "calls", *PHASES)}
              for name, part in (("ours", ours), ("stock", theirs))}
    print(f"\n{options.prompts * 8} rollouts x 2 turns; median seconds of {len(ours)} steps of each kind "
          "(least - most)")
    for name, part in (("stock", theirs), ("ours", ours)):
        cells = "".join(f"  {key} {middle[name][key]:.2f}" for key in PHASES)
        print(f"{name:6} step {middle[name]['wall']:.2f} ({min(s['wall'] for s in part):.2f} - "
              f"{max(s['wall'] for s in part):.2f}){cells}")
    a, b = middle["ours"], middle["stock"]
    print(f"stock / ours: whole step {b['wall'] / a['wall']:.2f}x, render and judge "
          f"{(b['render'] + b['judge']) / (a['render'] + a['judge']):.2f}x")
    print(f"render and judge are {(a['render'] + a['judge']) / a['wall']:.0%} of our step")
    if endpoint:
        for name, part in middle.items():
            least = part["calls"] * options.judge_seconds / options.concurrency
            spent = part["render"] + part["judge"]
            print(f"{name}: {part['calls']:.0f} calls; render and judge {spent:.1f} s = {spent / least:.2f} "
                  "x (calls x seconds / concurrency)")


if __name__ == "__main__":
    main()
