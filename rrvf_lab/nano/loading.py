"""Weights and processor of a model of Qwen's vision family, of which the embedded one is the smallest.

Left out: models of other families, whose templates and pictures our conversations do not fit; they are
refused before their weights are loaded.
"""

from __future__ import annotations

from pathlib import Path

from ..leaves.files import REPOSITORY
from ..leaves.names import hint
from .distinct import encode_each_once

FAMILY = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe")  # `model_type`s
HOME = REPOSITORY / "data" / "nano"
# what only the template may write; sampled image or video tokens would crash or blind the loss
TEMPLATE_ONLY = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>",
                 "<|endoftext|>")


def load_model(name: str, four_bit: bool = False, max_image_tokens: int = 768, **options):
    """(model, processor, is it nano): weights from a folder or the hub, our processor, a template that knows
    tools.

    The model's own sampling settings are left behind: it writes as it is asked to, and as in training.

    Raises FileNotFoundError for a name that is neither shipped nor a folder nor owner/model, OSError
    (transformers) for a model that the hub does not give, ValueError for one of another family. Example:
    `load_model("nano")`.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    processor, letterboxes = load_processor_of(name, max_image_tokens)
    source = _source(name)
    on_gpu = torch.cuda.is_available()
    if four_bit:
        options["quantization_config"] = _nf4(torch.bfloat16 if on_gpu else torch.float32)
    if on_gpu:
        options.setdefault("device_map", {"": torch.cuda.current_device()})  # each process has its own
    elif four_bit:
        options.setdefault("device_map", {"": "cpu"})
    options.setdefault("dtype", torch.bfloat16 if on_gpu else torch.float32)
    model = encode_each_once(AutoModelForImageTextToText.from_pretrained(source, **options))
    model.generation_config = _only_tokens(model.generation_config)
    if four_bit:
        _unpacked_where_packing_fails(model)
    return model, processor, letterboxes


def load_processor_of(name: str, max_image_tokens: int = 768):
    """(processor, is it nano) of a model, without its weights: what can be wrong with a name is found in
    seconds. Raises as `load_model` does.

    Example: `load_processor_of("nano")[0].tokenizer`.
    """
    from .processor import LetterboxImageProcessor, load_processor

    source = _source(name)
    _check_family(name, source)
    processor = load_processor(source)
    images = processor.image_processor
    letterboxes = isinstance(images, LetterboxImageProcessor)
    if not letterboxes:
        pixels = (images.patch_size * images.merge_size) ** 2  # of a token
        images.size["longest_edge"] = max_image_tokens * pixels
    return processor, letterboxes


def _source(name):
    """Where a model lies: its folder, or its name on the hub."""
    shipped = [path.parent.name for path in sorted(HOME.glob("*/config.json"))]
    source = str(HOME / name) if name in shipped else name
    if not Path(source).is_dir() and "/" not in name:
        raise FileNotFoundError(f"no model {name!r}; shipped are {', '.join(shipped)} (made again by: python "
                                "data/nano/make.py); otherwise give a folder or a hub name, owner/model")
    return source


def _check_family(name, source):
    from transformers import PreTrainedConfig

    kind = PreTrainedConfig.get_config_dict(source)[0].get("model_type")
    if kind not in FAMILY:
        raise ValueError(f"{name!r} is a model of type {kind!r}; only Qwen's vision family is loaded here "
                         f"({', '.join(FAMILY)}), whose templates and pictures the conversations fit. Serve "
                         "it (vllm serve ...) and play it with rl.EndpointPolicy(model, url)")


def _only_tokens(settings):
    """Generation settings without a checkpoint's habits (a repetition penalty, top-k ...), which training
    does not share: only which tokens begin, fill and end."""
    from transformers import GenerationConfig

    return GenerationConfig(**{f"{name}_token_id": getattr(settings, f"{name}_token_id")
                               for name in ("bos", "pad", "eos")})


def check_sampling(settings: dict) -> dict:
    """`settings` unchanged; ValueError naming the first that transformers' `GenerationConfig` does not know.

    Example: `check_sampling({"top_k": 20})`.
    """
    if settings:
        from transformers import GenerationConfig

        known = GenerationConfig().to_dict()
        for name in settings:
            if name not in known:
                raise ValueError("sampling: transformers' GenerationConfig has no "
                                 f"{name!r}{hint(name, known)}")
    return settings


def _nf4(compute):
    from transformers import BitsAndBytesConfig

    # full module names: the vision tower and the (often tied) head stay in full precision
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                              bnb_4bit_compute_dtype=compute,
                              llm_int8_skip_modules=["model.visual", "lm_head"])


def _unpacked_where_packing_fails(model):
    """bitsandbytes repacks weights for CPUs with AVX512-BF16, and fails where a row is no whole number of its
    blocks of 64, as those of nano are."""
    for module in model.modules():
        if getattr(module, "support_avx512bf16_for_cpu", False) and module.in_features % 64:
            module.support_avx512bf16_for_cpu = False


def forbidden_tokens(processor) -> list[int]:
    """The ids that a policy may not sample: tokens that only the template may write."""
    tokenizer = processor.tokenizer
    ids = [tokenizer.convert_tokens_to_ids(name) for name in TEMPLATE_ONLY]
    return [i for i in ids if i is not None and i not in (tokenizer.eos_token_id, tokenizer.unk_token_id)]
