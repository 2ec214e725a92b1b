"""The images of a run as TRL takes them: a folder's or the hub's, with the opening of each conversation.

Left out: what a folder may hold (`rrvf_lab.data`); the hub's cards, captions and labels, which nobody reads.
"""

from __future__ import annotations

import functools
import io

from PIL import Image

from ..data import load_images
from ..leaves.files import found
from ..leaves.pictures import rgb
from ..talk import opening
from .config import TrainConfig

HUB = "hub:"


def read_images(path: str, language: str | None = None):
    """Raw images of a folder, or of `hub:owner/name` or `hub:owner/name:split` (default: train), with `id`,
    `image` and `language`. Of a data set of the hub the first column of pictures is taken, and nothing else.

    Raises what `load_images` and `datasets.load_dataset` do, and ValueError for a data set without pictures.

    Example: `read_images("hub:owner/screens:train[:500]", "html")`.
    """
    if not path.startswith(HUB):
        return load_images(found(path), language)
    from datasets import Image as Picture
    from datasets import load_dataset

    name, _, split = path.removeprefix(HUB).partition(":")
    table = load_dataset(name, split=split or "train")
    column = next((key for key, kind in table.features.items() if isinstance(kind, Picture)), None)
    if column is None:
        raise ValueError(f"{path!r} has no column of pictures, only {', '.join(table.column_names)}; choose "
                         "a data set with one")
    images = table.select_columns([column]).rename_column(column, "image")
    images = images.add_column("id", [f"{i:06d}" for i in range(len(images))])
    return images.add_column("language", [language or "matplotlib"] * len(images)).cast_column(
        "image", Picture(mode="RGB"))


def split_images(config: TrainConfig):
    """(images to train on, images to validate on or None): with `eval_steps` the last `eval_images` of the
    training images are kept out of training.

    Raises ValueError where none would be left.
    """
    images = read_images(config.train_images, config.language)
    if not config.eval_steps:
        return images, None
    left = len(images) - config.eval_images
    if left < config.prompts:
        raise ValueError(f"eval_images={config.eval_images} of {len(images)} training images leave "
                         f"{max(0, left)} to train on, and a step takes prompts={config.prompts}; set fewer "
                         "eval_images")
    return images.select(range(left)), images.select(range(left, len(images)))


def held_out(config: TrainConfig):
    """The images that before and after are compared on, or None."""
    if config.test_images is None:
        return None
    images = read_images(config.test_images, config.language)
    return images.select(range(min(len(images), config.test_limit or len(images))))


def with_prompts(images, max_turns: int):
    """The images with the conversation TRL starts from; no column holds code or text about the image."""
    from datasets import Image as Picture

    prompts = []
    for language in images["language"]:
        system, user = opening(None, language, max_turns)
        prompts.append([{"role": m["role"], "content": m["content"][-1]["text"]} for m in (system, user)])
    images = images.add_column("prompt", prompts).cast_column("image", Picture(decode=False))
    return images.with_transform(_decoded)


def _decoded(batch):
    if "image" in batch:
        batch["image"] = [_picture(one["path"], one["bytes"]) for one in batch["image"]]
    return batch


@functools.lru_cache(64)
def _picture(path, data):
    """One decoded image; a step asks for each of its images dozens of times (group, backward passes)."""
    with Image.open(path if data is None else io.BytesIO(data)) as picture:
        return rgb(picture)
