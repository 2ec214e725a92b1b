"""Each picture is scaled and cut into patches once, however often a conversation shows it again.

A step of GRPO asks for each target dozens of times and for each render three to six times: to count the
tokens of the tool's reply, to sample every later turn, and for the update. A picture of 768 tokens takes
20 ms of a core each time.

Left out: pictures that are not plain RGB, which are prepared as ever; sharing among processes.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image
from transformers import BatchFeature

from ..leaves.pictures import fingerprint

ROOM = 2**29  # bytes of patches kept: 56 pictures of 512 tokens, 900 of nano


def prepare_each_once(images):
    """Make `images`, an image processor of the Qwen-VL family, prepare equal pictures once; returns it.

    Example: `prepare_each_once(AutoProcessor.from_pretrained(folder).image_processor)`.
    """
    images.__class__ = _preparing_once(type(images))
    return images


@functools.cache
def _preparing_once(kind):
    """`kind`, under its own name, by which a checkpoint finds it, that prepares equal pictures once."""

    def _preprocess_image_like_inputs(self, images, *, return_tensors=None, **settings):
        def prepare(image):
            return kind._preprocess_image_like_inputs(self, [image], return_tensors=None, **settings).data

        # by name: each of transformers' callers puts the same settings in another order
        how = kind, repr(sorted(settings.items()))
        made = [KEPT.get(how, image, prepare) for image in self._prepare_images_structure(images)]
        return BatchFeature({name: np.concatenate([one[name] for one in made]) for name in made[0]},
                            tensor_type=return_tensors)

    def __reduce__(self):
        return _unpickled, (kind, self.__dict__)

    return type(kind.__name__, (kind,), {"_preprocess_image_like_inputs": _preprocess_image_like_inputs,
                                         "__reduce__": __reduce__, "__module__": kind.__module__})


def _unpickled(kind, settings):
    images = kind.__new__(kind)
    images.__dict__.update(settings)
    return prepare_each_once(images)


class Kept:
    """What pictures were made into, those asked for last, `room` bytes at most."""

    def __init__(self, room):
        self.room, self.size = room, 0
        self.made, self.lock = OrderedDict(), threading.Lock()

    def get(self, how, image, prepare) -> dict:
        """The arrays that `prepare(image)` gives, which `how` tells from other ways; made now if need be."""
        if not isinstance(image, Image.Image) or image.mode != "RGB":
            return prepare(image)
        key = how, fingerprint(image)
        with self.lock:
            if key in self.made:
                self.made.move_to_end(key)
                return self.made[key]
        arrays = prepare(image)
        with self.lock:
            if key not in self.made:  # nor made by another thread meanwhile
                self.made[key] = arrays
                self.size += _bytes(arrays)
            while self.size > self.room:
                self.size -= _bytes(self.made.popitem(last=False)[1])
        return arrays


def _bytes(arrays):
    return sum(array.nbytes for array in arrays.values())


KEPT = Kept(ROOM)  # here and not on the processor, whose attributes are saved with a checkpoint
