"""The embedded model before it has learnt anything: its tokenizer, its processor, its fresh weights.

A Qwen3-VL of about a million parameters in stock transformers classes, with a tokenizer of its own that has
one token for each piece of the dialect.

Left out: free text, two-digit values and other scales. This is a classifier of words and digits, not OCR.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from trl.chat_template_utils import qwen3_template

from rrvf_lab.judge.shades import COLOUR_NAMES
from rrvf_lab.nano.dialect import (
    ASPECTS,
    COLOUR_WORDS,
    EDGES,
    FIRST_WORDS,
    FONTS,
    GRIDS,
    HEAD,
    INKS,
    KIND_WORDS,
    LABEL_WORDS,
    LEGENDS,
    LINE_WIDTHS,
    LINES,
    MARKERS,
    NAME_WORDS,
    PAPERS,
    SHADES,
    SIZES,
    SPINES,
    STEPS,
    TICK_NAMES,
    TITLE_SIZES,
    TOPS,
    TWO_ROWS,
    WIDTHS,
    Chart,
    Look,
    pieces,
)
from rrvf_lab.nano.processor import CHAT_TEMPLATE, MERGE, PATCH, ImageTextProcessor, LetterboxImageProcessor
from rrvf_lab.talk import LIBRARIES, request

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
           "<|image_pad|>", "<|video_pad|>"]
TAGS = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
        "<answer>", "</answer>"]

EMBEDDING = 0.1  # standard deviation of fresh embeddings
CHANGES = [f"{comma}{change}" for comma in ("", ", ")
           for change in ("new", *(f"{sign}{digit}" for sign in "+-" for digit in range(1, 9)))]


def build_processor() -> ImageTextProcessor:
    """The embedded model's processor; white paper is exactly zero in its pixels."""
    images = LetterboxImageProcessor(patch_size=PATCH, merge_size=MERGE, temporal_patch_size=1,
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
    pieces = [*TAGS, *_pieces()]
    tokenizer.add_tokens([AddedToken(piece, normalized=False, special=False) for piece in pieces])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left",
        additional_special_tokens=SPECIAL[1:], clean_up_tokenization_spaces=False)
    fast.response_template = qwen3_template  # how TRL parses a turn; saved with the tokenizer
    return fast


def _pieces() -> list[str]:
    """Every string of the language that is one token."""
    code = dict.fromkeys(json.dumps(piece)[1:-1] for chart in _every_form() for piece in pieces(chart))
    call = '\n{"name": "render", "arguments": {"code": "'
    code = [call + piece if piece == json.dumps(HEAD)[1:-1] else piece for piece in code]
    words = [*COLOUR_WORDS, *SHADES, *FIRST_WORDS, *NAME_WORDS, *(f" {word}" for word in NAME_WORDS),
             *LABEL_WORDS, *KIND_WORDS]
    digits = [str(d) for d in range(10)] + [f", {d}" for d in range(10)] + ["None", ", None", "nan", ", nan"]
    think = ["; ", " / ", "Looks right.", "turn ", ". ", ".", "\n", '"}}\n']
    judge = ["Score 0.", "No difference seen.", " differs.", "X label", "Y label", "Title", "Type ", ", not ",
             "Colour ", "Grid on.", "Grid off.", "Missing ", "Extra ", "Failed: ", "Legend missing.",
             "ticks differ.", "Change ", "Values ", " of 10.", *CHANGES]
    return list(dict.fromkeys([*code, *words, *digits, *think, *judge]))


def _every_form():
    """Charts that between them have every line that a program can have."""
    nine = (1, 2, 3, 4, 5, 6, 7, 8, 9)
    for kind in KIND_WORDS:
        rows = ((*nine[:8],),) * (2 if kind in TWO_ROWS else 1)
        base = Chart(kind, ("red", "blue"), rows, "Speed Rain", "week", "units")
        yield base
        for n in range(1, 9):
            for ticks in ("", *TICK_NAMES):
                yield replace(base, series=tuple(row[:n] for row in rows), ticks=ticks)
        yield replace(base, series=((0, *nine[1:]),) * len(rows))
        for top in TOPS:
            yield replace(base, top=top)
        for grid in GRIDS:
            yield replace(base, grid=grid)
        looks = {"aspect": ASPECTS, "font": FONTS, "size": SIZES, "paper": PAPERS, "ink": INKS, "edge": EDGES,
                 "width": WIDTHS, "line": LINES, "line_width": LINE_WIDTHS, "marker": MARKERS,
                 "spines": SPINES, "steps": STEPS, "legend": ((), *LEGENDS)}
        for name, known in looks.items():
            for value in known:
                yield replace(base, look=replace(Look(), **{name: value}))
        for top, steps, legend in product(("10", "100"), STEPS, ((), LEGENDS[0])):
            yield replace(base, top=top, look=Look(steps=steps, legend=legend))
        for size, bold, left in product(TITLE_SIZES, (False, True), (False, True)):
            yield replace(base, look=Look(title_size=size, bold=bold, left=left))
        for edge, hole, percent, start in product(EDGES, (False, True), (False, True), (0, 90)):
            yield replace(base, look=Look(edge=edge, hole=hole, percent=percent, start=start))
        for line, width, marker in product(LINES, LINE_WIDTHS, MARKERS):
            yield replace(base, look=Look(line=line, line_width=width, marker=marker))


def _prose() -> list[str]:
    """Texts that are neither of the language nor special: requests, the judge's words, Python's errors."""
    judged = [f"{word} {name}." for word in ("Missing", "Extra") for name in COLOUR_NAMES]
    judged += ["Title differs.", "X label differs.", "Y label differs.", "X ticks differ.", "Y ticks differ.",
               "No difference seen.", "Blank.", "Too small.", "Too large.", "Shifted left.", "Shifted right.",
               "Shifted up.", "Shifted down.", "Aspect differs.", "Legend missing.", "Extra legend.",
               "Legend differs.", "Type line, not bar.", "Colour teal; gold, not red; blue.", "Grid on.",
               "Grid off.", "Change of 10.", "Values of 10."]
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


def build_model(tokenizer, width: int = 160, layers: int = 3) -> Qwen3VLForConditionalGeneration:
    """A fresh Qwen3-VL of about two million parameters; `width` and `layers` size the text half."""
    names = ("image_pad", "video_pad", "vision_start", "vision_end", "im_end", "endoftext")
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in names}
    rope = {"rope_type": "default", "rope_theta": 10000.0,
            "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    text = {"vocab_size": len(tokenizer), "hidden_size": width,
            "intermediate_size": 3 * width, "num_hidden_layers": layers,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
            "max_position_embeddings": 4096, "tie_word_embeddings": True, "pad_token_id": ids["endoftext"],
            "rope_parameters": rope}
    vision = {"depth": 3, "hidden_size": 128, "intermediate_size": 384, "num_heads": 4, "patch_size": PATCH,
              "spatial_merge_size": MERGE, "temporal_patch_size": 1, "out_hidden_size": width,
              "num_position_embeddings": 256, "deepstack_visual_indexes": []}
    model = Qwen3VLForConditionalGeneration(Qwen3VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=True,
        image_token_id=ids["image_pad"], video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"], vision_end_token_id=ids["vision_end"])).float()
    _scale(model)
    model.generation_config.update(eos_token_id=ids["im_end"], pad_token_id=ids["endoftext"])
    return model


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
            torch.nn.init.normal_(p, std=EMBEDDING)
        elif p.ndim == 2:
            torch.nn.init.normal_(p, std=p.shape[1] ** -0.5)
