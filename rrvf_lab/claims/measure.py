"""What an arm is measured on, and the numbers that are kept of it: a few for each image, no pictures.

    test                               160 held-out charts, three turns
    one turn, two turns, four turns    the same charts
    blind                              the same first drafts, then replies that say nothing
    other charts                       another generator's: kinds, styles and palettes never trained on
    plotly, pages, drawings            charts that plotly drew, web pages, SVG drawings
    validation                         40 further charts, to choose learning rates on

Every picture is asked for as matplotlib and judged by the embedded judge. Greedy, so one play of one image
has one result.

Left out: sampling.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from ..data import load_images
from ..evaluate import evaluate
from ..leaves.files import write_whole
from ..policy import Drafted, load_policy
from ..records.report import score_after
from ..training.config import TrainConfig
from . import judges

TURNS = 3
# name: (folder, first, after the last, turns)
SETS = {
    "test": ("data/charts/test", 0, 160, TURNS), "one turn": ("data/charts/test", 0, 160, 1),
    "two turns": ("data/charts/test", 0, 160, 2), "four turns": ("data/charts/test", 0, 160, 4),
    "validation": ("data/charts/test", 160, 200, TURNS),
    "other charts": ("data/elsewhere/charts", 0, 40, TURNS),
    "plotly": ("data/elsewhere/plotly", 0, 40, TURNS),
    "pages": ("data/pages/test", 0, 40, TURNS), "drawings": ("data/drawings/test", 0, 40, TURNS),
}


def images_of(name: str, share: float = 1.0):
    """The images of a set, asked for as matplotlib; the first `share` of them.

    Example: `images_of("plotly")`.
    """
    folder, first, last, _ = SETS[name]
    images = load_images(folder, language="matplotlib")
    last = min(last, len(images))
    return images.select(range(first, first + max(1, round((last - first) * share))))


def measure(arm, folder: Path, share: float = 1.0, judge=None) -> dict:
    """{set: numbers} of an arm whose training is in `folder`; `judge` is the one it was trained with, where
    that also speaks to it at test."""
    config = TrainConfig.load(folder / "run" / "config.json") if arm.config else None
    turns, blind = (config.max_turns, config.blinded) if config else (TURNS, False)
    adapter = None if config is None else folder / "run" / "adapter"
    policy = load_policy(arm.model, adapter, max_new_tokens=96)
    found, drafts = {}, []
    for name in (*arm.sets, *["validation"] * arm.supervised):
        if name == "blind":
            told = {"blind": True}
            writer, rows, most = Drafted(drafts, policy), images_of("test", share), TURNS
        else:
            told, writer, rows = {"blind": blind, "judge": judge}, policy, images_of(name, share)
            most = turns if SETS[name][3] == TURNS else SETS[name][3]
        started = time.time()
        played = evaluate(writer, rows, most, name=f"{arm.name}, {name}", batch=len(rows) if name == "blind"
                          else 32, **told).rollouts
        seconds = time.time() - started
        if name == "test":
            drafts = [rollout.turns[0].text for rollout in played]
        found[name] = _numbers(played, policy, most) | {"seconds": round(seconds, 1)}
    return found


def _numbers(played, policy, most):
    words = policy.processor.tokenizer
    return {"turns": most, "ids": [r.id for r in played], "ran": [int(r.ran) for r in played],
            "vision": [round(r.reward.vision, 4) for r in played],
            "after": [[round(score_after(r, k), 4) for k in range(1, most + 1)] for r in played],
            "last": [round(r.drafts[-1].score, 4) if r.drafts else 0.0 for r in played],
            "renders": [len(r.drafts) for r in played],
            "tokens": [sum(len(words(turn.text)["input_ids"]) for turn in r.turns) for r in played]}


def cost_of(folder: Path) -> dict:
    """What the training of an arm cost: steps, minutes, and of each step seconds, tokens written (supervised:
    read), renders. After an interruption minutes are those since the last start."""
    rows = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    config = json.loads((folder / "run" / "config.json").read_text())
    end = next(row for row in reversed(rows) if "train_runtime" in row)
    steps = [row for row in rows if "loss" in row]
    rollouts = config["prompts"] * (1 if config["rollouts"] else config["group"])

    def mean(name, scale=1.0):
        known = [row[name] * scale for row in steps if name in row]
        return round(sum(known) / len(known), 2) if known else 0.0

    seconds, read = end["train_runtime"], steps[-1].get("num_tokens", 0) / config["steps"]
    step = mean("step_time") or round(seconds / config["steps"], 2)
    return {"steps": config["steps"], "images": config["steps"] * config["prompts"], "rollouts": rollouts,
            "minutes": round(seconds / 60, 2),
            "tokens": round(read) if config["rollouts"] else mean("completions/mean_length", rollouts),
            "renders": mean("renders", rollouts), "seconds": step}


def write_result(arm, seed: int, folder: Path, quick: bool) -> dict:
    """Measure an arm and write `folder`/result.json; returns what it holds."""
    share = 1 / 3 if quick else 1.0
    result = {"arm": arm.name, "seed": seed, "quick": quick,
              "cost": cost_of(folder) if arm.config else {},
              "sets": measure(arm, folder, share, judges.taught if arm.name == "student" else None)}
    write_whole(folder / "result.json", json.dumps(result))
    return result
