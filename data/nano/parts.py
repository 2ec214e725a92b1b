"""The embedded model before it has learnt anything: its tokenizer, its processor, its fresh weights.

A Qwen3-VL of about a million parameters in stock transformers classes, with a tokenizer of its own that has
one token for each piece of the dialect.

Left out: free text, two-digit values and other scales. This is a classifier of words and digits, not OCR.
"""

from __future__ import annotations

import json
import re

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from trl.chat_template_utils import qwen3_template

from rrvf_lab.judge.shades import COLOUR_NAMES
from rrvf_lab.nano.dialect import (
    COLOUR_WORDS,
    HEAD,
    KIND_WORDS,
    LETTERS,
    TITLE_WORDS,
    XLABEL_WORDS,
    YLABEL_WORDS,
)
from rrvf_lab.nano.processor import CHAT_TEMPLATE, MERGE, PATCH, ImageTextProcessor, SqueezingImageProcessor
from rrvf_lab.talk import LIBRARIES, request

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
           "<|image_pad|>", "<|video_pad|>"]
TAGS = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
        "<answer>", "</answer>"]

# What the follow phases add, one token each; last, so that the tokens before them keep their places.
CHANGES = ["new", ", new", *(f"{comma}{sign}{digit}" for comma in ("", ", ") for sign in "+-"
                             for digit in range(1, 9))]
FOLLOWED = [*CHANGES, "Change ", "Values ", " of 10.", "Colour ", ", not ", "Grid on.", "Grid off."]


def build_processor() -> ImageTextProcessor:
    """The embedded model's processor; white paper is exactly zero in its pixels."""
    images = SqueezingImageProcessor(patch_size=PATCH, merge_size=MERGE, temporal_patch_size=1,
                                     image_mean=[1.0] * 3, image_std=[100 / 255] * 3)
    return ImageTextProcessor(images, build_tokenizer(), chat_template=CHAT_TEMPLATE)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, a few hundred merges for errors and feedback, and one token for each piece of the dialect."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=640, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(_prose(), trainer)
    pieces = [*TAGS, *_pieces(), *FOLLOWED]
    tokenizer.add_tokens([AddedToken(piece, normalized=False, special=False) for piece in pieces])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left",
        additional_special_tokens=SPECIAL[1:], clean_up_tokenization_spaces=False)
    fast.response_template = qwen3_template  # how TRL parses a turn; saved with the tokenizer
    return fast


def _pieces() -> list[str]:
    """Every string of the dialect that is one token, in reading and code alike, so that copying is easy."""
    code = [
        '\n{"name": "render", "arguments": {"code": "' + json.dumps(HEAD)[1:-1],
        "ax.bar(", "ax.barh(", "ax.plot(", "ax.fill_between(", "ax.stairs(", "ax.scatter(range(1, 10), ",
        ", fill=True", ", marker='o'", ", s=60", ", width=-0.4, align='edge'", ", width=0.4, align='edge'",
        ", color='", "')", "\\nax.bar(", "\\nax.set_xlim(0, 10)", "\\nax.set_ylim(0, 10)",
        "\\nax.set_title('", "', y=1)\\nax.set_xlabel('", "')\\nax.set_ylabel('", "')\\nax.grid(True)", "\\n",
        '"}}\n', '\')"}}\n', '")"}}\n', "[", "]", ", [",
    ]
    code += [f"list('{LETTERS[:n]}')" for n in range(1, 9)]
    words = [*COLOUR_WORDS, *TITLE_WORDS, *XLABEL_WORDS, *YLABEL_WORDS, *KIND_WORDS]
    digits = [str(d) for d in range(10)] + [f", {d}" for d in range(10)] + ["None", ", None"]
    think = ["; ", ": ", " / ", "; grid", " -> ", "value ", "second ", "title: ", "xlabel: ", "ylabel: ",
             "colour: ", "grid: on", "grid: off", "Looks right.", "turn ", ". ", "\n"]
    judge = ["Score 0.", "No difference seen.", " differs.", "X label", "Y label", "Title", "Grid", "Type",
             "Missing ", "Extra ", "Too low at ", "Too high at ", "Too short at ", "Too long at ", "%.",
             "Too few marks.", "Too many marks.", "Failed: ", "Legend missing.", "ticks differ."]
    return list(dict.fromkeys([*code, *words, *digits, *think, *judge]))


def _prose() -> list[str]:
    """Texts that are neither dialect nor special: requests, the judge's sentences, Python's errors.

    Sentences that the judge no longer says are among them: the first phases were trained on these tokens.
    """
    judged = [f"{word} {name}." for word in ("Missing", "Extra") for name in COLOUR_NAMES]
    judged += [f"Too {how} at {p}%." for how in ("low", "high", "short", "long") for p in range(0, 101, 5)]
    judged += ["Title differs.", "X label differs.", "Y label differs.", "X ticks differ.", "Y ticks differ.",
               "Grid differs.", "Type differs.", "Too few marks.", "Too many marks.", "No difference seen.",
               "Blank.", "Too small.", "Too large.", "Shifted left.", "Shifted right.", "Shifted up.",
               "Shifted down.", "Aspect differs.", "Legend missing."]
    judged = [f"Score 0. {sentence} {sentence}" for sentence in judged]
    errors = [
        "ValueError: shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is between "
        "arg 0 with shape (4,) and arg 1 with shape (5,).",
        "ValueError: x and y must have same first dimension, but have shapes (4,) and (5,)",
        "ValueError: x and y must be the same size",
        "SyntaxError: invalid syntax",
        "SyntaxError: '[' was never closed",
        "NameError: name 'ax' is not defined",
        "no figure was drawn",
        "ValueError: operands could not be broadcast together with shapes (4,) (5,)",
        "AttributeError: 'Axes' object has no attribute 'grids'",
        "TypeError: unsupported operand",
        "SyntaxError: unterminated string literal (detected at line 4)",
        "IndexError: list index out of range",
    ]
    texts = [request(language) for language in LIBRARIES] + judged + [f"Failed: {error}" for error in errors]
    return texts * 20


def build_model(tokenizer, width: int = 128, layers: int = 3) -> Qwen3VLForConditionalGeneration:
    """A fresh Qwen3-VL of about 1.2 million parameters; `width` and `layers` size the text half.

    It has no rows yet for the tokens that the follow phases add: `grow` makes them.
    """
    names = ("image_pad", "video_pad", "vision_start", "vision_end", "im_end", "endoftext")
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in names}
    rope = {"rope_type": "default", "rope_theta": 10000.0,
            "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    text = {"vocab_size": len(tokenizer) - len(FOLLOWED), "hidden_size": width,
            "intermediate_size": 3 * width, "num_hidden_layers": layers,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
            "max_position_embeddings": 4096, "tie_word_embeddings": True, "pad_token_id": ids["endoftext"],
            "rope_parameters": rope}
    vision = {"depth": 2, "hidden_size": 96, "intermediate_size": 256, "num_heads": 4, "patch_size": PATCH,
              "spatial_merge_size": MERGE, "temporal_patch_size": 1, "out_hidden_size": width,
              "num_position_embeddings": 256, "deepstack_visual_indexes": []}
    model = Qwen3VLForConditionalGeneration(Qwen3VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=True,
        image_token_id=ids["image_pad"], video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"], vision_end_token_id=ids["vision_end"])).float()
    _scale(model)
    model.generation_config.update(eos_token_id=ids["im_end"], pad_token_id=ids["endoftext"])
    return model


def grow(model, tokenizer) -> None:
    """Add the embeddings of `FOLLOWED`: each near the mean of the old tokens that spell it.

    Does nothing where the model has them. torch's own random numbers are left as they were.
    """
    old = model.get_input_embeddings().weight.detach().clone()
    if len(old) == len(tokenizer):
        return
    spelt = [[i for part in _spelling(word) for i in tokenizer(part)["input_ids"]] for word in FOLLOWED]
    noise = torch.randn(len(FOLLOWED), old.shape[1], generator=torch.Generator().manual_seed(0))
    fresh = torch.stack([old[ids].mean(0) for ids in spelt]) + 0.1 * noise
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[len(old):] = fresh


def _spelling(word):
    """Old tokens for a new one: `, +3` is `, 3` and a sign, anything else its letters."""
    sign = re.fullmatch(r"(, )?([+-])(\d)", word)
    return [(sign[1] or "") + sign[3], sign[2]] if sign else list(word)


def _scale(model):
    """Initial weights at which a chart is read after 1,600 charts.

    With the default 0.02 everywhere the glyphs drown: words stayed at chance for 24,000 charts.
    """
    for name, p in model.named_parameters():
        if "pos_embed" in name:
            torch.nn.init.normal_(p, std=0.5)
        elif "patch_embed" in name and p.ndim > 1:
            torch.nn.init.normal_(p, std=3 * p[0].numel() ** -0.5)
        elif "embed_tokens" in name:
            torch.nn.init.normal_(p, std=0.1)
        elif p.ndim == 2:
            torch.nn.init.normal_(p, std=p.shape[1] ** -0.5)
