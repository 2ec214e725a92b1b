"""Each distinct picture of a batch goes through the vision tower once, and back only where that teaches it.

A GRPO batch repeats itself: the eight rollouts of a group share their target, every tool reply shows it
again, and alike programs draw alike pictures. The features are the same, so they are computed once and
handed out; gradients add up. Where no weight of the tower trains, there is nothing to go back for, though
gradient checkpointing makes its first layer ask for it.

Left out: sharing between batches, whose weights differ.
"""

from __future__ import annotations

import functools


def encode_each_once(model):
    """Make a Qwen-VL `model` (2.5 or 3, before PEFT wraps it) encode equal pictures of a batch once;
    returns it.

    Example: `encode_each_once(AutoModelForImageTextToText.from_pretrained(folder))`.
    """
    # a class, not a function hung on the model: that would hold the model, and only the collector free it
    model.model.__class__ = _encoding_once(type(model.model))
    return model


@functools.cache
def _encoding_once(kind):
    """`kind`, a Qwen-VL model without its head, that encodes equal pictures once."""

    def get_image_features(self, pixel_values, image_grid_thw=None, **options):
        import torch

        def encode(*pictures):
            learns = pixel_values.requires_grad or any(p.requires_grad for p in self.visual.parameters())
            with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
                return kind.get_image_features(self, *pictures, **options)

        pictures = pixel_values.split(image_grid_thw.prod(-1).tolist())
        first, of = _distinct(pictures)
        if len(first) == len(pictures):
            return encode(pixel_values, image_grid_thw)
        output = encode(torch.cat([pictures[i] for i in first]), image_grid_thw[first])
        output.pooler_output = tuple(output.pooler_output[i] for i in of)
        if getattr(output, "deepstack_features", None):  # Qwen3-VL: a tuple of pictures for each tapped layer
            output.deepstack_features = [tuple(layer[i] for i in of) for layer in output.deepstack_features]
        return output

    return type(kind.__name__, (kind,), {"get_image_features": get_image_features,
                                         "__module__": kind.__module__})


def _distinct(pictures):
    """(indices of the first of each distinct picture, for each picture its place among those).

    Pictures are told apart by every number; their sums only save comparisons.
    """
    import torch

    sums = torch.stack([picture.sum(dtype=torch.float64) for picture in pictures]).tolist()
    first, of, seen = [], [], {}
    for i, (picture, total) in enumerate(zip(pictures, sums, strict=True)):
        alike = seen.setdefault((len(picture), total), [])
        place = next((p for p in alike if torch.equal(pictures[first[p]], picture)), None)
        if place is None:
            place = len(first)
            first.append(i)
            alike.append(place)
        of.append(place)
    return first, of
