"""The embedded vision-language model: its tokenizer, processor and configuration. `python -m rrvf_lab.nano` makes it again.

`nano` is a Qwen3-VL of about a million parameters (stock transformers classes) with its own tokenizer, shipped in
data/nano beside `nano-base`, an early one with room to learn. `coldstart.py` trains both from nothing.

Left out: free text, two-digit values and other scales. This is a classifier of words and digits, not OCR.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from transformers import (AutoImageProcessor, AutoProcessor, BatchFeature, PreTrainedConfig, PreTrainedTokenizerFast, Qwen3VLConfig,
                          Qwen3VLForConditionalGeneration)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor
from transformers.processing_utils import ProcessorMixin

from . import dialect
from ..environment import LIBRARIES, request
from ..judge.pixel import NAMES

HOME = Path(__file__).resolve().parent.parent / "data" / "nano"
WIDTH, HEIGHT, PATCH, MERGE = 224, 168, 14, 2
IMAGE_TOKENS = WIDTH * HEIGHT // (PATCH * MERGE) ** 2  # 48

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
           "<|video_pad|>"]
TAGS = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<answer>", "</answer>"]

# Qwen's conversation grammar without the tool boilerplate and the system text: nano's cold start taught it the rules.
CHAT_TEMPLATE = """\
{%- macro blocks(content) -%}
{%- if content is string -%}{{- content -}}
{%- else -%}{%- for part in content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>{%- elif part.type == 'text' -%}{{- part.text -}}{%- endif -%}
{%- endfor -%}{%- endif -%}
{%- endmacro -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}
{{- '<|im_start|>user\\n' + blocks(message.content) + '<|im_end|>\\n' -}}
{%- elif message.role == 'assistant' -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if message.reasoning_content -%}{{- '<think>' + message.reasoning_content + '</think>\\n' -}}{%- endif -%}
{{- blocks(message.content) -}}
{%- for call in message.tool_calls or [] -%}
{%- set function = call.function or call -%}
{{- '<tool_call>\\n{"name": "' + function.name + '", "arguments": ' + (function.arguments | tojson) + '}\\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- elif message.role == 'tool' -%}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}
{{- '\\n<tool_response>\\n' + blocks(message.content) + '\\n</tool_response>' -}}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}{{- '<|im_end|>\\n' -}}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""


class SqueezingImageProcessor(Qwen2VLImageProcessorPil):
    """Qwen's image processor, except that every image becomes 224 x 168: nano knows one grid of patches."""

    def resize(self, image, size, resample, factor, **kwargs):
        return super(Qwen2VLImageProcessorPil, self).resize(
            image=image, size=type(size)(height=HEIGHT, width=WIDTH), resample=resample)

    def _preprocess(self, images, **settings):
        """Remembers what it prepared: training asks for every target dozens of times, and resizing is half the work."""
        prepare = super()._preprocess
        patches = [_remembered(prepare, image, settings) for image in images]
        grid = np.array([[1, HEIGHT // PATCH, WIDTH // PATCH]] * len(patches), dtype=np.int64)
        return BatchFeature({"pixel_values": np.concatenate(patches), "image_grid_thw": grid},
                            tensor_type=settings["return_tensors"])


_PREPARED = OrderedDict()  # here and not on the processor, whose attributes are saved with a checkpoint
_MOST = 256                # pictures, 450 kB each


def _remembered(prepare, image, settings):
    settings = settings | {"return_tensors": None}
    key = image.shape, hash(image.tobytes()), repr(settings)
    patches = _PREPARED.pop(key, None)
    if patches is None:
        patches = prepare([image], **settings)["pixel_values"]
    _PREPARED[key] = patches
    if len(_PREPARED) > _MOST:
        _PREPARED.popitem(last=False)
    return patches


class ImageTextProcessor(Qwen3VLProcessor):
    """Qwen's processor without the video processor, which needs torchvision even when no video is ever seen.

    transformers derives the parts to load from this signature; nothing else differs.
    """

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **kwargs):
        for name in ("image", "video"):
            token = f"<|{name}_pad|>"
            setattr(self, f"{name}_token", token)
            setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))
        for name in ("vision_start", "vision_end"):
            token = f"<|{name}|>"
            setattr(self, f"{name}_token", token)
            setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


class _Key(PreTrainedConfig):
    """Only a key: transformers finds custom classes by name among those registered under some configuration."""

    model_type = "rrvf_nano"


# So that stock `AutoProcessor.from_pretrained(folder)` finds both classes by the names a checkpoint stores.
AutoProcessor.register(_Key, ImageTextProcessor, exist_ok=True)
AutoImageProcessor.register(_Key, exist_ok=True, image_processor_classes=dict.fromkeys(("pil", "torchvision"),
                                                                                        SqueezingImageProcessor))


def load_processor(source: str) -> ImageTextProcessor:
    """The processor of a Qwen-family checkpoint, with a template and a turn parser that know tools.

    Qwen2.5-VL's shipped template ignores tools; TRL's copy of the Qwen3-VL grammar uses the same tokens.
    """
    from importlib.resources import files

    from trl.chat_template_utils import qwen3_template

    processor = ImageTextProcessor.from_pretrained(source)
    if not isinstance(processor.image_processor, SqueezingImageProcessor):
        processor.chat_template = (files("trl") / "chat_templates" / "qwen3_vl.jinja").read_text()
    processor.tokenizer.response_template = qwen3_template
    return processor


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, a few hundred merges for error messages and feedback, and one token for each piece of the dialect."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from trl.chat_template_utils import qwen3_template

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=640, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(_prose(), trainer)
    pieces = [*TAGS, *_pieces()]
    tokenizer.add_tokens([AddedToken(p, normalized=False, special=False) for p in pieces])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>",
                                   additional_special_tokens=SPECIAL[1:], clean_up_tokenization_spaces=False,
                                   padding_side="left")
    fast.response_template = qwen3_template  # how TRL parses a turn; saved with the tokenizer
    return fast


def _pieces() -> list[str]:
    """Every string of the dialect that should be one token, in reading and code alike, so that copying is easy."""
    head = json.dumps(dialect.HEAD)[1:-1]
    code = ['\n{"name": "render", "arguments": {"code": "' + head, "ax.bar(", "ax.barh(", "ax.plot(", "ax.fill_between(",
            "ax.stairs(", "ax.scatter(range(1, 10), ", ", fill=True", ", marker='o'", ", s=60", ", width=-0.4, align='edge'",
            ", width=0.4, align='edge'", ", color='", "')", "\\nax.bar(", "\\nax.set_xlim(0, 10)", "\\nax.set_ylim(0, 10)",
            "\\nax.set_title('", "', y=1)\\nax.set_xlabel('", "')\\nax.set_ylabel('", "')\\nax.grid(True)", '\\n', '"}}\n',
            '\')"}}\n', '")"}}\n', "[", "]", ", ["]
    code += [f"list('{dialect.LETTERS[:n]}')" for n in range(1, 9)]
    words = [*dialect.COLOURS, *dialect.TITLES, *dialect.XLABELS, *dialect.YLABELS, *dialect.KINDS]
    digits = [str(d) for d in range(10)] + [f", {d}" for d in range(10)] + ["None", ", None"]
    think = ["; ", ": ", " / ", "; grid", " -> ", "value ", "second ", "title: ", "xlabel: ", "ylabel: ", "colour: ",
             "grid: on", "grid: off", "Looks right.", "turn ", ". ", "\n"]
    judge = ["Score 0.", "No difference seen.", " differs.", "X label", "Y label", "Title", "Grid", "Type", "Missing ",
             "Extra ", "Too low at ", "Too high at ", "Too short at ", "Too long at ", "%.", "Too few marks.", "Too many marks.",
             "Failed: ", "Legend missing.", "ticks differ."]
    return list(dict.fromkeys([*code, *words, *digits, *think, *judge]))


def _prose() -> list[str]:
    """Texts that are neither dialect nor special: requests, the judge's sentences, Python's error messages."""

    judged = [f"{word} {name}." for word in ("Missing", "Extra") for name in NAMES]
    judged += [f"Too {how} at {p}%." for how in ("low", "high", "short", "long") for p in range(0, 101, 5)]
    judged += ["Title differs.", "X label differs.", "Y label differs.", "X ticks differ.", "Y ticks differ.", "Grid differs.",
               "Type differs.", "Too few marks.", "Too many marks.", "No difference seen.", "Blank.", "Too small.", "Too large.",
               "Shifted left.", "Shifted right.", "Shifted up.", "Shifted down.", "Aspect differs.", "Legend missing."]
    judged = [f"Score 0. {sentence} {sentence}" for sentence in judged]
    errors = ["ValueError: shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is between arg 0 with "
              "shape (4,) and arg 1 with shape (5,).", "ValueError: x and y must have same first dimension, but have "
              "shapes (4,) and (5,)", "ValueError: x and y must be the same size", "SyntaxError: invalid syntax",
              "SyntaxError: '[' was never closed", "NameError: name 'ax' is not defined", "no figure was drawn",
              "ValueError: operands could not be broadcast together with shapes (4,) (5,)",
              "AttributeError: 'Axes' object has no attribute 'grids'", "TypeError: unsupported operand",
              "SyntaxError: unterminated string literal (detected at line 4)", "IndexError: list index out of range"]
    texts = [request(language) for language in LIBRARIES] + judged + ["Failed: " + e for e in errors]
    return texts * 20


def build_model(tokenizer, width: int = 128, layers: int = 3) -> Qwen3VLForConditionalGeneration:
    """A fresh Qwen3-VL of about 1.2 million parameters; `width` and `layers` size the text half."""
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in
           ("image_pad", "video_pad", "vision_start", "vision_end", "im_end", "endoftext")}
    config = Qwen3VLConfig(
        text_config=dict(vocab_size=len(tokenizer), hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
                         num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=4096,
                         tie_word_embeddings=True, pad_token_id=ids["endoftext"],
                         rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [6, 5, 5],
                                          "mrope_interleaved": True}),
        vision_config=dict(depth=2, hidden_size=96, intermediate_size=256, num_heads=4, patch_size=PATCH,
                           spatial_merge_size=MERGE, temporal_patch_size=1, out_hidden_size=width,
                           num_position_embeddings=256, deepstack_visual_indexes=[]),
        image_token_id=ids["image_pad"], video_token_id=ids["video_pad"], vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"], tie_word_embeddings=True)
    model = Qwen3VLForConditionalGeneration(config).float()
    # With the default 0.02 everywhere the glyphs drown: words stayed at chance for 24,000 charts, with these scales they
    # are read after 1,600.
    for name, p in model.named_parameters():
        if "pos_embed" in name:
            torch.nn.init.normal_(p, std=0.5)
        elif "patch_embed" in name and p.ndim > 1:
            torch.nn.init.normal_(p, std=3 * p[0].numel() ** -0.5)
        elif "embed_tokens" in name:
            torch.nn.init.normal_(p, std=0.1)
        elif p.ndim == 2:
            torch.nn.init.normal_(p, std=p.shape[1] ** -0.5)
    model.generation_config.update(eos_token_id=ids["im_end"], pad_token_id=ids["endoftext"])
    return model


def build_processor() -> ImageTextProcessor:
    images = SqueezingImageProcessor(patch_size=PATCH, merge_size=MERGE, temporal_patch_size=1,
                                     image_mean=[1.0] * 3, image_std=[100 / 255] * 3)  # white paper is exactly zero
    return ImageTextProcessor(images, build_tokenizer(), chat_template=CHAT_TEMPLATE)


if __name__ == "__main__":
    from .coldstart import main

    main()
