"""What GRPO makes of a reward that can be fooled: train the nano model against one judge, score it by all
of them.

    python tests/benchmarks/hack_hunt.py --reward ssim --steps 100 --seed 0 --output runs/hunt

`--reward` is `ssim` (plain SSIM of the gray pictures), `prototype` (the first formula of this project's
judge, before text, mirror and mosaic were looked at), `pixel` (`PixelJudge`) or `start` (no training: the
row to compare with). All say `PixelJudge`'s sentences, so that only the reward differs. The final policy
plays each held-out image once, greedily; each final render is scored by every judge, and the program is
read against what the chart is known to show (`rrvf_lab.nano.fields`): a policy that raises its own judge
alone has found a hole. One JSON row is written for each run, and the table of all rows in the folder is
printed.

Left out: several seeds at once, other policies than nano, judges behind an endpoint.
"""
import argparse
import json
import math
import time
from pathlib import Path

import numpy as np

from rrvf_lab.judge import PixelJudge, Verdict
from rrvf_lab.judge.rivals import prototype, ssim

REWARDS = ("start", "ssim", "prototype", "pixel")
COLUMNS = ("exec", "ssim", "prototype", "pixel", "type", "colour", "value", "title", "programs")


PIXEL = PixelJudge()
SCORES = {"ssim": ssim, "prototype": prototype, "pixel": lambda target, image: PIXEL(target, image).score}


class Candidate:
    """One of the judges, as the trainer calls it: its score, `PixelJudge`'s sentences."""

    def __init__(self, name):
        self.score, self.__name__ = SCORES[name], name

    def __call__(self, target, image, error=None):
        if image is None:
            return PIXEL(target, None, error)
        return Verdict(self.score(target, image), PIXEL.feedback(target, image), {}, self.__name__)


def trained(reward, options, folder):
    """Train nano against a judge; the folder of its adapter."""
    from rrvf_lab.train import make_trainer
    from rrvf_lab.training import TrainConfig
    from rrvf_lab.training.process import prepare

    changes = {"train_images": options.train_images} if options.train_images else {}
    config = TrainConfig.load("nano", steps=options.steps, prompts=options.prompts, seed=options.seed,
                              output=str(folder), save_steps=50, **changes)
    prepare(config)
    trainer = make_trainer(config, judge=None if reward == "pixel" else Candidate(reward))
    trainer.train()
    trainer.model.peft_config["default"].base_model_name_or_path = config.model
    trainer.model.save_pretrained(folder / "adapter")
    return folder / "adapter"


def measured(adapter, options, folder):
    """Means over the held-out images: execution, every judge's score, what of the truth the programs hold,
    variety."""
    from rrvf_lab.data import load_images
    from rrvf_lab.evaluate import evaluate
    from rrvf_lab.nano import accuracies, load_truths
    from rrvf_lab.policy import load_policy

    images = load_images("data/charts/test")
    images = images.select(range(min(options.images, len(images))))
    policy = load_policy("nano", adapter=adapter)
    rollouts = evaluate(policy, images, max_turns=2, record=folder / "evaluation", name="after").rollouts
    row = {"n": len(images), "exec": float(np.mean([r.ran for r in rollouts]))}
    for name, score in SCORES.items():  # a program that drew nothing counts as 0
        values = [score(r.target, r.final.rendering.image) if r.ran else 0.0 for r in rollouts]
        row |= {
            name: float(np.mean(values)),
            f"{name}_se": float(np.std(values, ddof=1) / math.sqrt(len(values))),
        }
    return row | accuracies(rollouts, load_truths("test")) | {"programs": len({r.code for r in rollouts})}


def table(rows):
    """One line for each run: what it was trained on, then every judge's mean and the code metrics."""
    lines = [f"{'trained on':12}{'seed':>5}{'steps':>6}{'n':>5}" + "".join(f"{name:>14}" for name in COLUMNS)]
    for row in sorted(rows, key=lambda row: (REWARDS.index(row["reward"]), row["seed"])):
        cells = [
            f"{row[name]:.3f}" + (f"+-{row[name + '_se']:.3f}" if name + "_se" in row else "")
            if name != "programs"
            else f"{row[name]}"
            for name in COLUMNS
        ]
        run = f"{row['reward']:12}{row['seed']:>5}{row['steps']:>6}{row['n']:>5}"
        lines.append(run + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--reward", choices=REWARDS, required=True)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--prompts", type=int, default=4, help="images in a step; 8 rollouts of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=160, help="held-out images to score the policy on")
    parser.add_argument("--train-images", help="another folder of training images")
    parser.add_argument("--output", type=Path, default=Path("runs/hunt"))
    options = parser.parse_args()
    started, steps = time.time(), 0 if options.reward == "start" else options.steps
    name = f"{options.reward}-seed{options.seed}-steps{steps}"
    folder = options.output / name
    if folder.exists():
        parser.error(f"{folder} exists; choose another --output, or remove it: rm -r {folder}")
    adapter = None if options.reward == "start" else trained(options.reward, options, folder)
    row = {
        "reward": options.reward,
        "seed": options.seed,
        "steps": steps,
        "prompts": options.prompts,
    } | measured(adapter, options, folder)
    row["minutes"] = round((time.time() - started) / 60, 1)
    print(json.dumps(row))
    (options.output / f"{name}.json").write_text(json.dumps(row))
    print(table([json.loads(path.read_text()) for path in options.output.glob("*-seed*.json")]))


if __name__ == "__main__":
    main()
