"""Settings in TRL's words: the arguments of its trainer, of whoever samples, and of LoRA.

Loads TRL and torch, so `train` imports it when a trainer is made.

Left out: everything `TrainConfig` has no setting for; there TRL's own defaults hold.
"""

from __future__ import annotations

from importlib.util import find_spec

from peft import LoraConfig, PeftModel
from trl import GRPOConfig, SFTConfig

from ..nano.loading import forbidden_tokens
from .config import TrainConfig


def grpo_arguments(config: TrainConfig, processor, passes: int, on_gpu: bool) -> GRPOConfig:
    """What TRL's `GRPOTrainer` is told; `passes` are the backward passes of this process in a step.

    Example: `grpo_arguments(config, processor, config.divide(1), on_gpu=False)`.
    """
    return GRPOConfig(
        **_any_training(config, passes, on_gpu),
        # the rollouts
        num_generations=config.group, temperature=config.temperature,
        max_completion_length=config.max_completion_length,
        max_tool_calling_iterations=config.max_turns - 1, generation_kwargs=_bounds(config, processor),
        **_engine(config),
        # the loss
        loss_type="dapo", beta=0.0, scale_rewards=config.scale_rewards,
        log_completions=False)  # rollouts are recorded by us


def sft_arguments(config: TrainConfig, passes: int, on_gpu: bool) -> SFTConfig:
    """What TRL's `SFTTrainer` is told; the conversations come as tokens, and nothing is cut off them.

    Example: `sft_arguments(config, config.divide(1), on_gpu=False)`.
    """
    return SFTConfig(**_any_training(config, passes, on_gpu), max_length=None, remove_unused_columns=False,
                     dataset_kwargs={"skip_prepare_dataset": True})


def _any_training(config, passes, on_gpu):
    """What both trainers are told in the same words."""
    return dict(
        output_dir=config.output, seed=config.seed, max_steps=config.steps, report_to=[],
        # the optimizer
        learning_rate=config.learning_rate, warmup_steps=config.warmup_steps, lr_scheduler_type="linear",
        optim=config.optimizer, max_grad_norm=1.0,
        # a step, and how it is shared among backward passes
        per_device_train_batch_size=config.micro_batch, gradient_accumulation_steps=passes,
        gradient_checkpointing=config.gradient_checkpointing,
        dataloader_num_workers=0, bf16=on_gpu, use_cpu=not on_gpu,
        # what is written down, beside our own recordings
        logging_steps=1, disable_tqdm=False, save_steps=config.save_steps, save_total_limit=2)


def _bounds(config, processor):
    """What bounds and forbids while sampling, in the words of the engine that samples."""
    # TRL's own list misses the video and vision tokens, which crash the loss when sampled
    tokens = forbidden_tokens(processor)
    if config.vllm:
        return {"max_tokens": config.max_new_tokens, "logit_bias": {token: -100.0 for token in tokens}}
    return {"max_new_tokens": config.max_new_tokens, "suppress_tokens": tokens}


def _engine(config):
    """Who samples: transformers, or vLLM in this process or behind an address."""
    if not config.vllm:
        return {}
    engine = {"use_vllm": True, "vllm_mode": config.vllm, "vllm_gpu_memory_utilization": 0.3}
    if config.vllm_url:
        return engine | {"vllm_server_base_url": config.vllm_url}
    return engine | {"vllm_enable_sleep_mode": True}


def require_vllm(config: TrainConfig) -> None:
    """ImportError where the settings ask for vLLM and it is not installed."""
    if config.vllm and find_spec("vllm") is None:
        raise ImportError(f"vllm={config.vllm!r} needs vLLM, which is not installed: .venv/bin/python -m pip "
                          "install 'trl[vllm]'; or set vllm=null to sample with transformers")


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
    """The adapters to train, or None to train all weights (`lora_rank` 0)."""
    if not config.lora_rank:
        return None
    return LoraConfig(r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=config.lora_targets,
                      task_type="CAUSAL_LM")
