"""GRPO on raw images, end to end over all turns: TRL's own trainer, our environment, every rollout recorded.

    python -m rrvf_lab.train demo            # nano-base: learn, compare before and after on held-out images
    python -m rrvf_lab.train nano            # the same from the grounded nano
    python -m rrvf_lab.train my_run.yaml --resume
    python -m rrvf_lab.train demo --set start_from=sft-nano   # first imitate recorded rollouts (training.sft)
    accelerate launch --multi_gpu --num_processes 2 -m rrvf_lab.train nano   # see notebooks/SCALING.md

One step of GRPO, from top to bottom. TRL draws `prompts` images and writes `group` rollouts of each:
it opens an `Environment` for each rollout with the image (`reset`), samples a turn for all
(`ModelPolicy`'s model), reads the tool calls and asks `render`, appends the reply, and samples again until
nobody calls or the turns are spent. Our `RRVFTrainer` hands each raw turn to the episode (`take`: render and
judge at once), closes it (`settle`: final code, reward), and checks that every image token has its pixels.
TRL turns the rewards of a group into advantages,

    A_i = (r_i - mean(r)) / (std(r) + 0.0001),

and pushes the log-probability of each token the policy wrote, over all turns, by its rollout's advantage.
Tokens of the tool's replies are masked. `RRVFTrainer` records the rollouts with their advantages.

A run folder holds config.json, pid, log.jsonl (a row per step), rollouts/ (a file per step and process),
checkpoint-*/, adapter/ (or model/), evaluation/, report.json and report.html. Of several processes each
renders its own rollouts and the first writes the report; the run folder must be one that all see.

Left out: what TRL offers and no setting names (`trl` of the settings reaches it: a KL term, other losses).
"""

from __future__ import annotations

import argparse
import functools
import gc
import time
from dataclasses import replace
from tempfile import TemporaryDirectory

from .environment import Environment
from .evaluate import evaluate
from .judge import JudgeStopped
from .nano.loading import load_model
from .policy import ModelPolicy, load_policy
from .reward import RewardWeights
from .training.checks import checked
from .training.config import TrainConfig, from_words
from .training.preflight import NotReady, look
from .training.process import finished, launched, prepare
from .training.report import report_of, write_report


def make_trainer(config: TrainConfig, renderer=None, judge=None):
    """A TRL `GRPOTrainer` for this run (with `config.rollouts` an `SFTTrainer`); call `.train()` as usual, or
    `.train(resume_from_checkpoint=...)`.

    `judge` is what `as_judge` takes, by default the one the settings name. Raises what `training.checks`
    finds wrong, before the weights are loaded.

    Example: `make_trainer(TrainConfig.load("nano", steps=2)).train()`.
    """
    return _trainer(checked(config, renderer, judge))


def _trainer(parts):
    from .training.arguments import adapters
    from .training.sft import SupervisedTrainer
    from .training.trainer import RRVFTrainer

    config = parts.config
    whole = {} if config.lora_rank else {"dtype": "float32"}  # in bf16 most small steps would be lost
    model, peft_config = adapters(config, load_model(config.model, **parts.loading, **whole)[0])
    if config.rollouts:
        return SupervisedTrainer(config, model, peft_config, parts.processor, parts.passes, parts.nano)
    environment = functools.partial(Environment, parts.renderer, parts.judge, config.max_turns,
                                    difference=parts.nano, blind=config.blinded,
                                    weights=RewardWeights(**config.reward))
    validate = None if parts.validation is None else functools.partial(_validated, parts)
    return RRVFTrainer(config, validate, model=model, args=parts.arguments, train_dataset=parts.images,
                       processing_class=parts.processor, peft_config=peft_config,
                       environment_factory=environment)


def _validated(parts, model) -> float:
    policy = ModelPolicy(model, parts.processor, max_new_tokens=parts.config.max_new_tokens,
                         batch_size=parts.config.sample_batch or 32, difference=parts.nano)
    return evaluate(policy, parts.validation, parts.config.max_turns, judge=parts.judge,
                    renderer=parts.renderer, blind=parts.config.blinded).summary["vision"]


def preflight(config, renderer=None, judge=None, **changes):
    """Could this run learn at all? One batch of its untrained policy as a table (`training.preflight`).

    `config` is what `start` takes, `changes` override settings; `judge` is one, or the name of one as a
    configuration gives it. Nothing is recorded, and no run folder is touched.

    Example: `preflight("demo").verdict == "ok"`.
    """
    if isinstance(judge, str):
        judge, changes["judge"] = None, judge
    given = vars(config) if isinstance(config, TrainConfig) else vars(TrainConfig.load(config))
    config = TrainConfig(**given | changes)
    if config.rollouts:
        raise ValueError(f"a supervised run (rollouts={config.rollouts!r}) samples nothing to look at")
    with TemporaryDirectory() as folder:
        return look(make_trainer(replace(config, output=folder), renderer, judge))


def _ready(parts):
    """A trainer whose pre-flight says nothing against it."""
    trainer = _trainer(parts)
    found = look(trainer)
    if trainer.accelerator.is_main_process:
        print(found)
    found.require()
    return trainer


def run(config: TrainConfig, resume: bool = False, parts=None) -> dict:
    """Evaluate, train, evaluate again on held-out images, and write report.json; returns what it holds.

    `parts` are what `training.checks.checked` gave; everything that can be wrong is said before anything is
    loaded, played or replaced.
    """
    parts = checked(config) if parts is None else parts
    from .training.trainer import last_checkpoint

    processes, folder, started = launched(), config.folder, time.time()
    if processes.is_main_process:
        prepare(config, resume)
    processes.wait_for_everyone()  # nobody writes into a folder before it is emptied
    if first := config.first:
        if not finished(first):
            run(first, resume)
        config = replace(config, start_from=first.output)
        parts = replace(parts, config=config)
    measure = functools.partial(_measured, parts, processes)
    looks = config.preflight and not resume and not config.rollouts
    trainer = _ready(parts) if looks else None
    if not config.vllm:  # an engine stays; weights make room for those that are evaluated
        trainer = None
    before = measure("before", config.model, config.adapter, resume)
    processes.wait_for_everyone()
    trainer = trainer or _trainer(parts)
    checkpoint = last_checkpoint(folder) if resume else None
    trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    untouched = checkpoint is not None and int(checkpoint.name.partition("-")[2]) == trainer.state.global_step
    trained, state, memory = trainer.save_policy(), trainer.state, trainer.memory
    del trainer  # its weights make room for those that are evaluated
    processes.wait_for_everyone()
    name, adapter = (config.model, trained) if config.lora_rank else (str(trained), None)
    after = measure("after", name, adapter, untouched)
    if not processes.is_main_process:
        return {}
    report = report_of(config, state, trained, before, after)
    report |= {"seconds": time.time() - started, "memory": memory}
    write_report(folder, report)
    return report


def _measured(parts, processes, name, model, adapter, resume):
    """A report over the held-out images, played as in training; None where there are none."""
    if parts.held_out is None:
        return None
    gc.collect()
    policy = load_policy(model, adapter, max_new_tokens=parts.config.max_new_tokens, **parts.loading)
    return evaluate(policy, parts.held_out, parts.config.max_turns, parts.config.folder / "evaluation", name,
                    resume, processes=processes, judge=parts.judge, renderer=parts.renderer,
                    blind=parts.config.blinded)


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
        parts = checked(config)
    except (OSError, ImportError, RuntimeError, ValueError) as error:
        parser.error(str(error))
    try:
        report = run(config, args.resume, parts)
    except (JudgeStopped, NotReady) as stopped:
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
