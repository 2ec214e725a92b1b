"""Everything that can be wrong with a run, looked at in seconds: before weights are loaded, before the policy
is played, before a folder is emptied.

Left out: whether the memory will do (`memory.estimate` predicts it), whether the policy will learn
(`preflight`).
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass

from ..judge import Fallback, VLMJudge, as_judge
from ..nano.loading import load_processor_of
from ..records.store import load_rollouts
from ..render import require_isolation, shared
from .budget import check_budget, prompt_tokens
from .config import TrainConfig
from .engine import check_engine, check_processes, sharded_by
from .images import held_out, split_images, with_prompts
from .process import launched
from .trackers import check_tracker


@dataclass(frozen=True)
class Parts:
    """What a run is made of, its weights excepted: all of it there and fitting together.

    `arguments` are TRL's; `images` those it trains on (None for a supervised run), `validation` those that
    `eval_steps` plays, `held_out` those that before and after are compared on; each None where not asked for.
    """

    config: TrainConfig
    passes: int
    processor: object
    nano: bool
    arguments: object
    judge: object
    renderer: object
    images: object
    validation: object
    held_out: object

    @property
    def loading(self) -> dict:
        """How `load_model` loads the model of this run."""
        options = {"four_bit": self.config.four_bit, "max_image_tokens": self.config.max_image_tokens}
        if self.config.attn_implementation:
            options["attn_implementation"] = self.config.attn_implementation
        return options


def checked(config: TrainConfig, renderer=None, judge=None) -> Parts:
    """The parts of a run, each of which was looked at.

    `judge` is what `as_judge` takes, by default the one that the settings name. Raises FileNotFoundError for
    missing images, models and adapters, ValueError where batch sizes do not divide, the token budget does not
    hold all turns or settings do not go together, ImportError for vLLM, trackers or a judge's module that are
    not installed, and RuntimeError where this machine cannot hold untrusted programs, unless `unsafe_ok` is
    set.

    Example: `checked(TrainConfig.load("nano")).images[0]["id"]`.
    """
    if not config.vllm:  # before torch is loaded; vLLM has its own way with memory
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    import torch

    from .arguments import grpo_arguments, lora, sft_arguments

    processes = launched().num_processes
    passes = config.divide(processes)
    check_engine(config)
    check_tracker(config.report_to)
    lora(config)
    _check_start(config)
    judge = make_judge(config) if judge is None else as_judge(judge)
    renderer = shared() if renderer is None else renderer
    require_isolation(config.unsafe_ok, renderer.isolation)
    processor, nano = load_processor_of(config.model, config.max_image_tokens)
    on_gpu, images, validation = torch.cuda.is_available(), None, None
    if config.rollouts:
        from .sft import chosen

        chosen(load_rollouts(config.rollouts), config.keep_best, config.max_turns)
        arguments = sft_arguments(config, passes, on_gpu)
    else:
        budget = check_budget(config, processor, nano)
        prompt = prompt_tokens(config, processor, budget["picture"])
        arguments = grpo_arguments(config, processor, passes, on_gpu, prompt + config.max_completion_length)
        check_processes(processes, sharded_by(arguments))
        images, validation = split_images(config)
        images = with_prompts(images, config.max_turns)
    return Parts(config, passes, processor, nano, arguments, judge, renderer, images, validation,
                 held_out(config))


def _check_start(config):
    """What the run starts from: an adapter that fits, or a configuration that could be run first."""
    if first := config.first:
        checked(first)
    elif config.start_from:
        config.adapter  # noqa: B018  (says what is wrong with it)


def make_judge(config: TrainConfig):
    """The judge that the settings name: None for the embedded one, a function of a module, or a `VLMJudge` in
    a `Fallback`.

    Raises ImportError for a module that is not found, ValueError for one without that function.

    Example: `make_judge(TrainConfig.load("demo", judge="my_judges:same_colours"))`.
    """
    if config.judge is None:
        return None
    if isinstance(config.judge, str):
        return as_judge(_named(config.judge))
    arguments = dict(config.judge)
    on_unscored = arguments.pop("on_unscored", "drop")
    return Fallback(VLMJudge(**arguments), on_unscored)


def _named(name):
    module, _, function = name.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(f"judge={name!r}: {error}; give \"module:function\", of a module that Python finds "
                          f"from {os.getcwd()}") from None
    if not hasattr(found, function):
        raise ValueError(f"judge={name!r}: {found.__file__} has no {function!r}; give \"module:function\"")
    return getattr(found, function)
