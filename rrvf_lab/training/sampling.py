"""Around sampling with `model.generate`: LoRA merged meanwhile, word of each row that has ended, a few rows
at a time.

Left out: sampling itself, which is TRL's.
"""

from __future__ import annotations

import contextlib
import math

import torch


@contextlib.contextmanager
def merged(model):
    """LoRA inside the weights while sampling, which writes many small steps; only where adding it loses no
    precision."""
    adapted = hasattr(model, "merge_adapter")
    quantised = getattr(model, "is_loaded_in_4bit", False)
    if not adapted or quantised or next(model.parameters()).dtype != torch.float32:
        yield
        return
    before = {name: p.data.clone() for name, p in model.named_parameters()
              if name.endswith("base_layer.weight")}
    model.merge_adapter()
    try:
        yield
    finally:
        model.unmerge_adapter()
        for name, p in model.named_parameters():  # not by subtraction, which would add a rounding error
            if name in before:
                p.data.copy_(before[name])


@contextlib.contextmanager
def sampling_mode(model):
    """`model` as it is evaluated: no dropout, LoRA merged where that loses nothing; then it trains on."""
    model.eval()
    try:
        with merged(model):
            yield model
    finally:
        model.train()


def some_rows(size: int | None, prompts, images, fields):
    """(first row, prompts, images, fields) of at most `size` rows at a time; None: all at once.

    `fields` are what TRL gives a model beside the prompts: `image_grid_thw` has a row for each picture,
    `pixel_values` one for each patch, everything else one for each prompt.
    """
    if size is None or size >= len(prompts):
        yield 0, prompts, images, fields
        return
    pictures = [len(some or ()) for some in images or [()] * len(prompts)]
    for start in range(0, len(prompts), size):
        end = start + size
        first, last = sum(pictures[:start]), sum(pictures[:end])
        part = {name: value[start:end] for name, value in fields.items()}
        if (grid := fields.get("image_grid_thw")) is not None:
            patches = [math.prod(map(int, one)) for one in grid]  # of the first turn they are lists
            part["image_grid_thw"] = grid[first:last]
            part["pixel_values"] = fields["pixel_values"][sum(patches[:first]):sum(patches[:last])]
        yield start, prompts[start:end], images and images[start:end], part


@contextlib.contextmanager
def told_of_ends(model, ends, wrote, first: int = 0):
    """Within, `model.generate` calls `wrote(row, token ids)` as soon as a row has ended, while the others
    go on; rows count from `first`.

    `ends` are the ids of the tokens that end a row. What it wrote can be rendered and judged in the meantime.
    """
    generate = model.generate

    def watched(*args, **kwargs):
        looking = _Ends(kwargs["input_ids"].shape[1], ends, wrote, first)
        return generate(*args, stopping_criteria=[looking], **kwargs)

    model.generate = watched
    try:
        yield
    finally:
        del model.generate


class _Ends:
    """A stopping criterion of transformers that stops nothing and looks on."""

    def __init__(self, start, ends, wrote, first):
        self.start, self.ends, self.wrote, self.known = start, torch.tensor(ends), wrote, set()
        self.first = first

    def __call__(self, ids, scores, **_):
        self.ends = self.ends.to(ids.device)
        last = torch.isin(ids[:, -1], self.ends)
        for row in last.nonzero().flatten().tolist():
            if row not in self.known:  # afterwards it is filled up
                self.known.add(row)
                self.wrote(self.first + row, ids[row, self.start:].tolist())
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
