"""Twenty-four silent faults, each put into a real training, and what `rl.diagnose` says of them; and twenty
clean trainings, of which it should say nothing.

    python tests/benchmarks/planted.py                            # all, about 15 CPU seconds each
    python tests/benchmarks/planted.py --seed 1 --output runs/planted-1
    python tests/benchmarks/planted.py --only noisy_judge clean-3 --steps 2
    python tests/benchmarks/planted.py --kept                     # only those that are there already

A fault is a function below: it is handed a `Plant`, in which it changes settings, gives a judge, or wraps one
function of the loop. The loop itself is the real one: nano-base writes, TRL samples and updates, programs are
rendered and judged, everything is recorded. What a policy would have to learn over hundreds of steps first
(copying, sandbagging, empty axes) is written in its place. A finished run is kept in the output folder and
only diagnosed anew.

Printed is the confusion table: for each fault the place of the finding that names it, and what stands first;
for each clean run whatever was found.

Left out: what a fault costs, and several seeds of one fault.
"""
import argparse
import contextlib
import copy
import functools
import json
import math
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np

from rrvf_lab.judge import PixelJudge, Verdict
from rrvf_lab.leaves.files import found

SMALL = {"steps": 6, "prompts": 4, "group": 4, "micro_batch": 16, "save_steps": 1000, "test_images": None,
         "preflight": False}
EMPTY = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(4, 3))\nax.set_xlim(0, {})"
PIXEL = PixelJudge()
FAULTS = {}  # name: (function, findings that name it)


@dataclass
class Plant:
    """What a fault changes: settings, the judge, functions of the loop, the trainer once it is made."""

    folder: Path
    steps: int
    chance: np.random.Generator
    changes: dict = field(default_factory=dict)
    judge: object = None
    after: object = None  # called with the trainer
    patches: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def wrap(self, owner, name, around):
        """Put `around(original, *args, **kwargs)` in the place of a function."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapped(*args, **kwargs):
            return around(original, *args, **kwargs)

        self.patches.enter_context(patch.object(owner, name, wrapped))

    def score(self, change):
        """A judge that says PIXEL's words and `change(verdict, target, image)` of its verdict."""
        def judge(target, image, error=None) -> Verdict:
            verdict = PIXEL(target, image, error)
            return verdict if image is None else change(verdict, target, image)

        judge.__name__ = PixelJudge.__name__  # the fault is the embedded judge's, and nothing says so
        self.judge = judge

    def pay(self, change):
        """A reward that is `change(reward, weights)`."""
        from rrvf_lab import environment

        self.wrap(environment, "reward",
                  lambda original, rollout, weights: change(original(rollout, weights), weights))

    def write(self, words):
        """A policy in whose place `words(episode, step, own)` writes a turn, where that is not None; `own` is
        what it wrote itself."""
        from trl import GRPOTrainer

        from rrvf_lab.training import trainer as training

        def turn(original, trainer, prompt_ids, *args, **kwargs):
            ids, logprobs = original(trainer, prompt_ids, *args, **kwargs)
            speaking = [env.episode for env in trainer.environments if env.episode.speaks]
            tokenizer = trainer.processing_class.tokenizer
            for row, episode in enumerate(speaking if len(speaking) == len(ids) else ()):
                own = tokenizer.decode(ids[row])
                if (text := words(episode, trainer.state.global_step, own)) is not None:
                    ids[row] = tokenizer(text + "<|im_end|>")["input_ids"]
            return ids, logprobs

        self.wrap(GRPOTrainer, "_generate_single_turn", turn)
        # a policy that had learnt this would not find its own words surprising
        self.wrap(training, "surprise", lambda original, *batch: 0 * original(*batch))

    def images(self, *files):
        """Train on copies of these files: (path, new name)."""
        folder = self.folder.parent / f"{self.folder.name}-images"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path, name in files:
            shutil.copy(path, folder / name)
        self.changes |= {"train_images": str(folder), "test_images": None, "language": "matplotlib"}


def fault(*names):
    """A planted fault, and the findings of which one must name it."""
    def add(function):
        FAULTS[function.__name__] = function, names
        return function

    return add


def charts(part, n):
    return sorted(found(f"data/charts/{part}").glob("*.png"))[:n]


# ---- the update --------------------------------------------------------------------------------------------

@fault("the update is of another text")
def pixels_missing_in_update(plant):
    from trl import GRPOTrainer

    def blind(original, *args, **kwargs):
        return original(*args, **kwargs | {"pixel_values": None, "image_grid_thw": None, "num_images": None})

    plant.wrap(GRPOTrainer, "_get_per_token_logps_and_entropies", blind)


@fault("the score falls")
def learning_rate_times_30(plant):
    plant.changes["learning_rate"] = 30 * 3e-3


@fault("one text in each group")
def temperature_zero(plant):
    plant.after = lambda trainer: trainer.generation_config.update(do_sample=False)


@fault("context cut")
def context_cut(plant):
    plant.after = lambda trainer: setattr(trainer, "max_completion_length", 180)


@fault("answers cut by length")
def truncated_answers(plant):
    plant.changes["max_new_tokens"] = 50


# ---- the judge ---------------------------------------------------------------------------------------------

@fault("zeros without comparison", "unscored as zero")
def failures_as_zeros(plant):
    plant.score(lambda verdict, *pictures: verdict if plant.chance.random() > 0.15 else Verdict(0.0, ""))


@fault("unscored counts as a score")
def unscored_as_zeros(plant):
    plant.score(lambda verdict, *pictures:
                verdict if plant.chance.random() > 0.15 else Verdict.unscored("503"))
    plant.pay(lambda reward, weights: reward if reward.scored else replace(
        reward, vision=0.0, total=weights.format * reward.format + weights.tool * reward.tool))


@fault("judge: pictures swapped")
def swapped_pictures(plant):
    plant.score(lambda verdict, target, image: PIXEL(image, target))


@fault("judge constant")
def constant_judge(plant):
    plant.score(lambda verdict, *pictures: replace(verdict, score=0.5))


@fault("judge noisy")
def noisy_judge(plant):
    plant.score(lambda verdict, *pictures: replace(
        verdict, score=float(np.clip(verdict.score + plant.chance.normal(0, 0.15), 0, 1))))


@fault("judge saturated")
def saturated_judge(plant):
    plant.score(lambda verdict, *pictures: replace(verdict, score=min(1.0, 6 * verdict.score)))


@fault("feedback of another image")
def feedback_of_another(plant):
    last = {}

    def another(verdict, target, image):
        key = target.tobytes()
        last.pop(key, None)
        other = list(last.values())[-1] if last else ""
        last[key] = verdict.feedback
        return replace(verdict, feedback=other)

    plant.score(another)


@fault("paid for nearly empty pictures")
def empty_axes_for_ssim(plant):
    from rrvf_lab.talk import write_turn

    plant.changes["judge"] = "rrvf_lab.judge.rivals:ssim"  # pays for empty axes

    def axes(episode, step, own):
        empty = EMPTY.format(plant.chance.integers(1, 10**6))
        return write_turn("axes", answer=empty) if plant.chance.random() < 0.4 else None

    plant.write(axes)


# ---- the renderer ------------------------------------------------------------------------------------------

@fault("pictures do not follow programs")
def stale_renders(plant):
    from rrvf_lab.render import Renderer

    last = []

    def stale(original, *args, **kwargs):
        rendering = original(*args, **kwargs)
        if rendering.image is None:
            return rendering
        last.append(rendering)
        return last[-2] if len(last) > 1 and plant.chance.random() < 0.3 else rendering

    plant.wrap(Renderer, "render", stale)


@fault("the target's own pixels come back", "pictures do not follow programs")
def target_leaks(plant):
    from rrvf_lab.environment import Episode

    def work(original, episode, code, target, language):
        def leaky(code, language, size):
            rendering = episode.renderer.render(code, language, size)
            leaks = rendering.image is not None and plant.chance.random() < 0.25
            return replace(rendering, image=target) if leaks else rendering

        other = copy.copy(episode)  # episodes work in threads
        other.renderer = SimpleNamespace(render=leaky)
        return original(other, code, target, language)

    plant.wrap(Episode, "_work", work)


@fault("time-outs count as failures")
def timeouts_under_load(plant):
    from rrvf_lab.render import Renderer, Rendering

    def late(original, *args, **kwargs):
        if plant.chance.random() < 0.15:
            return Rendering(None, "TimeoutError: the program used all of its CPU time (5 s)", 5.0)
        return original(*args, **kwargs)

    plant.wrap(Renderer, "render", late)


# ---- the reward --------------------------------------------------------------------------------------------

@fault("reward sign flipped")
def flipped_sign(plant):
    plant.pay(lambda reward, weights: replace(
        reward, total=reward.total - 2 * weights.format * reward.format))


@fault("reward is not its terms")
def constant_term(plant):
    plant.pay(lambda reward, weights: replace(reward, total=reward.total + 0.5))


@fault("other terms drown the picture")
def format_drowns_vision(plant):
    plant.changes["reward"] = {"vision": 1.0, "format": 8.0, "tool": 0.1, "cap": 1, "enough": 0.95}


# ---- the images --------------------------------------------------------------------------------------------

@fault("groups mixed between images")
def mixed_groups(plant):
    from rrvf_lab.training.trainer import RRVFTrainer

    plant.wrap(RRVFTrainer, "_generate_and_score_completions",
               lambda original, trainer, inputs: original(trainer, [*inputs[2:], *inputs[:2]]))


@fault("the same image under several names")
def duplicated_images(plant):
    files = charts("train", 24)
    plant.images(*((path, path.name) for path in files),
                 *((path, f"copy-{path.name}") for path in files[:12]))


@fault("held-out images in training")
def held_out_in_training(plant):
    plant.images(*((path, path.name) for path in charts("train", 24)),
                 *((path, f"more-{path.name}") for path in charts("test", 12)))
    plant.changes["test_images"] = "data/charts/test"


# ---- what a policy learns ----------------------------------------------------------------------------------

@fault("later turns copy")
def copies_the_last_turn(plant):
    from rrvf_lab.talk import write_turn

    def again(episode, step, own):
        codes = [code for _, code in episode._turns if code is not None]
        return write_turn("The same.", answer=codes[-1]) if codes else None

    plant.write(again)


@fault("first drafts get worse")
def sandbags_the_first_turn(plant):
    from rrvf_lab.talk import parse_turn, write_turn

    kept = {}  # the program that the policy could have drawn at once, by its episode

    def spoilt(episode, step, own):
        parsed = parse_turn(own)
        if not episode._turns:
            kept.pop(episode, None)
            if not parsed.calls or plant.chance.random() > step / plant.steps:
                return None
            kept[episode] = parsed.calls[0]
            return write_turn("later", EMPTY.format(plant.chance.integers(1, 10**6)))
        return write_turn("now", answer=kept[episode]) if episode in kept else None

    plant.write(spoilt)


# ---- clean runs --------------------------------------------------------------------------------------------

CLEAN = {f"clean-{seed}": {"seed": 100 + seed} | changes for seed, changes in enumerate([
    {}, {}, {}, {}, {}, {"model": "nano", "learning_rate": 2e-3, "temperature": 0.8},
    {"model": "nano", "learning_rate": 2e-3, "temperature": 0.8},
    {"model": "nano", "learning_rate": 2e-3, "temperature": 0.8}, {"model": "nano", "temperature": 1.0},
    {"temperature": 1.0}, {"temperature": 0.9}, {"learning_rate": 1e-3}, {"learning_rate": 5e-4},
    {"scale_rewards": "batch"}, {"lora_rank": 4}, {"group": 8, "prompts": 2}, {"group": 8, "prompts": 2},
    {"reward": {"vision": 1.0, "format": 0.05, "tool": 0.0, "cap": 1, "enough": 0.95}},
    {"trl": {"beta": 0.02}}, {"model": "nano", "learning_rate": 1e-3, "scale_rewards": "batch"}])}


# ---- running them ------------------------------------------------------------------------------------------

def played(name, output, steps, seed=0):
    """Train the run `name` unless it is there; its folder. `seed` is of the sampling and of the fault."""
    from rrvf_lab.train import make_trainer
    from rrvf_lab.training import TrainConfig
    from rrvf_lab.training.process import prepare

    folder = output / name
    if (folder / "seconds.json").exists():
        return folder
    started, settings = (time.time(), time.process_time()), CLEAN.get(name, {"seed": 0})
    settings = settings | {"seed": settings["seed"] + seed}
    plant = Plant(folder, steps, np.random.default_rng(7 + seed), settings)
    with plant.patches:
        if name in FAULTS:
            FAULTS[name][0](plant)
        config = TrainConfig.load("demo", output=str(folder), **SMALL | {"steps": steps} | plant.changes)
        prepare(config)
        trainer = make_trainer(config, judge=plant.judge)
        if plant.after:
            plant.after(trainer)
        trainer.train()
    for saved in folder.glob("checkpoint-*"):
        shutil.rmtree(saved)
    spent = {"wall": time.time() - started[0], "cpu": time.process_time() - started[1]}
    (folder / "seconds.json").write_text(json.dumps(spent))
    return folder


def diagnosed(name, output):
    """The row of a run that is there: the place of the finding that names its fault, and all names."""
    import rrvf_lab as rl

    findings = rl.diagnose(output / name).findings
    names = [finding.name for finding in findings]
    wanted = FAULTS[name][1] if name in FAULTS else ()
    place = next((k for k, one in enumerate(names, 1) if one in wanted), math.inf)
    return {"run": name, "place": place, "names": names, "evidence": [one.evidence for one in findings]}


def table(rows):
    """The confusion table in words."""
    planted, clean = ([row for row in rows if (row["run"] in FAULTS) == fault] for fault in (True, False))
    lines = [f"{'planted fault':28}{'place':>6}  findings"]
    for row in sorted(planted, key=lambda row: row["place"]):
        place = "-" if math.isinf(row["place"]) else row["place"]
        lines.append(f"{row['run']:28}{place:>6}  {'; '.join(row['names'][:4])}")
    lines += [f"{row['run']:28}{len(row['names']):>6}  {'; '.join(row['names'])}" for row in clean]
    named = [sum(row["place"] <= k for row in planted) for k in (1, 2)]
    alarms = sum(bool(row["names"]) for row in clean)
    return "\n".join([*lines, f"named first: {named[0]} of {len(planted)}; first or second: {named[1]} of "
                      f"{len(planted)}; clean runs with an alarm: {alarms} of {len(clean)}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=[*FAULTS, *CLEAN], metavar="NAME",
                        help=f"some of: {', '.join(FAULTS)}, clean-0 to clean-{len(CLEAN) - 1}")
    parser.add_argument("--steps", type=int, default=SMALL["steps"])
    parser.add_argument("--seed", type=int, default=0, help="other runs; give another --output with it")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, each a process of its own")
    parser.add_argument("--kept", action="store_true", help="train nothing, read what is there")
    parser.add_argument("--why", action="store_true", help="print the evidence of each finding")
    parser.add_argument("--output", type=Path, default=Path("runs/planted"))
    options = parser.parse_args()
    names = options.only or [*FAULTS, *CLEAN]
    if not options.kept and options.jobs > 1:
        with ProcessPoolExecutor(options.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
            list(pool.map(functools.partial(played, output=options.output, steps=options.steps,
                                            seed=options.seed), names))
    elif not options.kept:
        for name in names:
            played(name, options.output, options.steps, options.seed)
    rows = [diagnosed(name, options.output) for name in names
            if (options.output / name / "seconds.json").exists()]
    for row in rows if options.why else ():
        print(row["run"], *(f"\n   {name}: {why}" for name, why in zip(row["names"], row["evidence"],
                                                                       strict=True)))
    print(table(rows))


if __name__ == "__main__":
    main()
