"""Two things about sampling with `model.generate`: LoRA merged meanwhile, and word of each row that has
ended.

Left out: sampling itself, which is TRL's.
"""

from __future__ import annotations

import contextlib

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
def told_of_ends(model, ends, wrote):
    """Within, `model.generate` calls `wrote(row, token ids)` as soon as a row has ended, while the others
    go on.

    `ends` are the ids of the tokens that end a row. What it wrote can be rendered and judged in the meantime.
    """
    generate = model.generate

    def watched(*args, **kwargs):
        looking = _Ends(kwargs["input_ids"].shape[1], ends, wrote)
        return generate(*args, stopping_criteria=[looking], **kwargs)

    model.generate = watched
    try:
        yield
    finally:
        del model.generate


class _Ends:
    """A stopping criterion of transformers that stops nothing and looks on."""

    def __init__(self, start, ends, wrote):
        self.start, self.ends, self.wrote, self.known = start, torch.tensor(ends), wrote, set()

    def __call__(self, ids, scores, **_):
        self.ends = self.ends.to(ids.device)
        last = torch.isin(ids[:, -1], self.ends)
        for row in last.nonzero().flatten().tolist():
            if row not in self.known:  # afterwards it is filled up
                self.known.add(row)
                self.wrote(row, ids[row, self.start:].tolist())
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
