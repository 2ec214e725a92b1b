"""README.md of what a run publishes: the model's card and that of its rollouts.

They say what was trained on what, the measured table, how to use it, and the command, settings and seed that
make it again. Nothing in them was written by a policy.

Left out: a licence. That of the base holds, and we do not know it.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets")
TABLE = {"vision": ("vision score", "{:.3f}"), "se": ("standard error", "{:.3f}"),
         "exec": ("execution rate", "{:.1%}"), "vision_executed": ("vision score, executed only", "{:.3f}"),
         "vision_turn_1": ("score after turn 1", "{:.3f}"), "answered": ("ended with an answer", "{:.1%}"),
         "malformed": ("malformed turns", "{:.1%}"), "n": ("held-out images", "{}")}

MODEL = """\
---
{metadata}
---

# {name}

A policy that is shown an image, writes code in a tool call, sees its render and a judge's feedback, and
refines (RRVF, arXiv 2507.20766), trained with rrvf_lab.

- Base: `{base}`
- Trained: {trained}
- From: {learnt}
- Steps: {steps}; seed: {seed}

The score below is this project's own judge of visual similarity, which is no human judgement. What the policy
writes are untrusted programs: run them in a sandbox.

## Measured

{measured}

## Use

```python
import rrvf_lab as rl

policy = {load}
rl.play(policy, image, max_turns={max_turns})
```

{stock}The chat template is the one of training: give it `tools`, and tell the number of messages, as
`rrvf_lab.talk.opening` does. Pictures of more than {max_image_tokens} image tokens are scaled down.

## Make it again

```
python -m rrvf_lab.train training.json
```

`training.json` lies beside this file and holds every setting. {versions}.
"""

STOCK = """\
The processor files are those of the base: stock `AutoProcessor` and `AutoModelForImageTextToText` load this
folder. vLLM reads the same files; that was not tried here.

"""

ROLLOUTS = """\
---
{metadata}
---

# Rollouts of {name}

{count:,} rollouts as they were made in training: the target, each turn as it was written, its picture or its
error, the judge's score and words, the reward and the advantage. `final_turn` counts from 0.

Texts and programs were written by a model: do not run them outside a sandbox. Rights in the targets stay with
their owners.

```python
from datasets import load_dataset

load_dataset("{name}-rollouts", split="train")[0]["turns"]
```
"""


def model_card(config, report: dict, name: str, merged: bool, shipped: bool) -> str:
    """The card of a model; `report` is the run's (empty where it was not finished), `shipped` says that its
    base is one of ours.

    Example: `model_card(run.config, {}, "me/charts", merged=True, shipped=False)`.
    """
    from huggingface_hub import ModelCardData

    on_hub = "/" in config.model and not Path(config.model).exists()
    metadata = ModelCardData(base_model=config.model if on_hub else None,
                             library_name="transformers" if merged else "peft",
                             pipeline_tag="image-text-to-text", tags=["rrvf", "trl", "image-to-code"],
                             datasets=[f"{name}-rollouts"] if "/" in name else None)
    load = f'"{name}"' if merged else f'"{config.model}", adapter="<this folder>"'
    return MODEL.format(
        metadata=metadata.to_yaml(), name=name, base=config.model, trained=_trained(config),
        learnt=_learnt(config), steps=report.get("steps", config.steps), seed=config.seed,
        measured=_measured(report), load=f"rl.load_policy({load})", max_turns=config.max_turns,
        stock=STOCK if merged and not shipped else "", max_image_tokens=config.max_image_tokens,
        versions=", ".join(f"{library} {version(library)}" for library in LIBRARIES))


def _trained(config):
    if not config.lora_rank:
        return "all weights"
    bits = ", on four-bit weights; merged into what those stand for" if config.four_bit else ""
    return f"LoRA of rank {config.lora_rank}{bits}"


def _learnt(config):
    start = f"; it started from the adapter of {config.start_from}" if config.start_from else ""
    if config.rollouts:
        return f"recorded rollouts ({config.rollouts}), the best {config.keep_best:.0%} by reward{start}"
    return (f"raw images ({config.train_images}) by GRPO, {config.prompts} images x {config.group} rollouts "
            f"a step, up to {config.max_turns} turns{start}")


def _measured(report):
    """The table of a finished run, before and after on the same held-out images."""
    if "gain" not in report:
        return "No held-out evaluation was run."
    before, after, config = report["before"], report["after"], report["config"]
    rows = [f"| {label} | {style.format(before[key])} | {style.format(after[key])} |"
            for key, (label, style) in TABLE.items() if before.get(key) is not None]
    gain = (f"Paired gain {report['gain']:+.3f} ± {report['gain_se']:.3f} (standard error; 95 % interval "
            f"{report['gain_low']:+.3f} to {report['gain_high']:+.3f}; n = {report['gain_n']} images of "
            f"{config['test_images']}). Failures count 0. One seed.")
    return "\n".join(["| | before | after |", "|---|---|---|", *rows, "", gain])


def rollouts_card(name: str, count: int) -> str:
    """The card of a run's rollouts. Example: `rollouts_card("me/charts", 4096)`."""
    from huggingface_hub import DatasetCardData

    metadata = DatasetCardData(tags=["rrvf", "rollouts"], pretty_name=f"Rollouts of {name}").to_yaml()
    return ROLLOUTS.format(metadata=metadata, name=name, count=count)
