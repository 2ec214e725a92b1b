"""Who writes the turns: a model, a recording, a person. A policy is anything with `write(conversations) ->
texts`.

`load_policy("nano")` is the embedded model; any other name is a folder or a hub model of Qwen's vision
family, which gets the same processor without torchvision and the same conversation grammar with tools. Both
are a `ModelPolicy` (see `nano.model`). A policy may also have `stream(conversation, on_text, stop) -> text`,
which shows a turn while it is written and can be stopped, and `difference`, to be shown difference pictures.

Left out: serving. A model behind an endpoint is `endpoint.EndpointPolicy`.
"""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

from .nano.loading import load_model
from .nano.model import ModelPolicy
from .talk import write_turn


class Recording:
    """A policy that says what it was given, turn by turn, whatever it is shown; silent at the end.

    Example: `play(Recording(["<think>bar</think>\\n<answer>plt.bar([1], [2])</answer>"]), image)`.
    """

    def __init__(self, turns):
        self.turns = turns

    def write(self, conversations) -> list[str]:
        spoken = [sum(message["role"] == "assistant" for message in talk) for talk in conversations]
        return [self.turns[k] if k < len(self.turns) else "" for k in spoken]


class Drafted:
    """A policy whose first turns are given, one for each conversation; `policy` writes what follows.

    Shows what a model makes of a draft it did not write: a corrupted one, another model's, yours.
    """

    def __init__(self, drafts, policy):
        self.drafts, self.policy, self.difference = drafts, policy, policy.difference

    def write(self, conversations) -> list[str]:
        if any(message["role"] == "assistant" for message in conversations[0]):
            return self.policy.write(conversations)
        if len(conversations) != len(self.drafts):
            raise ValueError(
                f"{len(self.drafts)} drafts for {len(conversations)} conversations; give one for each"
            )
        return list(self.drafts)


class Human:
    """A person as the policy: `ask(conversation)` returns a program, "" to answer with the best so far, None
    for silence.

    The conversation is what a model would be shown. Without `ask` the tool's sentences are printed and the
    program is read with `input`, line by line, until a line that holds a single full stop.

    Example: `play(Human(), image)`; `play(Human(lambda talk: "plt.bar([1], [2])"), image, max_turns=1)`.
    """

    difference = True

    def __init__(self, ask=None):
        self.ask = ask or _typed

    def write(self, conversations) -> list[str]:
        return [self._turn(talk) for talk in conversations]

    def _turn(self, talk):
        code = self.ask(talk)
        if code:
            return write_turn("A person wrote this.", code)
        if code is None or not _replies(talk):
            return ""
        return write_turn("A person chose this.", answer=f"turn {_best(talk)}")


def _replies(talk):
    """The sentences of each tool reply, in order."""
    return [" ".join(part["text"] for part in message["content"] if part["type"] == "text")
            for message in talk if message["role"] == "tool"]


def _best(talk):
    """The number of the turn whose reply told the highest score; of equal ones the latest."""
    told = [re.match(r"Score (\d\.\d+)", reply) for reply in _replies(talk)]
    scores = [float(found.group(1)) if found else -1.0 for found in told]
    return max(range(len(scores)), key=lambda i: (scores[i], i)) + 1


def _typed(talk):
    print((_replies(talk) or [talk[-1]["content"][-1]["text"]])[-1])
    print("Your program; end it with a line that is only a full stop (an empty one answers with the best):")
    lines = []
    while (line := input()) != ".":
        lines.append(line)
    return "\n".join(lines)


def load_policy(name: str = "nano", adapter=None, four_bit: bool = False, temperature: float = 0.0,
                max_new_tokens: int | None = None, max_image_tokens: int | None = None,
                sampling: dict | None = None, **options) -> ModelPolicy:
    """A policy by name: `nano`, `nano-base`, a folder, or a hub model such as `Qwen/Qwen2.5-VL-7B-Instruct`.

    `adapter` is a folder that a training run saved: its LoRA weights are put on the base they were trained
    on, whatever `name` says (with a warning where they differ). `four_bit` loads nf4 weights for QLoRA.
    `max_new_tokens` bounds a turn and `max_image_tokens` a picture: larger ones are scaled down (nano knows
    one size, 48). Left out, they are those of the run that the adapter or folder came from, else 2048 (nano:
    128) and 768. `sampling` is `ModelPolicy`'s. Raises FileNotFoundError for a missing adapter, OSError (from
    transformers) for an unknown model, ValueError for one that is not of Qwen's vision family.

    Example: `load_policy("nano", adapter="runs/demo/adapter")`.
    """
    run = _run_of(name if adapter is None else adapter)
    name = name if adapter is None else _base_of(adapter, name)
    most = max_image_tokens or run.get("max_image_tokens", 768)
    model, processor, nano = load_model(name, four_bit, most, **options)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    limit = max_new_tokens or run.get("max_new_tokens", 128 if nano else 2048)
    return ModelPolicy(model.eval(), processor, temperature, limit, batch_size=32 if nano else 16,
                       difference=nano, sampling=sampling)


def _run_of(folder):
    """The settings of the run that saved a model or an adapter in `folder`; {} where none did."""
    settings = Path(folder).parent / "config.json"
    try:
        return json.loads(settings.read_text()) if Path(folder).name in ("adapter", "model") else {}
    except OSError:
        return {}


def _base_of(adapter, name):
    """The model that an adapter was trained on: on any other its weights mean nothing."""
    settings = Path(adapter) / "adapter_config.json"
    if not settings.exists():
        raise FileNotFoundError(f"no adapter in {adapter}; train one with: python -m rrvf_lab.train demo")
    base = json.loads(settings.read_text())["base_model_name_or_path"] or name
    if base != name:
        warnings.warn(f"the adapter in {adapter} was trained on {base!r}; loading that instead of {name!r}",
                      stacklevel=3)
    return base
