"""The arms: what is trained, from what, with which one thing changed, and what it is measured on.

Main arms answer a claim and have the size of the demo. Ablations are short runs, half as many steps of half
as many images, each with one change against the arm `short`.

Left out: a shorter cold start (it would be another checkpoint to ship).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..training.config import TrainConfig

SHORT = {"steps": 20, "prompts": 4}
ALONE = ("test",)
AWAY = ("other charts", "plotly", "pages", "drawings")
LISTENS = ("test", "one turn", "blind")
WHOLE = ("test", "one turn", "two turns", "four turns", "blind", *AWAY)


@dataclass(frozen=True)
class Arm:
    """One thing to train and measure: `changes` of the configuration `config` (None: the `model` as it is).

    `sets` are those it is measured on (see `measure`); `once`: one seed tells all that it is asked.
    """

    name: str
    said: str
    config: str | None = "demo"
    changes: dict = field(default_factory=dict)
    model: str = "nano-base"
    sets: tuple[str, ...] = WHOLE
    ablation: bool = False
    once: bool = False

    def settings(self, folder: Path, seed: int, quick: bool = False) -> TrainConfig:
        """The run of this arm in `folder`; it evaluates nothing itself. `quick` makes a main arm as short as
        an ablation."""
        given = {"output": str(folder / "run"), "test_images": None, "preflight": False, "seed": seed}
        if self.supervised:
            given["rollouts"] = str(folder.parent / "labels")
        if quick and not self.ablation:
            steps = TrainConfig.load(self.config, **self.changes).steps
            given |= {"prompts": SHORT["prompts"], "steps": min(steps, max(SHORT["steps"], steps // 2))}
            given |= {"micro_batch": SHORT["prompts"]} if self.supervised else {}
        return TrainConfig.load(self.config, **self.changes | given)

    @property
    def supervised(self) -> bool:
        """Whether it imitates labels."""
        return self.config == "sft-nano"


def _supervised(name, said, **changes):
    alike = {"prompts": 8, "micro_batch": 8, "steps": 40, "keep_best": 1.0}  # the demo's images and updates
    return Arm(name, said, "sft-nano", alike | changes, sets=("test", "one turn", *AWAY))


def _ablation(name, said, model="nano-base", **changes):
    changes = SHORT | changes | ({"model": model} if model != "nano-base" else {})
    return Arm(name, said, "demo", changes, model, ALONE, True)


def _reward(**weights):
    return {"reward": weights}


_JUDGES = "rrvf_lab.claims.judges"
MAIN = (
    Arm("base", "the base model as it is", None, once=True),
    Arm("rl", "GRPO on images alone, three turns: make demo"),
    _supervised("sft-low", "imitates labels, rate 5e-4", learning_rate=5e-4),
    _supervised("sft", "imitates labels, rate 1.5e-3", learning_rate=1.5e-3),
    _supervised("sft-high", "imitates labels, rate 4e-3", learning_rate=4e-3),
    _supervised("sft-long", "imitates labels for as many seconds as GRPO takes", steps=600),
    Arm("teacher", "the finished nano, which writes the student's sentences", None, model="nano",
        sets=LISTENS, once=True),
    Arm("student", "GRPO with sentences that the teacher wrote", "demo",
        SHORT | {"judge": f"{_JUDGES}:taught"}, sets=("test", "one turn")),
    Arm("nano-rl", "GRPO from the finished nano", "nano", model="nano", sets=LISTENS),
    Arm("pages-rl", "GRPO on web pages alone", "demo",
        SHORT | {"train_images": "data/pages/train", "language": "matplotlib"}, sets=("test", "pages"),
        once=True),
)
ABLATIONS = (
    _ablation("short", "nothing: what all below are compared with"),
    _ablation("turns-1", "one turn", max_turns=1),
    _ablation("turns-2", "two turns", max_turns=2),
    _ablation("turns-4", "four turns", max_turns=4, max_completion_length=1856),
    _ablation("no-words", "replies without words", blind="text"),
    _ablation("no-pictures", "replies without pictures", blind="pictures"),
    _ablation("no-difference", "replies without the difference picture", blind="difference"),
    _ablation("no-replies", "replies that say nothing", blind="all"),
    _ablation("format-0", "no format term", **_reward(format=0.0)),
    _ablation("format-low", "format x 0.3", **_reward(format=0.03)),
    _ablation("format-high", "format x 3", **_reward(format=0.3)),
    _ablation("tool-0", "no tool term", **_reward(tool=0.0)),
    _ablation("tool-low", "tool x 0.3", **_reward(tool=0.03)),
    _ablation("tool-high", "tool x 3", **_reward(tool=0.3)),
    _ablation("vision-alone", "vision alone", **_reward(format=0.0, tool=0.0)),
    _ablation("cap-2", "two tool calls are paid", **_reward(cap=2)),
    _ablation("judge-ssim", "SSIM as the score", judge=f"{_JUDGES}:ssim"),
    _ablation("judge-prototype", "the judge's first formula as the score", judge=f"{_JUDGES}:prototype"),
    _ablation("judge-noisy", "noise of 0.1 on the score", judge=f"{_JUDGES}:noisy"),
    _ablation("group-4", "eight groups of 4", group=4, prompts=8),
    _ablation("group-16", "two groups of 16", group=16, prompts=2),
    _ablation("scale-batch", "advantages by the batch's spread", scale_rewards="batch"),
    _ablation("scale-none", "advantages not scaled", scale_rewards="none"),
    _ablation("cool", "temperature 0.4", temperature=0.4),
    _ablation("warm", "temperature 1.0", temperature=1.0),
    _ablation("from-nano", "the whole cold start", model="nano"),
)
ARMS = {arm.name: arm for arm in MAIN + ABLATIONS}
