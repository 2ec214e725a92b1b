"""How many tokens a rollout may need, and whether the settings leave room for them.

TRL drops a tool's reply that does not fit `max_completion_length`, without a word; the policy would then be
trained on rollouts that end early. So the longest rollout is counted before training starts.

Left out: memory (see `memory`).
"""

from __future__ import annotations

from PIL import Image

from ..judge.verdict import Verdict
from ..nano.tokens import ids_of
from ..render.rendering import Rendering
from ..talk import TOKENS_OF_TEXT, opening, reply
from .config import WRITABLE, TrainConfig


def token_budget(config: TrainConfig, processor, difference: bool = False) -> dict[str, int]:
    """Tokens after the prompt when every turn and every reply of the tool is as long as it can be.

    `picture` is one picture at most, `reply` one reply with its pictures and feedback, `needed` the whole
    completion. Counted with the model's own processor and template.

    Example: `token_budget(config, load_policy("nano").processor)["needed"]`.
    """
    huge = Image.new("RGB", (3000, 3000), "white")
    grid = processor.image_processor(images=[huge], return_tensors="pt")["image_grid_thw"]
    picture = int(grid.prod()) // processor.image_processor.merge_size**2
    blocks = reply(huge, Rendering(huge), Verdict(1.0, ""), huge if difference else None)
    shown = sum(part["type"] == "image" for part in blocks)
    # the template writes one token for each picture; the feedback, empty here, gets its reserve
    one = _template_tokens(processor, blocks) + shown * (picture - 1) + TOKENS_OF_TEXT
    needed = config.max_turns * config.max_new_tokens + (config.max_turns - 1) * one
    return {"picture": picture, "reply": one, "needed": needed}


def prompt_tokens(config: TrainConfig, processor, picture: int) -> int:
    """Tokens of the longest prompt, whose picture has at most `picture` of them.

    Example: `prompt_tokens(config, processor, token_budget(config, processor)["picture"])`.
    """
    dot = Image.new("RGB", (64, 64), "white")
    rows = [ids_of(processor, opening(dot, language, config.max_turns)) for language in WRITABLE]
    return max(map(len, rows)) + picture - 1


def _template_tokens(processor, blocks):
    """What the chat template adds to a conversation for one turn of no words and one reply of the tool."""
    asked = [{"role": "user", "content": blocks[-1:]}]
    told = [*asked, {"role": "assistant", "content": [{"type": "text", "text": ""}]},
            {"role": "tool", "name": "render", "content": blocks}]
    texts = processor.apply_chat_template([asked, told], tokenize=False, add_generation_prompt=True)
    before, after = (len(processor.tokenizer(text)["input_ids"]) for text in texts)
    return after - before


def check_budget(config: TrainConfig, processor, difference: bool = False) -> dict[str, int]:
    """The `token_budget`; ValueError unless `max_completion_length` holds all turns."""
    budget = token_budget(config, processor, difference)
    turns, needed = config.max_turns, budget["needed"]
    enough = -(-needed // 64) * 64
    if needed > config.max_completion_length:
        raise ValueError(
            f"max_completion_length={config.max_completion_length} does not hold max_turns={turns}: "
            f"{turns} x {config.max_new_tokens} new tokens and {turns - 1} x {budget['reply']} of the tool's "
            f"replies (pictures of {budget['picture']}) are {needed}; set max_completion_length={enough}, or "
            "fewer max_turns, max_new_tokens or max_image_tokens")
    return budget
