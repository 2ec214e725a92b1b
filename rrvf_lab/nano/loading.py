"""Weights and processor of a model of Qwen's vision family, of which the embedded one is the smallest.

Left out: models of other families, whose templates and pictures our conversations do not fit.
"""

from __future__ import annotations

from pathlib import Path

from ..leaves.files import REPOSITORY
from ..leaves.threads import calm_threads
from .distinct import encode_each_once

HOME = REPOSITORY / "data" / "nano"
# what only the template may write; sampled image or video tokens would crash or blind the loss
TEMPLATE_ONLY = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>",
                 "<|endoftext|>")


def load_model(name: str, four_bit: bool = False, max_image_tokens: int = 768, **options):
    """(model, processor, is it nano): weights from a folder or the hub, our processor, a template that knows
    tools.

    Raises FileNotFoundError for a name that is neither shipped nor a folder nor owner/model, OSError
    (transformers) for a model that the hub does not give. Example: `load_model("nano")`.
    """
    calm_threads()
    import torch
    from transformers import AutoModelForImageTextToText

    from .processor import LetterboxImageProcessor, load_processor

    shipped = [path.parent.name for path in sorted(HOME.glob("*/config.json"))]
    source = str(HOME / name) if name in shipped else name
    if not Path(source).is_dir() and "/" not in name:
        raise FileNotFoundError(f"no model {name!r}; shipped are {', '.join(shipped)} (made again by: python "
                                "data/nano/make.py); otherwise give a folder or a hub name, owner/model")
    on_gpu = torch.cuda.is_available()
    if four_bit:
        options["quantization_config"] = _nf4(torch.bfloat16 if on_gpu else torch.float32)
    if on_gpu:
        options.setdefault("device_map", {"": torch.cuda.current_device()})  # each process has its own
    elif four_bit:
        options.setdefault("device_map", {"": "cpu"})
    options.setdefault("dtype", torch.bfloat16 if on_gpu else torch.float32)
    model = encode_each_once(AutoModelForImageTextToText.from_pretrained(source, **options))
    processor = load_processor(source)
    images = processor.image_processor
    squeezes = isinstance(images, LetterboxImageProcessor)
    if not squeezes:
        pixels = (images.patch_size * images.merge_size) ** 2  # of a token
        images.size["longest_edge"] = max_image_tokens * pixels
    return model, processor, squeezes


def _nf4(compute):
    from transformers import BitsAndBytesConfig

    # full module names: the vision tower and the (often tied) head stay in full precision
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                              bnb_4bit_compute_dtype=compute,
                              llm_int8_skip_modules=["model.visual", "lm_head"])


def forbidden_tokens(processor) -> list[int]:
    """The ids that a policy may not sample: tokens that only the template may write."""
    tokenizer = processor.tokenizer
    ids = [tokenizer.convert_tokens_to_ids(name) for name in TEMPLATE_ONLY]
    return [i for i in ids if i is not None and i not in (tokenizer.eos_token_id, tokenizer.unk_token_id)]
