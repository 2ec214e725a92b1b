"""How much memory a run will need, part by part, before it starts: will it fit, and which setting makes it
fit?

    print(estimate(TrainConfig.load("qwen2.5-vl-7b-qlora")))

From the shapes in the model's configuration alone; nothing is loaded. Sampling and updating do not happen at
once, so the peak is what always stays (weights, adapters, optimizer) plus the larger of the two. The longest
possible rollout is assumed: real ones are shorter, and the estimate is above what a typical step takes.

For each process: with several, `prompts` are shared among them. A run prints what it measured beside this.

Left out: what libraries take (about 0.5 GB of a GPU, 0.6 of a process), and in a process the pictures that
renderer, judge and recordings hold and the freed memory that the allocator keeps (4 GB in all after forty
steps of nano); a vision tower that is not trained (it needs little), what vLLM reserves for itself, sharding
over processes (FSDP, DeepSpeed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..nano.loading import HOME
from .config import TrainConfig

GB = 1e9
QUANTISED = 4.127 / 8  # bytes of an nf4 weight with doubly quantised scales (Dettmers et al. 2023, section 3)
STATE = {"paged_adamw_8bit": 2, "adamw_8bit": 2, "adamw_bnb_8bit": 2}  # bytes of a weight; others: 8

ALWAYS = ("weights", "adapters and gradients", "optimizer", "pictures")
SAMPLING = ("keys and values", "reading the prompt")
UPDATE = ("activations", "activations of the eyes", "logits")
TILE = 4096, 32768  # tokens and words of which TRL's fused head makes logits at once

# What the hub's config.json says of the paper's model and its smaller sister, so that no network is asked.
SHAPES = {
    "Qwen/Qwen2.5-VL-7B-Instruct": (
        dict(vocab_size=152064, hidden_size=3584, intermediate_size=18944, num_hidden_layers=28,
             num_attention_heads=28, num_key_value_heads=4, max_position_embeddings=32768),
        dict(depth=32, hidden_size=1280, intermediate_size=3420, num_heads=16, out_hidden_size=3584)),
    "Qwen/Qwen2.5-VL-3B-Instruct": (
        dict(vocab_size=151936, hidden_size=2048, intermediate_size=11008, num_hidden_layers=36,
             num_attention_heads=16, num_key_value_heads=2, max_position_embeddings=32768,
             tie_word_embeddings=True),
        dict(depth=32, hidden_size=1280, intermediate_size=3420, num_heads=16, out_hidden_size=2048)),
}


def shapes_of(text: dict, vision: dict, **config):
    """A Qwen2.5-VL configuration from the sizes of its two halves.

    Example: `shapes_of(*SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"])`.
    """
    from transformers import Qwen2_5_VLConfig

    head = text["hidden_size"] // text["num_attention_heads"]
    parts = [head // 8, 3 * head // 16, 3 * head // 16]  # rotary positions of time, height and width
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": parts}
    return Qwen2_5_VLConfig(text_config=text | {"rope_parameters": rope}, vision_config=vision,
                            tie_word_embeddings=text.get("tie_word_embeddings", False), **config)


@dataclass(frozen=True)
class Estimate:
    """Gigabytes (1e9 bytes) by part; `peak` is the most that is held at once."""

    parts: dict[str, float]

    @property
    def peak(self) -> float:
        """What is always held, plus the larger of sampling and update, in gigabytes."""
        always, *either = (sum(self.parts[name] for name in phase) for phase in (ALWAYS, SAMPLING, UPDATE))
        return always + max(either)

    def rows(self) -> list[tuple[str, str, float]]:
        """(part, when it is held, gigabytes) of each part."""
        when = dict.fromkeys(ALWAYS, "always") | dict.fromkeys(SAMPLING, "sampling")
        return [(name, when.get(name, "update"), value) for name, value in self.parts.items()]

    def __str__(self):
        lines = [f"{name:28}{phase:10}{value:8.2f} GB" for name, phase, value in self.rows()]
        return "\n".join([*lines, f"{'peak':38}{self.peak:8.2f} GB"])


def estimate(config: TrainConfig, shapes=None, gpu: bool | None = None) -> Estimate:
    """The memory of a run, from its settings and the model's shapes.

    `shapes` is the model's transformers configuration (by the model's name when None: known here, in a
    folder, or read from the hub); `gpu` says whether weights are bf16 (default: as a run here would have
    them). Raises OSError, from transformers, when the configuration cannot be read.

    Example: `estimate(TrainConfig.load("nano")).peak`.
    """
    import torch

    shapes = _known_shapes(config.model) if shapes is None else shapes
    number = 2 if (torch.cuda.is_available() if gpu is None else gpu) else 4  # bytes of a weight
    model = _without_numbers(shapes)
    parts = (_weights(config, shapes, number, model) | _sampling(config, shapes, number)
             | _update(config, shapes, number, _eyes_train(config, model)))
    return Estimate({name: value / GB for name, value in parts.items()})


def _known_shapes(name):
    if name in SHAPES:
        return shapes_of(*SHAPES[name])
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(HOME / name if (HOME / name).is_dir() else name)


def _without_numbers(shapes):
    """The model as shapes alone."""
    import torch
    from transformers import AutoModelForImageTextToText

    with torch.device("meta"):
        return AutoModelForImageTextToText.from_config(shapes)


def _linear(model):
    """The linear layers of a model by their names."""
    import torch

    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}


def _weights(config, shapes, number, model):
    """Bytes that stay: the model, what is trained of it with its gradients, the optimizer's state, and the
    pictures of a step as numbers."""
    linear = _linear(model)
    total = sum(p.numel() for p in model.parameters())
    inner = sum(module.weight.numel() for name, module in linear.items()
                if "visual" not in name and "lm_head" not in name)
    adapted = _adapted(config, linear).values()
    trained = (sum(config.lora_rank * (module.in_features + module.out_features) for module in adapted)
               if config.lora_rank else total)
    kept = number if config.lora_rank else 4  # all weights train as float32, else the smallest steps are lost
    cast = 0 if config.lora_rank or number == 4 else trained * number
    return {
        "weights": (total - inner) * kept + inner * (QUANTISED if config.four_bit else kept) + cast,
        "adapters and gradients": trained * (8 if config.lora_rank else 4),
        "optimizer": trained * STATE.get(config.optimizer, 8),
        "pictures": _pictures(config, shapes),
    }


def _pictures(config, shapes):
    """Bytes of all pictures of a step."""
    eye = shapes.vision_config
    numbers = 3 * getattr(eye, "temporal_patch_size", 2) * eye.patch_size**2  # of a patch
    return config.batch * _patches(config, shapes) * numbers * 4


def _patches(config, shapes):
    """Patches of all pictures of a rollout: its target, and those of its replies."""
    nano = config.model.startswith("nano")
    tokens = 48 if nano else config.max_image_tokens
    shown = 1 + (config.max_turns - 1) * (3 if nano else 2)
    return shown * tokens * shapes.vision_config.spatial_merge_size**2


def _adapted(config, linear):
    """The layers that get LoRA matrices; targets as peft reads them: every linear layer, or a pattern of full
    names."""
    return {name: module for name, module in linear.items() if (
        "lm_head" not in name if config.lora_targets == "all-linear"
        else re.fullmatch(config.lora_targets, name))}


def _eyes_train(config, model):
    """Whether weights of the vision tower train."""
    return not config.lora_rank or any("visual" in name for name in _adapted(config, _linear(model)))


def _sampling(config, shapes, number):
    """Bytes while sampling, for the rollouts that are sampled at once; nothing where vLLM does it, or where
    nobody samples."""
    if config.vllm or config.rollouts:
        return dict.fromkeys(SAMPLING, 0)
    text, longest = shapes.get_text_config(), _longest(config)
    rollouts = min(config.batch, config.sample_batch or config.batch)
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    kept = text.num_hidden_layers * 2 * text.num_key_value_heads * head  # of one token, in numbers
    # what one layer holds of a token: gate, up and their product; queries; keys and values of all heads
    read = 3 * text.intermediate_size + 2 * text.hidden_size + 3 * text.num_attention_heads * head
    before = longest - config.max_new_tokens  # is read at once, before the last turn
    return {
        "keys and values": rollouts * longest * kept * number,
        "reading the prompt": rollouts * before * (read * number + before),  # and who sees whom, as bytes
    }


def _update(config, shapes, number, eyes_train):
    """Bytes while updating, for the rollouts of one backward pass."""
    text, tokens = shapes.get_text_config(), config.micro_batch * _longest(config)
    eyes, patches = shapes.vision_config, config.micro_batch * _patches(config, shapes)
    tile = min(tokens, TILE[0]) * min(text.vocab_size, TILE[1])
    # without the GPU's kernel a tile is worked on in float32, in about five copies
    word = number if number == 2 else number + 5 * 4
    head = 0 if config.lora_rank else text.vocab_size * text.hidden_size * 4
    return {
        "activations": tokens * _kept(config, text, text.num_hidden_layers) * number,
        "activations of the eyes": patches * _kept(config, eyes, eyes.depth) * number * eyes_train,
        "logits": tile * word + tokens * text.hidden_size * (4 + number) + head,
    }


def _kept(config, half, layers):
    """Numbers that the layers of one half of the model keep of a token, or a patch, until the way back."""
    inside = 8 * half.hidden_size + 4 * half.intermediate_size  # of one layer
    return layers * half.hidden_size + 2 * inside if config.gradient_checkpointing else layers * inside


def _longest(config):
    """Tokens of the longest possible rollout: the prompt with its picture, and the whole completion."""
    prompt = 80 if config.model.startswith("nano") else config.max_image_tokens + 200
    return prompt + config.max_completion_length
