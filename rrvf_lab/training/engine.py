"""Sampling with vLLM: what TRL 1.16 hands it wrongly is put right here, and what cannot work is refused.

Four things. TRL sends a prompt whose image tokens are already repeated, and vLLM, which repeats each image
token it finds itself, would repeat them again: each run goes back to one token (in this process; a server is
sent features beside the tokens, and there TRL places them on the runs). vLLM prepares pictures with the
checkpoint's own bounds: they are scaled down to ours first, with our own image processor's sizes, and
scaling what has that size already changes nothing. TRL merges LoRA into the weights to send them and takes it
out again, which leaves rounding errors behind: here the sum is made on the way, and the weights are not
touched. And where several processes ask one engine together, each has to ask as often and for as many
prompts as the others, though their rollouts end in different turns: those that have nothing left ask for a
prompt of one token.

Left out: vLLM itself. No GPU has run this; the tests have an engine that matches placeholders as vLLM does.
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import groupby

from packaging.requirements import Requirement

from ..leaves.pictures import rgb
from .config import TrainConfig

CLASHES = ("transformers", "torch")     # what vLLM pins and training needs newer
SHARE = 0.4                             # of a GPU's memory, for vLLM beside training


def engine_arguments(config: TrainConfig, longest: int) -> dict:
    """The settings of vLLM in TRL's words; `longest` is the most tokens of a prompt and its completion.

    A checkpoint's own context, 128 k tokens and more, would take all memory for keys and values. Sleeping
    between turns would send all weights again in each, so it is off. Each can be set otherwise in `trl`.
    """
    if not config.vllm:
        return {}
    engine = {"use_vllm": True, "vllm_mode": config.vllm}
    if config.vllm == "server":
        return engine | {"vllm_server_base_url": config.vllm_url}
    return engine | {"vllm_gpu_memory_utilization": SHARE, "vllm_max_model_length": -(-longest // 64) * 64,
                     "vllm_enable_sleep_mode": False}


def check_engine(config: TrainConfig) -> None:
    """ImportError where the settings ask for vLLM and it is not installed, or with other versions of what
    training uses than it was made for."""
    if not config.vllm:
        return
    try:
        needs = [Requirement(line) for line in requires("vllm") or []]
    except PackageNotFoundError:
        raise ImportError(f"vllm={config.vllm!r} needs vLLM, which is not installed: .venv/bin/python -m pip "
                          "install 'trl[vllm]'; or set vllm=null to sample with transformers") from None
    for need in needs:
        if need.name in CLASHES and not need.specifier.contains(version(need.name), prereleases=True):
            raise ImportError(
                f"vllm={config.vllm!r}: vLLM {version('vllm')} needs {need}, and {need.name} "
                f"{version(need.name)} is installed: .venv/bin/python -m pip install '{need}', or set "
                "vllm=null to sample with transformers")


def check_processes(processes: int, sharded: str | None) -> None:
    """ValueError for weights that several processes share; `sharded` says by what.

    Each forward pass then waits for all processes, and rollouts end in different turns: one that has none
    left would leave the others waiting for ever.
    """
    if sharded and processes > 1:
        raise ValueError(
            f"{sharded} over {processes} processes: those that share weights sample together, and rollouts "
            "end in different turns, so the run would hang. Use copies (accelerate launch --multi_gpu), with "
            "four_bit=true for what does not fit")


def sharded_by(arguments) -> str | None:
    """What shares weights among processes, by TRL's arguments: "FSDP", "DeepSpeed ZeRO-3" or None."""
    if arguments.fsdp or os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true":
        return "FSDP"
    plugin = arguments.deepspeed_plugin
    return "DeepSpeed ZeRO-3" if plugin is not None and plugin.zero_stage == 3 else None


def one_each(ids: list[int], token: int) -> list[int]:
    """`ids` with each run of `token` as one.

    Example: `one_each([5, 7, 7, 7, 6, 7], token=7) == [5, 7, 6, 7]`.
    """
    return [one for key, run in groupby(ids) for one in ([key] if key == token else run)]


def scaled(picture, images):
    """`picture` in the size that the image processor `images` of a Qwen-VL gives it; itself where it has
    that."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    height, width = smart_resize(picture.height, picture.width, factor=images.patch_size * images.merge_size,
                                 min_pixels=images.size["shortest_edge"],
                                 max_pixels=images.size["longest_edge"])
    if picture.size == (width, height):
        return picture
    return rgb(picture).resize((width, height), images.resample)


def mend(generation, processor, calls: int) -> Together:
    """Put right what TRL's `VLLMGeneration` hands to vLLM; returns what counts its calls.

    `calls` are those of a step, at most.
    """
    plain, together = generation.generate, Together(generation, calls)

    def generate(prompts, images, num_generations, profiler=None):
        if images is not None:
            images = [some and [scaled(one, processor.image_processor) for one in some] for some in images]
        if generation.mode == "colocate":
            prompts = [one_each(ids, processor.image_token_id) for ids in prompts]
        return plain(prompts, images, num_generations, profiler)

    generation.generate = together.asking(generate)
    if hasattr(generation.model, "peft_config"):
        generation._iter_named_params = lambda: with_lora(generation)
    return together


def with_lora(generation):
    """(name for vLLM, weight with its LoRA added) of each weight of a PEFT model."""
    model = generation.model
    layers = {f"{name}.base_layer.weight": layer for name, layer in model.named_modules()
              if hasattr(layer, "get_delta_weight")}
    for name, weight in model.named_parameters():
        if model.prefix in name or "original_module" in name:
            continue
        full = weight.data
        if layer := layers.get(name):
            for adapter in layer.active_adapters:
                full = (full + layer.get_delta_weight(adapter)).to(full.dtype)
        name = name.removeprefix("base_model.model.").replace(".base_layer", "")
        yield generation._fix_param_name_to_vllm(name, extra_prefixes=["modules_to_save.default."]), full


class Together:
    """Calls of one engine that several processes make together: as many of each, for as many prompts.

    `finish` makes the calls that are left of a step. Alone it does nothing.
    """

    def __init__(self, generation, calls: int):
        self.calls, self.made = calls, 0
        shared = generation.mode == "server" or generation.tensor_parallel_size > 1
        self.needed = shared and generation.accelerator.num_processes > 1

    def asking(self, generate):
        """`generate`, which fills up what this process asks for to what the others do."""
        if not self.needed:
            return generate

        def asked(prompts, images, num_generations, profiler=None):
            from accelerate.utils import gather_object

            self.made += 1
            if not (most := max(gather_object([len(prompts)]))):
                return [], [], [], []
            missing = most - len(prompts)
            images = None if images is None else images + [None] * missing
            told = generate(prompts + [[0]] * missing, images, num_generations, profiler)
            return tuple(part and part[:len(prompts)] for part in told)

        self.ask = asked
        return asked

    def finish(self):
        """Take part in what others still ask for in this step."""
        while self.needed and self.made < self.calls:
            self.ask([], None, 1)
        self.made = 0
