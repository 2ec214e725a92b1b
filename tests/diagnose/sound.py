"""A sound run in a few seconds, without a model: a policy that learns to paint bars, judged by the embedded
judge; and faults to be put into its records.

A program is the words of its picture ("teal 3 5 8"). `sound_run` writes the run folder, `spoilt` gives an
`Evidence` of it with one fault put in.
"""
import copy
import json
import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from rrvf_lab.diagnose import Evidence
from rrvf_lab.judge import PixelJudge, Verdict
from rrvf_lab.records import Recorder
from rrvf_lab.records.store import picture_name
from rrvf_lab.render import Rendering
from rrvf_lab.rollout import Rollout, Turn
from rrvf_lab.training.advantages import advantages

WEIGHTS = {"vision": 1.0, "format": 0.1, "tool": 0.1, "cap": 1, "enough": 0.95}
CONFIG = {"judge": None, "reward": WEIGHTS, "max_turns": 2, "scale_rewards": "group", "temperature": 0.8,
          "learning_rate": 0.002, "max_new_tokens": 112, "test_images": None}
COLOURS = ("teal", "salmon", "navy", "gold")
JUDGE = PixelJudge()


@cache
def painted(code):
    """The picture of a program, or None where it fails."""
    colour, *heights = code.split()
    if "oops" in heights:
        return None
    image = Image.new("RGB", (120, 90), "white")
    draw = ImageDraw.Draw(image)
    draw.line((10, 5, 10, 80, 115, 80), "black")
    for k, height in enumerate(map(int, heights)):
        draw.rectangle((18 + 24 * k, 80 - 8 * height, 34 + 24 * k, 80), colour)
    return image


@cache
def judged(target, code):
    image = painted(code)
    return Verdict.no_picture("ValueError: oops") if image is None else JUDGE(painted(target), image)


def program(rng, target, skill):
    """A try at the target's program; the better the skill, the nearer."""
    colour, *heights = target.split()
    if rng.random() > 0.6 + skill / 2:
        colour = str(rng.choice(COLOURS))
    for k, height in enumerate(heights):
        if rng.random() > 0.35 + skill / 2:
            heights[k] = str(int(np.clip(int(height) + rng.integers(-4, 5), 1, 9)))
    if rng.random() < 0.15 - skill / 10:
        heights[0] = "oops"
    return " ".join([colour, *heights])


def turn(target, code, action="render"):
    image, verdict = painted(code), judged(target, code)
    rendering = Rendering(image, None if image else "ValueError: oops", 0.1)
    return Turn("bars", code, rendering, verdict, f"<think>bars</think> {code}", action,
                None if image else "run: ValueError: oops")


def rollout(rng, target, id, skill):
    first = program(rng, target, skill)
    second = first if rng.random() < 0.1 else program(rng, target, min(1, skill + 0.35))
    turns = turn(target, first), turn(target, second, "answer")
    return Rollout(painted(target), "matplotlib", turns, "", 1, None, id)


def sound_run(folder, steps=30, group=4, images=5, seed=0):
    """Write a run folder; returns it."""
    rng, recorder = np.random.default_rng(seed), Recorder(folder / "rollouts")
    targets = [" ".join([str(rng.choice(COLOURS)), *map(str, rng.integers(1, 10, 4))]) for _ in range(images)]
    PROGRAMS.update((picture_name(painted(target)), target) for target in targets)
    for step in range(1, steps + 1):
        number = int(rng.integers(images))
        made = [rollout(rng, targets[number], f"train-{number:04d}", step / steps) for _ in range(group)]
        for one in made:
            one.info.update(step=step, group=0)
        recorder.write(f"step-{step:06d}", made)
    rows = [row for file in sorted((folder / "rollouts").glob("*.jsonl")) for row in read(file)]
    settle(rows)
    for step in range(1, steps + 1):
        lines = [json.dumps(row) + "\n" for row in rows if row["info"]["step"] == step]
        (folder / f"rollouts/step-{step:06d}.jsonl").write_text("".join(lines))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


def read(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def settle(rows, weights=WEIGHTS):
    """Rewards and advantages again from the verdicts, as training makes them."""
    for row in rows:
        final = row["turns"][row["choice"]]
        score = (final["verdict"] or {}).get("score", math.nan)
        bad = sum(bool(one["error"]) for one in row["turns"])
        calls = sum(one["action"] == "render" and bool(one["rendering"]["image"]) for one in row["turns"])
        parts = {"vision": score, "format": -bad / len(row["turns"]), "tool": float(min(calls, 1))}
        if score >= weights["enough"]:
            parts["tool"] = 1.0
        row["reward"] = parts | {"total": sum(weights[name] * value for name, value in parts.items()),
                                 "reasons": []}
    push(rows)


def push(rows):
    """Advantages from the totals."""
    for step in {row["info"]["step"] for row in rows}:
        some = [row for row in rows if row["info"]["step"] == step]
        made = advantages([row["reward"]["total"] for row in some], len(some))
        for row, advantage in zip(some, made, strict=True):
            row["info"]["advantage"] = round(float(advantage), 5)


# ---- faults ------------------------------------------------------------------------------------------------

def turns_of(rows):
    return [one for row in rows for one in row["turns"]]


def drawn(rows):
    return [one for one in turns_of(rows) if one["rendering"]["image"]]


def totals(change):
    """A fault of the reward's sum."""
    def fault(rows, config, rng):
        for row in rows:
            row["reward"]["total"] = change(row["reward"])
        push(rows)
    return fault


def verdicts(change):
    """A fault of the judge: `change(turn, its row, rng)` for every drawn turn."""
    def fault(rows, config, rng):
        for row in rows:
            for one in row["turns"]:
                if one["rendering"]["image"]:
                    change(one, row, rng)
        settle(rows)
    return fault


def scored(score):
    return verdicts(lambda one, row, rng: one["verdict"].update(score=score(one, row, rng)))


PROGRAMS = {}  # of the targets, by the name of the picture


def swapped(one, row, rng):
    verdict = PixelJudge()(painted(one["code"]), painted(PROGRAMS[row["target"]]))
    one["verdict"].update(score=verdict.score, feedback=verdict.feedback)


def judge_failed(one, row, rng):
    if rng.random() < 0.2:
        one["verdict"] = {"score": 0.0, "feedback": "The judge failed.", "parts": {}, "reason": "judge: 503"}


def no_verdict(one, row, rng):
    if rng.random() < 0.2:
        one["verdict"] = {"score": math.nan, "feedback": "The judge failed.", "parts": {},
                          "reason": "judge: 503"}


def unscored_are_paid(rows, config, rng):
    verdicts(no_verdict)(rows, config, rng)
    for row in rows:
        if math.isnan(row["reward"]["vision"]):
            row["reward"] |= {"vision": 0.0, "total": 0.1 * row["reward"]["tool"]}
    push(rows)


def groups_mixed(rows, config, rng):
    for row in rows:
        row["info"]["step"] = 1 + (row["info"]["step"] - 1) // 2 * 2
    for step in {row["info"]["step"] for row in rows}:
        some = [row for row in rows if row["info"]["step"] == step]
        for k, row in enumerate(some):
            row["info"]["group"] = k % 2
        for group in (0, 1):
            own = [row for row in some if row["info"]["group"] == group]
            made = advantages([row["reward"]["total"] for row in own], len(own))
            for row, advantage in zip(own, made, strict=True):
                row["info"]["advantage"] = round(float(advantage), 5)


def pushed_backwards(rows, config, rng):
    for row in rows:
        row["info"]["advantage"] *= -1


def two_names(rows, config, rng):
    for row in rows:
        if row["info"]["step"] % 2:
            row["id"] += "-copy"


def leaked(rows, config, rng):
    for row in rows:
        if rng.random() < 0.2:
            row["turns"][-1]["rendering"].update(image=row["target"], error=None)
            row["turns"][-1]["verdict"]["score"] = 1.0
            row["turns"][-1]["error"] = None
    settle(rows)


def stale(rows, config, rng):
    last = None
    for one in drawn(rows):
        if last and rng.random() < 0.5:
            one["rendering"]["image"] = last
        last = one["rendering"]["image"]


def feedback_moved(rows, config, rng):
    some = drawn(rows)
    words = [one["verdict"]["feedback"] for one in some]
    for one, said in zip(some, rng.permutation(words), strict=True):
        one["verdict"]["feedback"] = str(said)


def feedback_late(rows, config, rng):
    """Many pictures get the sentences on the one before of the same step, so for the same target; the others
    their own, which keeps most words right."""
    for step in {row["info"]["step"] for row in rows}:
        some = drawn([row for row in rows if row["info"]["step"] == step])
        words = [one["verdict"]["feedback"] for one in some]
        for one, said in zip(some, [*words[-1:], *words], strict=False):
            if rng.random() < 0.75:
                one["verdict"]["feedback"] = said


def one_text(rows, config, rng):
    for step in {row["info"]["step"] for row in rows}:
        first, *others = [row for row in rows if row["info"]["step"] == step]
        for row in others:
            row["turns"] = copy.deepcopy(first["turns"])
    settle(rows)


def cut(rows, config, rng):
    for row in rows:
        if rng.random() < 0.3:
            row["turns"][-1].update(error="parse: cut off at the length limit", code=None, action=None,
                                    rendering={"image": None, "error": None, "seconds": 0}, verdict=None)
            row["choice"] = 0
    settle(rows)


def no_room(rows, config, rng):
    for row in rows:
        if rng.random() < 0.4:
            row["turns"], row["choice"], row["answer"] = row["turns"][:1], 0, None
    settle(rows)


def late(rows, config, rng):
    for one in drawn(rows):
        if rng.random() < 0.15:
            one["rendering"].update(image=None, error="TimeoutError: the program used all of its CPU time")
            one["verdict"] = {"score": 0.0, "feedback": "Failed: TimeoutError", "parts": {}, "reason": ""}
            one["error"] = "run: TimeoutError"
    settle(rows)


def copying(rows, config, rng):
    for row in rows:
        if rng.random() < 0.9:
            row["turns"][1] = copy.deepcopy(row["turns"][0]) | {"action": "answer"}
    settle(rows)


def learning(*skills):
    """A policy that writes other programs: for each turn its skill at the start and at the end."""
    def fault(rows, config, rng):
        last = max(row["info"]["step"] for row in rows)
        for row in rows:
            part, target = row["info"]["step"] / last, PROGRAMS[row["target"]]
            for one, (start, end) in zip(row["turns"], skills, strict=True):
                code = program(rng, target, start + part * (end - start))
                verdict, image = judged(target, code), painted(code)
                one["code"], one["error"] = code, None if image else "run: ValueError: oops"
                one["verdict"] = {"score": verdict.score, "feedback": verdict.feedback,
                                  "parts": verdict.parts, "reason": verdict.reason}
                one["rendering"]["image"] = image and FOLDER(image)
        settle(rows)
    return fault


def blind(rows, config, rng):
    """Every policy draws for a target that it was not shown."""
    targets = sorted({row["target"] for row in rows})
    for row in rows:
        away = int(rng.integers(1, len(targets)))
        row["target"] = targets[(targets.index(row["target"]) + away) % len(targets)]
    by_step = {}
    for row in rows:
        row["target"] = by_step.setdefault(row["info"]["step"], row["target"])
        for one in row["turns"]:
            verdict = judged(PROGRAMS[row["target"]], one["code"])
            one["verdict"].update(score=verdict.score, feedback=verdict.feedback)
        row["id"] = f"image-{targets.index(row['target'])}"
    settle(rows)


def empty(rows, config, rng):
    """A judge that likes empty axes, and a policy that found out."""
    config["judge"] = {"model": "ssim"}
    for one in drawn(rows):
        if rng.random() < 0.4:
            one["code"], one["rendering"]["image"] = f"gold {rng.integers(10**9)}", EMPTY
            one["verdict"].update(score=0.9, parts={})
    settle(rows)


EMPTY = FOLDER = None


def drowned(rows, config, rng):
    config["reward"] = WEIGHTS | {"format": 8.0}
    settle(rows, config["reward"])


def forging(rows, config, rng):
    for row in rows:
        if rng.random() < 0.2:
            row["turns"][0]["rendering"]["flags"] = ["image in code"]


def noisy(one, row, rng):
    return float(np.clip(one["verdict"]["score"] + rng.normal(0, 0.2), 0, 1))


FAULTS = {  # the finding that must come first or second: faults that lead there
    "reward sign flipped": [totals(lambda r: 0.1 * r["format"] + 0.1 * r["tool"] - r["vision"]),
                            totals(lambda r: r["vision"] - 0.1 * r["format"] + 0.1 * r["tool"])],
    "reward is not its terms": [totals(lambda r: r["total"] + 0.5),
                                totals(lambda r: r["total"] + r["vision"]),
                                totals(lambda r: r["total"] + 0.3 * math.sin(1e4 * r["total"]))],
    "unscored as zero": [verdicts(judge_failed)],
    "unscored counts as a score": [unscored_are_paid],
    "unscored rollouts": [verdicts(no_verdict)],
    "judge constant": [scored(lambda one, row, rng: 0.5)],
    "judge saturated": [scored(lambda one, row, rng: min(1.0, 4 * one["verdict"]["score"]))],
    "judge noisy": [scored(noisy)],
    "judge: scores are not the judge's": [scored(lambda one, row, rng: 1 - one["verdict"]["score"])],
    "judge: pictures swapped": [verdicts(swapped)],
    "groups mixed between images": [groups_mixed],
    "advantages are not the groups'": [pushed_backwards],
    "the same image under several names": [two_names],
    "the target's own pixels come back": [leaked],
    "pictures do not follow programs": [stale],
    "feedback of another image": [feedback_moved, feedback_late],
    "one text in each group": [one_text],
    "answers cut by length": [cut],
    "context cut": [no_room],
    "time-outs count as failures": [late],
    "later turns copy": [copying],
    "the score falls": [learning((1, -1), (1, -1))],
    "first drafts get worse": [learning((1, -1), (0.9, 0.9))],
    "drafts do not depend on the image": [blind],
    "paid for nearly empty pictures": [empty],
    "other terms drown the picture": [drowned],
    "programs that look like forging": [forging],
}


def spoilt(folder, fault=None, seed=0):
    """The evidence of a sound run with one fault put in."""
    global EMPTY, FOLDER
    rows = [row for file in sorted((folder / "rollouts").glob("*.jsonl")) for row in read(file)]
    config = json.loads((folder / "config.json").read_text())
    FOLDER = Recorder(folder / "rollouts")._image
    EMPTY = FOLDER(painted("gold"))
    if fault:
        fault(rows, config, np.random.default_rng(seed))
    return Evidence(rows, folder / "rollouts", config)
