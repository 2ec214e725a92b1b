"""A conversation as tokens, and tokens as a turn: what TRL's trainer shows to a model and takes from it.

The template renders the tool, as TRL has it rendered. A turn that the model sampled itself stays the tokens
it was sampled as, which its text, tokenised again, need not give. Each picture takes as many image tokens as
the image processor makes features of it.

Left out: sampling, which is `model`'s; tokens for a loss (`training`).
"""

from __future__ import annotations

import secrets

from ..leaves.pictures import rgb
from ..talk import END, TOOL, Written


def batch_of(processor, conversations):
    """Conversations that end where the assistant speaks, as one batch of tensors, padded on the left.

    Raises ValueError where image tokens and pictures differ in number.

    Example: `batch_of(policy.processor, [opening(image, "matplotlib", 3)])["input_ids"].shape`.
    """
    import torch
    from transformers import BatchFeature

    pictures = [_pictures(talk) for talk in conversations]
    seen = processor.image_processor(images=[one for some in pictures for one in some], return_tensors="pt")
    sizes = iter((seen["image_grid_thw"].prod(-1) // processor.image_processor.merge_size**2).tolist())
    rows = []
    for talk, some in zip(conversations, pictures, strict=True):
        rows.append(_with_pictures(ids_of(processor, talk), [next(sizes) for _ in some], processor))
    longest, pad = max(map(len, rows)), processor.tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    kinds = (ids == processor.image_token_id).long()
    return BatchFeature({"input_ids": ids, "attention_mask": mask, "mm_token_type_ids": kinds, **seen})


def ids_of(processor, conversation) -> list[int]:
    """The tokens of one conversation that ends where the assistant speaks, one for each picture.

    Example: `ids_of(policy.processor, conversations(rollout)[1])`.
    """
    mark = secrets.token_hex(16)  # stands for what the assistant said, and cannot be guessed by what is said
    spoken = [message for message in conversation if message["role"] == "assistant"]
    told = [{"role": "assistant", "content": [{"type": "text", "text": mark}]}
            if message["role"] == "assistant" else message for message in conversation]
    text = processor.apply_chat_template(told, tools=[TOOL], tokenize=False, add_generation_prompt=True)
    first, *rest = text.split(mark)
    ids = _tokenized(processor, first)
    for message, piece in zip(spoken, rest, strict=True):
        said = message.get("ids") or _tokenized(processor, _words(message) + END)
        ids += said + _tokenized(processor, piece.removeprefix(END))
    return ids


def written(processor, ids, limit: int) -> Written:
    """A turn from its sampled tokens, which may be padded after their end; cut off where `limit` of them have
    none."""
    tokenizer = processor.tokenizer
    ends = {tokenizer.eos_token_id, tokenizer.pad_token_id}
    stop = next((i for i, token in enumerate(ids) if token in ends), len(ids))
    kept = ids[:stop + 1] if stop < len(ids) and ids[stop] == tokenizer.eos_token_id else ids[:stop]
    return Written(tokenizer.decode(ids[:stop]), kept, cut=stop == len(ids) >= limit)


def _tokenized(processor, text):
    return processor.tokenizer(text)["input_ids"]


def _words(message):
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _pictures(talk):
    return [rgb(part["image"]) for message in talk if not isinstance(message["content"], str)
            for part in message["content"] if part["type"] == "image"]


def _with_pictures(ids, sizes, processor):
    """`ids` with the token of each picture repeated as often as it has features."""
    token = processor.image_token_id
    if ids.count(token) != len(sizes):
        raise ValueError(f"{ids.count(token)} image tokens for {len(sizes)} pictures in a conversation: the "
                         "chat template of this model leaves pictures out or writes them differently")
    left = iter(sizes)
    return [one for i in ids for one in ([token] * next(left) if i == token else [i])]
