"""A supervised cold start: imitate recorded rollouts, in the very tokens that GRPO will see.

    python -m rrvf_lab.train sft-nano --set rollouts=runs/teacher        # learn what a better policy did
    python -m rrvf_lab.train demo --set start_from=runs/sft-nano         # GRPO goes on from its adapter
    python -m rrvf_lab.train demo --set start_from=sft-nano              # both, one after the other

A recorded rollout becomes one row of tokens as TRL's GRPO trainer joins them: the opening rendered with the
tool's description, then each turn as it was said, then each reply of the tool as TRL renders it, with all its
pictures. The loss is on what the assistant said, its end of turn included; TRL's `SFTTrainer` does the rest.
Nothing is rendered or judged again, so rollouts of any policy serve: a larger model's behind an endpoint, a
person's, the best of an earlier run.

Left out: packing several rollouts into a row, cutting long ones, conversations that are no rollouts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from types import SimpleNamespace

import torch
from torch.nn.utils.rnn import pad_sequence
from trl import GRPOTrainer, SFTTrainer

from ..play import conversations, messages, width
from ..records.store import Rollouts, load_rollouts
from ..talk import END, TOOL, parse_turn, said
from .arguments import sft_arguments
from .batches import in_full_precision, trainable
from .config import TrainConfig
from .trainer import InRunFolder


@dataclass(frozen=True)
class Row:
    """One rollout in tokens: `ids`, which of them the assistant `wrote`, and the pictures in their order."""

    ids: list[int]
    wrote: list[bool]
    pictures: list


class Tokens:
    """Rollouts as rows of tokens: `Tokens(processor, max_turns=3).row(rollout)`.

    `max_turns` is what the policy is told; `difference` shows the difference picture in replies, as the
    embedded model is used to.
    """

    def __init__(self, processor, max_turns: int, difference: bool = False):
        self.processor, self.max_turns, self.difference = processor, max_turns, difference
        # what TRL's method asks of its trainer
        self._as_trl = SimpleNamespace(processing_class=processor, _tokenizer=processor.tokenizer,
                                       _is_vlm=True, chat_template=None, chat_template_kwargs={})

    def row(self, rollout) -> Row:
        """The whole conversation of one rollout."""
        talk = conversations(rollout, self.max_turns, self.difference)[-1]
        talk = [*talk, said(parse_turn(messages(rollout)[-1][1]))]
        ids = self._opening(talk[:2])
        wrote = [False] * len(ids)
        for role, some in groupby(talk[2:], key=lambda message: message["role"]):
            some = list(some)
            more = self._reply(some) if role == "tool" else self._turn(*some)
            ids, wrote = ids + more, wrote + [role != "tool"] * len(more)
        pictures = [part["image"] for message in talk if not isinstance(message["content"], str)
                    for part in message["content"] if part["type"] == "image"]
        return Row(ids, wrote, pictures)

    def _opening(self, talk):
        return self.processor.apply_chat_template([talk], tools=[TOOL], add_generation_prompt=True,
                                                  tokenize=True, return_dict=True)["input_ids"][0]

    def _turn(self, message):
        return self.processor.tokenizer(message["content"][0]["text"] + END)["input_ids"]

    def _reply(self, talk):
        return GRPOTrainer._get_tool_suffix_ids(self._as_trl, talk)

    def batch(self, rows) -> dict[str, torch.Tensor]:
        """Rows as a model takes them, padded to the longest; `labels` are -100 where nobody learns."""
        tokenizer, images = self.processor.tokenizer, self.processor.image_processor
        ids = _padded([row.ids for row in rows], tokenizer.pad_token_id)
        wrote = _padded([row.wrote for row in rows], False)
        lengths = torch.tensor([len(row.ids) for row in rows])
        pixels = images(images=[picture for row in rows for picture in row.pictures], return_tensors="pt")
        return {"input_ids": ids, "labels": ids.masked_fill(~wrote, -100),
                "attention_mask": (torch.arange(ids.shape[1]) < lengths[:, None]).long(),
                "mm_token_type_ids": (ids == self.processor.image_token_id).long(), **pixels}


def _padded(lists, value):
    return pad_sequence(list(map(torch.tensor, lists)), batch_first=True, padding_value=value)


def chosen(rollouts: Rollouts, keep_best: float, max_turns: int) -> Rollouts:
    """The rollouts to imitate: the `keep_best` share with the highest rewards, in the order they were made.

    Left out are those without a reward (unscored), and those of more messages than `max_turns`, which would
    be told a rule they broke. Raises ValueError where nothing is left.

    Example: `chosen(load_rollouts("runs/demo"), 0.25, max_turns=2)`.
    """
    rewards = [math.nan if row["reward"] is None else row["reward"]["total"] for row in rollouts.rows]
    scored = [i for i, reward in enumerate(rewards) if not math.isnan(reward)]
    fit = [i for i in scored if 0 < _messages(rollouts.rows[i]) <= max_turns]
    if not fit:
        raise ValueError(f"none of {len(rollouts)} rollouts in {rollouts.folder} can be imitated: "
                         f"{len(rollouts) - len(scored)} have no reward, {len(scored) - len(fit)} have more "
                         f"messages than max_turns={max_turns}, or none; raise max_turns, or record others")
    best = sorted(fit, key=lambda i: -rewards[i])[:math.ceil(keep_best * len(fit))]
    return Rollouts([rollouts.rows[i] for i in sorted(best)], rollouts.folder)


def _messages(row):
    """How many messages a stored rollout has; one with several calls left several turns."""
    count = i = 0
    while i < len(row["turns"]):
        i, count = i + width(row["turns"][i]["text"]), count + 1
    return count


class SupervisedTrainer(InRunFolder, SFTTrainer):
    """TRL's `SFTTrainer` over recorded rollouts, in a run folder like any other; `make_trainer` builds it.

    `kept` are the rollouts it imitates.
    """

    def __init__(self, config: TrainConfig, model, peft_config, processor, passes: int, difference: bool):
        from datasets import Dataset

        self.config = config
        self.kept = chosen(load_rollouts(config.rollouts), config.keep_best, config.max_turns)
        self.tokens = Tokens(processor, config.max_turns, difference)
        given = trainable(model) if hasattr(model, "peft_config") else {}
        super().__init__(
            model=model, args=sft_arguments(config, passes, on_gpu=model.device.type == "cuda"),
            train_dataset=Dataset.from_dict({"rollout": range(len(self.kept))}), data_collator=self._collate,
            processing_class=processor, peft_config=peft_config)
        in_full_precision(self.model, given)

    def _collate(self, examples):
        return self.tokens.batch([self.tokens.row(self.kept[one["rollout"]]) for one in examples])
