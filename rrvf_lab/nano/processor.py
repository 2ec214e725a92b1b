"""Processors of Qwen's vision family without torchvision: any checkpoint's, and the embedded model's.

`load_processor` serves them all, so that every model reads the same conversations and is read by the same
turn parser. The embedded model's processor differs in two things: every image is fitted into
256 x 192, and the template leaves out the rules, which its cold start taught it. Importing this file
registers both classes with transformers.

Left out: videos, and models of other families.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from transformers import AutoImageProcessor, AutoProcessor, PreTrainedConfig
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor
from transformers.processing_utils import ProcessorMixin
from trl.chat_template_utils import qwen3_template

from ..leaves.regions import CLOSES_CALL, CLOSES_THOUGHT, OPENS_CALL, OPENS_THOUGHT
from ..talk import TOKENS_OF_TEXT
from .prepared import prepare_each_once

WIDTH, HEIGHT, PATCH, MERGE = 256, 192, 16, 2        # of the embedded model's pictures
GRAY = 128  # of the bars beside a picture of other sides
IMAGE_TOKENS = WIDTH * HEIGHT // (PATCH * MERGE) ** 2  # 48

# How TRL reads a turn: its template for Qwen, with the patterns by which `talk` reads it.
RESPONSE_TEMPLATE = qwen3_template | {"fields": qwen3_template["fields"] | {
    "reasoning_content": {"open_pattern": OPENS_THOUGHT, "close_pattern": CLOSES_THOUGHT, "content": "text"},
    "tool_calls": {name: value for name, value in qwen3_template["fields"]["tool_calls"].items()
                   if name != "open"} | {"open_pattern": OPENS_CALL, "close_pattern": CLOSES_CALL}}}

# Qwen's conversation grammar without the tool boilerplate and the system text, for the embedded model.
CHAT_TEMPLATE = """\
{%- macro blocks(content) -%}
{%- if content is string -%}{{- content -}}
{%- else -%}{%- for part in content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>\
{%- elif part.type == 'text' -%}{{- part.text -}}{%- endif -%}
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
{{- '<tool_call>\\n{"name": "' + function.name + '", "arguments": ' \
+ (function.arguments | tojson) + '}\\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- elif message.role == 'tool' -%}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}
{{- '\\n<tool_response>\\n' + blocks(message.content) + '\\n</tool_response>' -}}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}{{- '<|im_end|>\\n' -}}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""


def load_processor(source: str) -> ImageTextProcessor:
    """The processor of a Qwen-family checkpoint, with a template and a turn parser that know tools.

    Qwen2.5-VL's shipped template ignores tools; TRL's copy of the Qwen3-VL grammar uses the same tokens.
    Pictures are scaled by Pillow, also where torchvision is installed: that rounds otherwise, and an endpoint
    is sent pictures that Pillow scaled. Raises OSError (transformers) where there is none. Example:
    `load_processor("data/nano/nano")`.
    """
    processor = ImageTextProcessor.from_pretrained(source, backend="pil")
    prepare_each_once(processor.image_processor)
    if not isinstance(processor.image_processor, LetterboxImageProcessor):
        processor.chat_template = (files("trl") / "chat_templates" / "qwen3_vl.jinja").read_text()
    processor.tokenizer.response_template = RESPONSE_TEMPLATE
    return processor


class ImageTextProcessor(Qwen3VLProcessor):
    """Qwen's processor without the video processor, which needs torchvision even when no video is ever seen.

    transformers derives the parts to load from this signature; nothing else differs.
    """

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **kwargs):
        tokens = {"image": "<|image_pad|>", "video": "<|video_pad|>",
                  "vision_start": "<|vision_start|>", "vision_end": "<|vision_end|>"}
        for name, token in tokens.items():
            setattr(self, f"{name}_token", token)
            setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    def apply_chat_template(self, conversation, *args, **kwargs):
        """Qwen's, with the tool's words cut to the tokens that budgets reserve for them (`talk`): whatever a
        judge or an error says, no reply is longer than was counted before training."""
        if conversation and isinstance(conversation[0], dict):
            fitting = [self._fitting(message) for message in conversation]
        else:
            fitting = [[self._fitting(message) for message in one] for one in conversation]
        return super().apply_chat_template(fitting, *args, **kwargs)

    def _fitting(self, message):
        if message["role"] != "tool" or isinstance(message["content"], str):
            return message
        return message | {"content": [part | {"text": fitting(part["text"], self.tokenizer)}
                                      if part["type"] == "text" else part for part in message["content"]]}


def fitting(words: str, tokenizer, most: int = TOKENS_OF_TEXT) -> str:
    """The beginning of a text that takes at most `most` tokens. Example: `fitting("qz" * 900, tokenizer)`."""
    if len(words.encode("utf-8", "replace")) <= most:  # no token is less than a byte
        return words
    while (count := len(tokenizer(words)["input_ids"])) > most:
        words = words[:len(words) * most // count]
    return words


class LetterboxImageProcessor(Qwen2VLImageProcessorPil):
    """Qwen's image processor, except that every image becomes 256 x 192, fitted in between gray bars: nano
    knows one grid of patches, and sees the sides of a picture as they are."""

    def resize(self, image, size, resample, factor, **kwargs):
        height, width = image.shape[-2:]
        scale = min(HEIGHT / height, WIDTH / width)
        fitted = type(size)(height=max(1, round(height * scale)), width=max(1, round(width * scale)))
        image = super(Qwen2VLImageProcessorPil, self).resize(image=image, size=fitted, resample=resample)
        over = HEIGHT - fitted.height, WIDTH - fitted.width
        sides = [(0, 0), *((gap // 2, gap - gap // 2) for gap in over)]
        return np.pad(image, sides, constant_values=GRAY)


class _Key(PreTrainedConfig):
    """Only a key: transformers finds custom classes by name among those registered under a configuration."""

    model_type = "rrvf_nano"


# Stock `AutoProcessor.from_pretrained(folder)` finds both classes by the names that a checkpoint stores.
AutoProcessor.register(_Key, ImageTextProcessor, exist_ok=True)
AutoImageProcessor.register(_Key, exist_ok=True, image_processor_classes={
    "pil": LetterboxImageProcessor, "torchvision": LetterboxImageProcessor})
