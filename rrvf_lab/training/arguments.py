"""Settings in TRL's words: the arguments of its trainer, of whoever samples, and of LoRA.

Loads TRL and torch, so `train` imports it when a trainer is made.

Left out: everything `TrainConfig` has no setting for; there TRL's own defaults hold, or what `trl` and
`lora` of the settings say.
"""

from __future__ import annotations

from dataclasses import fields

from peft import LoraConfig, PeftModel
from trl import GRPOConfig, SFTConfig

from ..leaves.names import hint
from ..nano.loading import forbidden_tokens
from .config import TrainConfig
from .engine import engine_arguments

# what a setting of ours fills, by TRL's and peft's names; where the names are equal, the setting is named so
OURS = {
    "output_dir": "output", "max_steps": "steps", "num_train_epochs": "steps", "optim": "optimizer",
    "num_generations": "group", "per_device_train_batch_size": "micro_batch",
    "gradient_accumulation_steps": "prompts", "generation_batch_size": "prompts",
    "steps_per_generation": "prompts", "activation_checkpointing": "gradient_checkpointing",
    "max_tool_calling_iterations": "max_turns", "generation_kwargs": "max_new_tokens", "use_vllm": "vllm",
    "vllm_mode": "vllm", "vllm_server_base_url": "vllm_url", "save_strategy": "save_steps",
    "save_total_limit": "keep_checkpoints", "eval_strategy": "eval_steps", "do_eval": "eval_steps",
    "load_best_model_at_end": "eval_steps", "model_init_kwargs": "attn_implementation",
    "reward_weights": "reward", "r": "lora_rank", "target_modules": "lora_targets",
} | {name: name for name in (
    "seed", "learning_rate", "warmup_steps", "gradient_checkpointing", "temperature", "max_completion_length",
    "scale_rewards", "save_steps", "eval_steps", "report_to")}
# what the loop depends on
FIXED = ("bf16", "fp16", "use_cpu", "logging_steps", "logging_strategy", "dataloader_num_workers",
         "remove_unused_columns", "dataset_kwargs", "max_length", "task_type", "log_completions",
         "use_transformers_continuous_batching", "push_to_hub")


def grpo_arguments(config: TrainConfig, processor, passes: int, on_gpu: bool, longest: int = 0) -> GRPOConfig:
    """What TRL's `GRPOTrainer` is told; `passes` are the backward passes of this process in a step,
    `longest` the most tokens of a prompt and its completion (for vLLM).

    Raises ValueError for a name in `trl` that is none, or that a setting fills.

    Example: `grpo_arguments(config, processor, config.divide(1), on_gpu=False)`.
    """
    return GRPOConfig(**_any_training(config, passes, on_gpu) | dict(
        # the rollouts
        num_generations=config.group, temperature=config.temperature,
        max_completion_length=config.max_completion_length,
        max_tool_calling_iterations=config.max_turns - 1, generation_kwargs=_bounds(config, processor),
        # the loss
        loss_type="dapo", beta=0.0, scale_rewards=config.scale_rewards,
        log_completions=False,  # rollouts are recorded by us
        **engine_arguments(config, longest)) | allowed(GRPOConfig, "trl", config.trl))


def sft_arguments(config: TrainConfig, passes: int, on_gpu: bool) -> SFTConfig:
    """What TRL's `SFTTrainer` is told; the conversations come as tokens, and nothing is cut off them.

    Raises ValueError for a name in `trl` that is none, or that a setting fills.

    Example: `sft_arguments(config, config.divide(1), on_gpu=False)`.
    """
    return SFTConfig(**_any_training(config, passes, on_gpu) | dict(
        max_length=None, remove_unused_columns=False, dataset_kwargs={"skip_prepare_dataset": True})
        | allowed(SFTConfig, "trl", config.trl))


def _any_training(config, passes, on_gpu):
    """What both trainers are told in the same words."""
    return dict(
        output_dir=config.output, run_name=config.folder.name, seed=config.seed, max_steps=config.steps,
        # the optimizer
        learning_rate=config.learning_rate, warmup_steps=config.warmup_steps, lr_scheduler_type="linear",
        optim=config.optimizer, max_grad_norm=1.0,
        # a step, and how it is shared among backward passes
        per_device_train_batch_size=config.micro_batch, gradient_accumulation_steps=passes,
        gradient_checkpointing=config.gradient_checkpointing,
        dataloader_num_workers=0, bf16=on_gpu, use_cpu=not on_gpu,
        # what is written down, beside our own recordings
        report_to=[config.report_to] if config.report_to else [],
        logging_steps=1, disable_tqdm=False, save_steps=config.save_steps,
        save_total_limit=config.keep_checkpoints)


def _bounds(config, processor):
    """What bounds and forbids while sampling, in the words of the engine that samples."""
    # TRL's own list misses the video and vision tokens, which crash the loss when sampled
    tokens = forbidden_tokens(processor)
    if config.vllm:
        return {"max_tokens": config.max_new_tokens, "logit_bias": {token: -100.0 for token in tokens}}
    return {"max_new_tokens": config.max_new_tokens, "suppress_tokens": tokens}


def allowed(kind, setting: str, values: dict) -> dict:
    """`values` unchanged, to fill the dataclass `kind`; ValueError naming the first that is no field of it,
    or that a setting of ours fills.

    Example: `allowed(GRPOConfig, "trl", {"beta": 0.01})`.
    """
    known = [one.name for one in fields(kind) if one.init]
    for name, value in values.items():
        if name in OURS:
            raise ValueError(f"{setting}={{{name!r}: {value!r}}}: set {OURS[name]} instead, which fills it")
        if name in FIXED:
            raise ValueError(f"{setting}={{{name!r}: {value!r}}} cannot be changed: the loop depends on it")
        if name not in known:
            raise ValueError(f"{setting}: {kind.__name__} has no field {name!r}{hint(name, known)}")
    return values


def adapters(config: TrainConfig, model):
    """(model, LoRA for TRL to add or None): those of the run it starts from, new ones, or none (`lora_rank`
    0).

    Raises FileNotFoundError and ValueError for a `start_from` without an adapter that fits.

    Example: `model, peft_config = adapters(config, model)`.
    """
    if folder := config.adapter:
        return PeftModel.from_pretrained(model, folder, is_trainable=True), None
    return model, lora(config)


def lora(config: TrainConfig) -> LoraConfig | None:
    """The adapters to train, or None to train all weights (`lora_rank` 0).

    Raises ValueError for a name in `lora` that is none, or that a setting fills.

    Example: `lora(TrainConfig.load("demo", lora={"lora_dropout": 0.05}))`.
    """
    if not config.lora_rank:
        return None
    return LoraConfig(**dict(r=config.lora_rank, lora_alpha=2 * config.lora_rank,
                             target_modules=config.lora_targets, task_type="CAUSAL_LM")
                      | allowed(LoraConfig, "lora", config.lora))
