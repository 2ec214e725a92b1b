"""GRPO on raw images, end to end over all turns: TRL's own trainer, our environment, every rollout recorded.

    python -m rrvf_lab.train demo            # nano-base: learn, compare before and after on held-out images
    python -m rrvf_lab.train nano            # the same from the grounded nano
    python -m rrvf_lab.train my_run.yaml --resume
    python -m rrvf_lab.train demo --set start_from=sft-nano   # first imitate recorded rollouts (training.sft)
    accelerate launch --multi_gpu --num_processes 2 -m rrvf_lab.train nano   # see notebooks/SCALING.md

One step of GRPO, from top to bottom. TRL draws `prompts` images from `dataset` and writes `group` rollouts of
each: it opens an `Environment` for each rollout with the image (`reset`), samples a turn for all
(`ModelPolicy`'s model), reads the tool calls and asks `render`, appends the reply, and samples again until
nobody calls or the turns are spent. Our `RRVFTrainer` hands each raw turn to the episode (`take`: render and
judge at once), closes it (`settle`: final code, reward), and checks that every image token has its pixels.
TRL turns the rewards of a group into advantages,

    A_i = (r_i - mean(r)) / (std(r) + 0.0001),

and pushes the log-probability of each token the policy wrote, over all turns, by its rollout's advantage.
Tokens of the tool's replies are masked. `RRVFTrainer` records the rollouts with their advantages.

A run folder holds config.json, pid, log.jsonl (a row per step), rollouts/ (a file per step and process),
checkpoint-*/, adapter/ (or model/), evaluation/, report.json and report.html. Of several processes the first
evaluates and writes the report, each renders its own rollouts; the run folder must be one that all see.

Left out: a KL term (beta = 0), schedulers of our own, evaluation spread over processes.
"""

from __future__ import annotations

import argparse
import functools
import io
import time
from dataclasses import replace

from PIL import Image

from .data import load_images
from .environment import Environment
from .evaluate import evaluate
from .judge import Fallback, JudgeStopped, VLMJudge, as_judge
from .leaves.files import found
from .leaves.pictures import rgb
from .leaves.threads import calm_threads
from .nano.loading import load_model
from .policy import load_policy
from .render import require_isolation, shared
from .reward import RewardWeights
from .talk import opening
from .training.budget import check_budget
from .training.config import TrainConfig, from_words
from .training.process import finished, launched, prepare
from .training.report import report_of, write_report


def dataset(config: TrainConfig):
    """The training images with the conversation TRL starts from; no column holds code or text about the
    image."""
    from datasets import Image as Picture

    images = load_images(found(config.train_images))
    prompts = []
    for language in images["language"]:
        system, user = opening(None, language, config.max_turns)
        prompts.append([{"role": m["role"], "content": m["content"][-1]["text"]} for m in (system, user)])
    images = images.add_column("prompt", prompts).cast_column("image", Picture(decode=False))
    return images.with_transform(_decoded)


def _decoded(batch):
    if "image" in batch:
        batch["image"] = [_picture(one["path"], one["bytes"]) for one in batch["image"]]
    return batch


@functools.lru_cache(64)
def _picture(path, data):
    """One decoded image; a step asks for each of its images dozens of times (group, backward passes)."""
    with Image.open(path if data is None else io.BytesIO(data)) as picture:
        return rgb(picture)


def make_judge(config: TrainConfig):
    """The judge that the settings name: None for the embedded one, else a `VLMJudge` in a `Fallback`."""
    if config.judge is None:
        return None
    arguments = dict(config.judge)
    on_unscored = arguments.pop("on_unscored", "drop")
    return Fallback(VLMJudge(**arguments), on_unscored)


def make_trainer(config: TrainConfig, renderer=None, judge=None):
    """A TRL `GRPOTrainer` for this run (with `config.rollouts` an `SFTTrainer`); call `.train()` as usual, or
    `.train(resume_from_checkpoint=...)`.

    `judge` is what `as_judge` takes, by default the one the settings name. Raises FileNotFoundError for
    missing images, ValueError where batch sizes do not divide or the token budget does not hold all turns,
    ImportError for vLLM where it is not installed, and RuntimeError where this machine cannot hold untrusted
    programs, unless `unsafe_ok` is set.

    Example: `make_trainer(TrainConfig.load("nano", steps=2)).train()`.
    """
    calm_threads()
    from .training.arguments import adapters, grpo_arguments, require_vllm
    from .training.sft import SupervisedTrainer
    from .training.trainer import RRVFTrainer

    passes = config.divide(launched().num_processes)
    if config.rollouts:
        model, processor, nano = load_model(config.model, config.four_bit, config.max_image_tokens)
        return SupervisedTrainer(config, *adapters(config, model), processor, passes, difference=nano)
    require_vllm(config)
    judge = make_judge(config) if judge is None else as_judge(judge)
    renderer = shared() if renderer is None else renderer
    require_isolation(config.unsafe_ok, renderer.isolation)
    model, processor, nano = load_model(config.model, config.four_bit, config.max_image_tokens)
    check_budget(config, processor, nano)
    model, peft_config = adapters(config, model)
    environment = functools.partial(Environment, renderer, judge, config.max_turns, difference=nano,
                                    weights=RewardWeights(**config.reward))
    arguments = grpo_arguments(config, processor, passes, on_gpu=model.device.type == "cuda")
    return RRVFTrainer(config, model=model, args=arguments, train_dataset=dataset(config),
                       processing_class=processor, peft_config=peft_config, environment_factory=environment)


def run(config: TrainConfig, resume: bool = False) -> dict:
    """Evaluate, train, evaluate again on held-out images, and write report.json; returns what it holds."""
    calm_threads()
    from .training.trainer import last_checkpoint

    processes, folder, started = launched(), config.folder, time.time()
    if processes.is_main_process:
        prepare(config, resume)
    if first := config.first:
        if not finished(first):
            run(first, resume)
        config = replace(config, start_from=first.output)
    images = _held_out(config)
    options = {"four_bit": config.four_bit, "max_image_tokens": config.max_image_tokens}
    measure = functools.partial(evaluate, images=images, max_turns=config.max_turns,
                                record=folder / "evaluation")
    before = after = None
    if images is not None and processes.is_main_process:
        before = measure(load_policy(config.model, config.adapter, **options), name="before", resume=resume)
    processes.wait_for_everyone()
    trainer = make_trainer(config)
    checkpoint = last_checkpoint(folder) if resume else None
    trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    untouched = checkpoint is not None and int(checkpoint.name.partition("-")[2]) == trainer.state.global_step
    trained = trainer.save_policy()
    if not processes.is_main_process:
        return {}
    if images is not None:
        name, adapter = (config.model, trained) if config.lora_rank else (str(trained), None)
        after = measure(load_policy(name, adapter=adapter, **options), name="after", resume=untouched)
    report = report_of(config, trainer.state, trained, before, after) | {"seconds": time.time() - started}
    write_report(folder, report)
    return report


def _held_out(config):
    if config.test_images is None:
        return None
    images = load_images(found(config.test_images))
    return images.select(range(min(len(images), config.test_limit or len(images))))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m rrvf_lab.train", description=__doc__.split("\n\n")[0])
    shipped = ", ".join(TrainConfig.names())
    parser.add_argument("config", help=f"a shipped configuration ({shipped}) or a YAML or JSON file")
    parser.add_argument("--resume", action="store_true",
                        help="go on from the last complete checkpoint of the run folder")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE",
                        help="change settings, for example steps=10 seed=1")
    args = parser.parse_args(argv)
    try:
        config = TrainConfig.load(args.config, **from_words(args.set))
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    try:
        report = run(config, args.resume)
    except JudgeStopped as stopped:
        parser.exit(1, f"{stopped}\n")
    if "gain" in report:
        b, a = report["before"], report["after"]
        print(f"held-out vision {b['vision']:.3f} -> {a['vision']:.3f}, gain {report['gain']:+.3f} "
              f"+- {report['gain_se']:.3f} (n = {a['n']}); execution rate {b['exec']:.0%} -> "
              f"{a['exec']:.0%}; {report['seconds'] / 60:.1f} minutes")
        print("of the gain: " + ", ".join(f"{part} {row['contribution']:+.3f} +- {row['se']:.3f}"
                                          for part, row in report["gain_along_turns"].items()))
    if report:
        print(f"report: {config.folder / 'report.html'}")


if __name__ == "__main__":
    main()
