"""GRPO on raw images, end to end over all turns: TRL's own trainer, our environment, every rollout recorded.

    python -m rrvf_lab.train demo            # nano-base: learn, then compare before and after on held-out images
    python -m rrvf_lab.train nano            # the same from the grounded nano
    python -m rrvf_lab.train my_run.yaml --resume
    accelerate launch --multi_gpu --num_processes 2 -m rrvf_lab.train nano   # also on CPUs; see notebooks/SCALING.md

A run folder holds config.json, pid, log.jsonl (a row per step), rollouts/ (a file per step and process),
checkpoint-*/, adapter/ (or model/), evaluation/, report.json and report.html. `RRVFTrainer` adds to TRL's
`GRPOTrainer` only what a measurement asked for. Of several processes the first evaluates and writes the report, each
renders its own rollouts; the run folder must be one that all see.

Left out: a KL term (beta = 0), schedulers of our own, evaluation spread over processes.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path

from .training.config import TrainConfig, check_names
from .reward import RewardWeights

ROOT = Path(__file__).resolve().parent.parent


def _resolve(path: str) -> Path:
    """Data paths are relative to the repository when they do not exist in the working folder."""
    return Path(path) if Path(path).exists() or not (ROOT / path).exists() else ROOT / path


def dataset(config: TrainConfig):
    """The training images with the conversation TRL starts from; no column holds code or text about the image."""
    from datasets import Image

    from .data import load_images
    from .environment import opening

    images = load_images(_resolve(config.train_images))
    prompts = []
    for language in images["language"]:
        system, user = opening(None, language, config.max_turns)
        prompts.append([{"role": m["role"], "content": m["content"][-1]["text"]} for m in (system, user)])
    images = images.add_column("prompt", prompts).cast_column("image", Image(decode=False))
    return images.with_transform(_decoded)


def _decoded(batch):
    if "image" in batch:
        batch["image"] = [_picture(one["path"], one["bytes"]) for one in batch["image"]]
    return batch


@functools.lru_cache(64)
def _picture(path, data):
    """One decoded image; a step asks for each of its images dozens of times (group, backward passes)."""
    from PIL import Image

    with Image.open(path if data is None else io.BytesIO(data)) as picture:
        return picture.convert("RGB")


def token_budget(config: TrainConfig, processor, difference: bool = False) -> dict[str, int]:
    """Tokens after the prompt when every turn and every reply of the tool is as long as it can be.

    `picture` is one picture at most, `reply` one reply with its pictures and feedback, `needed` the whole completion.
    Counted with the model's own processor and template.

    Example: `token_budget(config, load_policy("nano").processor)["needed"]`.
    """
    from PIL import Image

    from .environment import TOKENS_OF_TEXT, reply
    from .judge.pixel import Verdict
    from .render.renderer import Rendering

    huge = Image.new("RGB", (3000, 3000), "white")
    grid = processor.image_processor(images=[huge], return_tensors="pt")["image_grid_thw"]
    picture = int(grid.prod()) // processor.image_processor.merge_size ** 2
    blocks = reply(huge, Rendering(huge), Verdict(1.0, ""), huge if difference else False)
    asked = [{"role": "user", "content": blocks[-1:]}]
    told = [*asked, {"role": "assistant", "content": [{"type": "text", "text": ""}]},
            {"role": "tool", "name": "render", "content": blocks}]
    before, after = (len(processor.tokenizer(text)["input_ids"]) for text in processor.apply_chat_template(
        [asked, told], tokenize=False, add_generation_prompt=True))
    shown = sum(part["type"] == "image" for part in blocks)
    one = after - before + shown * (picture - 1) + TOKENS_OF_TEXT  # the template writes one token for each picture
    return {"picture": picture, "reply": one,
            "needed": config.max_turns * config.max_new_tokens + (config.max_turns - 1) * one}


def check_budget(config: TrainConfig, processor, difference: bool = False) -> None:
    """ValueError unless `max_completion_length` holds all turns; TRL would drop a tool's reply without a word."""
    budget = token_budget(config, processor, difference)
    if budget["needed"] > config.max_completion_length:
        raise ValueError(
            f"max_completion_length={config.max_completion_length} does not hold max_turns={config.max_turns}: "
            f"{config.max_turns} x {config.max_new_tokens} new tokens and {config.max_turns - 1} x {budget['reply']} of "
            f"the tool's replies (pictures of {budget['picture']}) are {budget['needed']}; set "
            f"max_completion_length={-(-budget['needed'] // 64) * 64}, or fewer max_turns, max_new_tokens or "
            "max_image_tokens")


def make_judge(config: TrainConfig):
    """The judge that the settings name: None for the embedded one, else a `VLMJudge` in a `Fallback`."""
    if config.judge is None:
        return None
    from .judge.vlm import Fallback, VLMJudge

    arguments = dict(config.judge)
    on_unscored = arguments.pop("on_unscored", "drop")
    return Fallback(VLMJudge(**arguments), on_unscored)


def make_trainer(config: TrainConfig, renderer=None, judge=None):
    """A TRL `GRPOTrainer` for this run; call `.train()` as usual, or `.train(resume_from_checkpoint=...)`.

    Raises FileNotFoundError for missing images, ValueError where batch sizes do not divide or the token budget does not
    hold all turns, ImportError for vLLM where it is not installed, and RuntimeError where this machine cannot hold
    untrusted programs, unless `unsafe_ok` is set.

    Example: `make_trainer(TrainConfig.load("nano", steps=2)).train()`.
    """
    from peft import LoraConfig
    from trl import GRPOConfig

    from .environment import Environment
    from .policy import load_model
    from .render.renderer import shared
    from .render.sandbox import require_isolation
    from .training.trainer import RRVFTrainer

    passes = config.divide(launched().num_processes)
    if config.vllm:
        _require_vllm(config)
    renderer = renderer if renderer is not None else shared()
    require_isolation(config.unsafe_ok, renderer.isolation)
    model, processor, nano = load_model(config.model, config.four_bit, config.max_image_tokens)
    check_budget(config, processor, nano)
    on_gpu = model.device.type == "cuda"
    arguments = GRPOConfig(
        output_dir=config.output, seed=config.seed, max_steps=config.steps, learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps, lr_scheduler_type="linear", optim=config.optimizer,
        per_device_train_batch_size=config.micro_batch, gradient_accumulation_steps=passes,
        num_generations=config.group, temperature=config.temperature,
        max_completion_length=config.max_completion_length, max_tool_calling_iterations=config.max_turns - 1, beta=0.0,
        loss_type="dapo", scale_rewards=config.scale_rewards, generation_kwargs=_sampling(config, processor),
        bf16=on_gpu, use_cpu=not on_gpu, gradient_checkpointing=config.gradient_checkpointing, report_to=[],
        logging_steps=1, save_steps=config.save_steps, save_total_limit=2, dataloader_num_workers=0, disable_tqdm=False,
        log_completions=False, max_grad_norm=1.0, **_vllm(config))
    judge = judge if judge is not None else make_judge(config)
    weights = RewardWeights(**config.reward)
    environment = lambda: Environment(renderer, judge, config.max_turns, difference=nano, weights=weights)  # noqa: E731
    lora = LoraConfig(r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=config.lora_targets,
                      task_type="CAUSAL_LM") if config.lora_rank else None
    return RRVFTrainer(config, model=model, args=arguments, train_dataset=dataset(config), processing_class=processor,
                       peft_config=lora, environment_factory=environment)


def _sampling(config, processor):
    """What bounds and forbids while sampling, in the words of the engine that samples."""
    # TRL's own list of suppressed tokens misses the video and vision tokens, which crash the loss when sampled
    from .policy import forbidden_tokens

    tokens = forbidden_tokens(processor)
    if config.vllm:
        return {"max_tokens": config.max_new_tokens, "logit_bias": {token: -100.0 for token in tokens}}
    return {"max_new_tokens": config.max_new_tokens, "suppress_tokens": tokens}


def _require_vllm(config):
    from importlib.util import find_spec

    if find_spec("vllm") is None:
        raise ImportError(f"vllm={config.vllm!r} needs vLLM, which is not installed: .venv/bin/python -m pip install "
                          "'trl[vllm]'; or set vllm=null to sample with transformers")


def _vllm(config):
    if not config.vllm:
        return {}
    return {"use_vllm": True, "vllm_mode": config.vllm, "vllm_gpu_memory_utilization": 0.3} | (
        {"vllm_server_base_url": config.vllm_url} if config.vllm_url else {"vllm_enable_sleep_mode": True})


def launched():
    """The processes of this launch (accelerate's `PartialState`); one without a launcher."""
    from datetime import timedelta

    import torch
    from accelerate import PartialState

    # without `cpu` the processes of a launch on CPUs would not find each other; the others wait while the first evaluates
    return PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(days=1))


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
    from .show.pages import write_report
    from .training.trainer import last_checkpoint

    processes, folder, started = launched(), config.folder, time.time()
    if processes.is_main_process:
        prepare(config, resume)
    images = _held_out(config)
    options = {"four_bit": config.four_bit, "max_image_tokens": config.max_image_tokens}
    before = None
    if images is not None and processes.is_main_process:
        before = evaluate(load_policy(config.model, **options), images, config.max_turns,
                          record=folder / "evaluation", name="before", resume=resume)
    processes.wait_for_everyone()
    trainer = make_trainer(config)
    checkpoint = last_checkpoint(folder) if resume else None
    trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    untouched = checkpoint is not None and int(checkpoint.name.partition("-")[2]) == trainer.state.global_step
    trained = trainer.save_policy()
    if not processes.is_main_process:
        return {}
    report = {"config": asdict(config), "steps": trainer.state.global_step, "adapter": str(trained),
              "log": [row for row in trainer.state.log_history if "reward" in row]}
    report["seconds_by"] = {k: sum(row.get(f"seconds/{k}", 0.0) for row in report["log"])
                            for k in ("generate", "render", "judge", "update")}
    if images is not None:
        policy = load_policy(config.model, adapter=trained, **options) if config.lora_rank else load_policy(
            str(trained), **options)
        after = evaluate(policy, images, config.max_turns, record=folder / "evaluation", name="after",
                         resume=untouched)
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


def settings(items: list[str]) -> dict:
    """NAME=VALUE words of a command line as settings; values are read as JSON, else taken as text."""
    changes = {}
    for item in items:
        name, _, value = item.partition("=")
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value
    return check_names(changes)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m rrvf_lab.train", description=__doc__.split("\n\n")[0])
    parser.add_argument("config", help=f"a shipped configuration ({', '.join(TrainConfig.names())}) or a YAML or JSON file")
    parser.add_argument("--resume", action="store_true", help="go on from the last complete checkpoint of the run folder")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change settings, for example steps=10 seed=1")
    args = parser.parse_args(argv)
    try:
        config = TrainConfig.load(args.config, **settings(args.set))
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    report = run(config, args.resume)
    if "gain" in report:
        b, a = report["before"], report["after"]
        print(f"held-out vision {b['vision']:.3f} -> {a['vision']:.3f}, gain {report['gain']:+.3f} +- {report['gain_se']:.3f} "
              f"(n = {a['n']}); execution rate {b['exec']:.0%} -> {a['exec']:.0%}; {report['seconds'] / 60:.1f} minutes")
    if report:
        print(f"report: {config.folder / 'report.html'}")


if __name__ == "__main__":
    main()
