"""GRPO on raw images, end to end over all turns: TRL's own trainer, our environment, every rollout recorded.

    python -m rrvf_lab.train demo            # nano-base: learn, then compare before and after on held-out images
    python -m rrvf_lab.train nano            # the same from the grounded nano
    python -m rrvf_lab.train my_config.json --resume

A run folder holds config.json, pid, log.jsonl (a row per step), rollouts/ (a file per step), checkpoint-*/, adapter/,
evaluation/, report.json and report.html. `RRVFTrainer` adds to TRL's `GRPOTrainer` only what a measurement asked for:
renders start as soon as the code is written, image tokens are counted, seconds are kept apart, rollouts with their
advantages are stored.

Left out: several machines, vLLM, a KL term (beta = 0), full fine-tuning.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from .reward import RewardWeights

ROOT = Path(__file__).resolve().parent.parent
# Loop settings of the two embedded checkpoints, then a 7B model on one GPU. All are our choice, none is the paper's.
PRESETS = {
    "demo": dict(model="nano-base", output="runs/demo"),
    "nano": dict(model="nano", output="runs/nano", learning_rate=2e-3, temperature=0.8, steps=40),
    "qwen2.5-vl-7b": dict(model="Qwen/Qwen2.5-VL-7B-Instruct", output="runs/qwen2.5-vl-7b", four_bit=True, max_turns=4,
                          learning_rate=1e-5, temperature=1.0, steps=100, micro_batch=2, max_new_tokens=1536, max_completion_length=12288,
                          lora_targets=r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"),
}


@dataclass
class TrainConfig:
    """Everything a run depends on. `TrainConfig.load("demo")` gives a preset, a path reads JSON, `**changes` override.

    `prompts` images times `group` rollouts make one step; `micro_batch` rollouts share one backward pass. `scale_rewards`
    divides advantages by the spread of the "batch" (steadier while many programs crash: groups that hardly differ push
    little) or of each "group" (TRL's and GRPO's own; learns more from small differences).
    """

    model: str = "nano-base"
    train_images: str = "data/charts/train"
    test_images: str | None = "data/charts/test"
    test_limit: int | None = 160
    output: str = "runs/demo"
    seed: int = 0
    steps: int = 64
    prompts: int = 8
    group: int = 8
    micro_batch: int = 16
    max_turns: int = 2
    learning_rate: float = 3e-3
    warmup_steps: int = 3
    scale_rewards: str = "group"
    temperature: float = 0.7
    max_new_tokens: int = 112
    max_completion_length: int = 640
    lora_rank: int = 16
    lora_targets: str = "all-linear"
    four_bit: bool = False
    unsafe_ok: bool = False
    save_steps: int = 5
    reward: dict = field(default_factory=lambda: asdict(RewardWeights()))

    @classmethod
    def load(cls, name, **changes) -> TrainConfig:
        if name in PRESETS:
            values = dict(PRESETS[name])
        elif Path(name).is_file():
            values = json.loads(Path(name).read_text())
        else:
            raise FileNotFoundError(f"no preset or file {str(name)!r}; presets: {', '.join(PRESETS)}; or give a JSON file")
        values |= changes
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown setting {unknown[0]!r}; known: {', '.join(sorted(known))}")
        return cls(**values)

    @property
    def folder(self) -> Path:
        return Path(self.output)


def _resolve(path: str) -> Path:
    """Data paths are relative to the repository when they do not exist in the working folder."""
    return Path(path) if Path(path).exists() or not (ROOT / path).exists() else ROOT / path


def dataset(config: TrainConfig):
    """The training images with the conversation TRL starts from; no column holds code or text about the image."""
    from .data import load_images
    from .environment import opening

    images = load_images(_resolve(config.train_images))
    prompts = []
    for language in images["language"]:
        system, user = opening(None, language, config.max_turns)
        prompts.append([{"role": m["role"], "content": m["content"][-1]["text"]} for m in (system, user)])
    return images.add_column("prompt", prompts)


def make_trainer(config: TrainConfig, renderer=None, judge=None):
    """A TRL `GRPOTrainer` for this run; call `.train()` as usual, or `.train(resume_from_checkpoint=...)`.

    Raises FileNotFoundError for missing images, ValueError where batch sizes do not divide, and RuntimeError where this
    machine cannot hold untrusted programs, unless `unsafe_ok` is set.

    Example: `make_trainer(TrainConfig.load("nano", steps=2)).train()`.
    """
    from peft import LoraConfig
    from trl import GRPOConfig

    from .environment import Environment
    from .policy import forbidden_tokens, load_model
    from .render import shared
    from .sandbox import require_isolation
    from .trainer import RRVFTrainer

    batch = config.prompts * config.group
    if batch % config.micro_batch:
        raise ValueError(f"micro_batch={config.micro_batch} does not divide prompts x group = {batch}; choose a divisor")
    renderer = renderer if renderer is not None else shared()
    require_isolation(config.unsafe_ok, renderer.isolation)
    model, processor, nano = load_model(config.model, config.four_bit)
    on_gpu = model.device.type == "cuda"
    arguments = GRPOConfig(
        output_dir=config.output, seed=config.seed, max_steps=config.steps, learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps, lr_scheduler_type="linear", per_device_train_batch_size=config.micro_batch,
        gradient_accumulation_steps=batch // config.micro_batch, num_generations=config.group,
        temperature=config.temperature, max_completion_length=config.max_completion_length,
        max_tool_calling_iterations=config.max_turns - 1, beta=0.0, loss_type="dapo", scale_rewards=config.scale_rewards,
        # TRL's own list of suppressed tokens misses the video and vision tokens, which crash the loss when sampled
        generation_kwargs={"suppress_tokens": forbidden_tokens(processor), "max_new_tokens": config.max_new_tokens},
        bf16=on_gpu, use_cpu=not on_gpu, gradient_checkpointing=on_gpu, report_to=[], logging_steps=1,
        save_steps=config.save_steps, save_total_limit=2, dataloader_num_workers=0, disable_tqdm=False,
        log_completions=False, max_grad_norm=1.0)
    weights = RewardWeights(**config.reward)
    environment = lambda: Environment(renderer, judge, config.max_turns, difference=nano, weights=weights)  # noqa: E731
    lora = LoraConfig(r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=config.lora_targets,
                      task_type="CAUSAL_LM")
    return RRVFTrainer(config, model=model, args=arguments, train_dataset=dataset(config), processing_class=processor,
                       peft_config=lora, environment_factory=environment)


def trained_by(folder):
    """The live process (psutil) of `python -m rrvf_lab.train` for this folder, or None; a pid used again is not it."""
    import psutil

    try:
        process = psutil.Process(int((Path(folder) / "pid").read_text()))
        return process if "rrvf_lab.train" in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def prepare(config: TrainConfig, resume: bool = False) -> Path:
    """Make the run folder this process's own: emptied unless resuming, with config.json and pid; returns it.

    Raises FileExistsError for a folder that is not a run, and RuntimeError while another process trains into it.
    """
    folder = config.folder
    if (other := trained_by(folder)) and other.pid != os.getpid():
        raise RuntimeError(f"{folder} is being trained by process {other.pid}; stop that (kill {other.pid}) or choose "
                           "another output")
    if folder.exists() and not resume:
        if not (folder / "config.json").exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} holds something that is not a run; choose another --output")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(config), indent=2))
    (folder / "pid").write_text(str(os.getpid()))
    return folder


def run(config: TrainConfig, resume: bool = False) -> dict:
    """Evaluate, train, evaluate again on held-out images, and write the report; returns what report.json holds."""
    from .evaluate import compare, evaluate
    from .policy import load_policy
    from .report import write_report
    from .trainer import last_checkpoint

    folder = prepare(config, resume)
    started = time.time()
    images = _held_out(config)
    before = None
    if images is not None:
        before = evaluate(load_policy(config.model, four_bit=config.four_bit), images, config.max_turns,
                          record=folder / "evaluation", name="before", resume=resume)
    trainer = make_trainer(config)
    checkpoint = last_checkpoint(folder) if resume else None
    trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    adapter = folder / "adapter"
    trainer.model.peft_config["default"].base_model_name_or_path = config.model
    trainer.model.save_pretrained(adapter)
    report = {"config": asdict(config), "steps": trainer.state.global_step, "adapter": str(adapter),
              "log": [row for row in trainer.state.log_history if "reward" in row]}
    report["seconds_by"] = {k: sum(row.get(f"seconds/{k}", 0.0) for row in report["log"])
                            for k in ("generate", "render", "judge", "update")}
    if images is not None:
        policy = load_policy(config.model, adapter=adapter, four_bit=config.four_bit)
        after = evaluate(policy, images, config.max_turns, record=folder / "evaluation", name="after")
        report |= compare(before, after)
    report["seconds"] = time.time() - started
    write_report(folder, report)
    return report


def _held_out(config):
    from .data import load_images

    if config.test_images is None:
        return None
    images = load_images(_resolve(config.test_images))
    return images.select(range(min(len(images), config.test_limit or len(images))))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m rrvf_lab.train", description=__doc__.split("\n\n")[0])
    parser.add_argument("config", help=f"a preset ({', '.join(PRESETS)}) or a JSON file")
    parser.add_argument("--resume", action="store_true", help="go on from the last complete checkpoint of the run folder")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change settings, for example steps=10 seed=1")
    args = parser.parse_args(argv)
    changes = {}
    for item in args.set:
        name, _, value = item.partition("=")
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value
    try:
        config = TrainConfig.load(args.config, **changes)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    report = run(config, args.resume)
    if "gain" in report:
        b, a = report["before"], report["after"]
        print(f"held-out vision {b['vision']:.3f} -> {a['vision']:.3f}, gain {report['gain']:+.3f} +- {report['gain_se']:.3f} "
              f"(n = {a['n']}); execution rate {b['exec']:.0%} -> {a['exec']:.0%}; {report['seconds'] / 60:.1f} minutes")
    print(f"report: {config.folder / 'report.html'}")


if __name__ == "__main__":
    main()
