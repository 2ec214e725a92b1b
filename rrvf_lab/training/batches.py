"""The rollouts of one backward pass, and the weights they push, as small and as exact as they can be.

TRL pads every rollout of a step to the longest and cuts the padded rows into micro-batches: most of a
micro-batch may then be padding, which costs as much as tokens do. And it turns LoRA on four-bit weights to
bf16, in which a weight of size 0.01 cannot move by less than 0.00004: at a learning rate of 1e-5 most never
move at all.

Left out: sorting rollouts by length, which would change what shares a micro-batch.
"""

from __future__ import annotations

import torch

PROMPT = ("prompt_ids", "prompt_mask")
COMPLETION = ("completion_ids", "completion_mask", "tool_mask", "old_per_token_logps", "ref_per_token_logps",
              "sampling_per_token_logps", "importance_sampling_ratio")
BOTH = ("token_type_ids", "mm_token_type_ids")


def trimmed(batch: dict) -> dict:
    """A micro-batch without the columns that are padding in all of its rows: on the left of the prompts and
    on the right of the completions.

    Example: `trimmed(batch)["completion_ids"].shape[1] == batch["completion_mask"].sum(1).max()`.
    """
    prompts, width = batch["prompt_ids"].shape[1], batch["completion_ids"].shape[1]
    first = prompts - max(1, _longest(batch["prompt_mask"].flip(1)))
    last = max(1, _longest(batch["completion_mask"]))
    out = dict(batch)
    for name, value in batch.items():
        if name in PROMPT:
            out[name] = value[:, first:]
        elif name in COMPLETION and value.shape[1] == width:  # a ratio of whole rollouts has one column
            out[name] = value[:, :last]
        elif name in BOTH:
            out[name] = value[:, first:prompts + last]
    return out


def _longest(mask):
    """Columns up to the last that is set in any row."""
    used = mask.any(0).nonzero()
    return int(used[-1]) + 1 if len(used) else 0


def trainable(model) -> dict:
    """Copies of the weights that train, by name."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def in_full_precision(model, given: dict) -> None:
    """Turn every weight that trains to float32, with the numbers of `given` where it has them: weights that
    were loaded, and rounded meanwhile."""
    for name, p in model.named_parameters():
        if p.requires_grad and p.dtype != torch.float32:
            p.data = given.get(name, p.data).float()
