"""How much memory a run will need, part by part, before it starts: will it fit, and which setting makes it fit?

    print(estimate(TrainConfig.load("qwen2.5-vl-7b-qlora")))

From the shapes in the model's configuration alone; nothing is loaded. Sampling and updating do not happen at once, so
the peak is what always stays (weights, adapters, optimizer) plus the larger of the two. The longest possible rollout
is assumed: real ones are shorter, and the estimate is above what a typical step takes.

Left out: the libraries' own memory (about 0.5 GB of a GPU, 1 GB of a CPU process), the activations of the vision
tower, fragmentation, what vLLM reserves for itself, sharding over processes (FSDP, DeepSpeed).
"""

from __future__ import annotations

from dataclasses import dataclass

GB = 1e9
QUANTISED = 4.127 / 8  # bytes of an nf4 weight with doubly quantised scales (Dettmers et al. 2023, section 3)


# What the hub's config.json says of the paper's model and its smaller sister, so that no network is asked for it.
SHAPES = {
    "Qwen/Qwen2.5-VL-7B-Instruct": (
        dict(vocab_size=152064, hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
             num_key_value_heads=4, max_position_embeddings=32768),
        dict(depth=32, hidden_size=1280, intermediate_size=3420, num_heads=16, out_hidden_size=3584)),
    "Qwen/Qwen2.5-VL-3B-Instruct": (
        dict(vocab_size=151936, hidden_size=2048, intermediate_size=11008, num_hidden_layers=36, num_attention_heads=16,
             num_key_value_heads=2, max_position_embeddings=32768, tie_word_embeddings=True),
        dict(depth=32, hidden_size=1280, intermediate_size=3420, num_heads=16, out_hidden_size=2048)),
}


def shapes_of(text: dict, vision: dict, **config):
    """A Qwen2.5-VL configuration from the sizes of its two halves; `shapes_of(*SHAPES[name])` for a known model."""
    from transformers import Qwen2_5_VLConfig

    head = text["hidden_size"] // text["num_attention_heads"]
    parts = [head // 8, 3 * head // 16, 3 * head // 16]  # how rotary positions are shared by time, height and width
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": parts}
    return Qwen2_5_VLConfig(text_config=text | {"rope_parameters": rope}, vision_config=vision,
                            tie_word_embeddings=text.get("tie_word_embeddings", False), **config)


@dataclass(frozen=True)
class Estimate:
    """Gigabytes (1e9 bytes) by part; `peak` is the most that is held at once. Shows itself as a table in a cell."""

    parts: dict[str, float]

    @property
    def peak(self) -> float:
        return sum(self.parts[name] for name in ALWAYS) + max(sum(self.parts[name] for name in phase)
                                                              for phase in (SAMPLING, UPDATE))

    def _rows(self):
        phases = dict.fromkeys(ALWAYS, "always") | dict.fromkeys(SAMPLING, "sampling") | dict.fromkeys(UPDATE, "update")
        return [(name, phases[name], value) for name, value in self.parts.items()]

    def __str__(self):
        lines = [f"{name:28}{phase:10}{value:8.2f} GB" for name, phase, value in self._rows()]
        return "\n".join([*lines, f"{'peak':38}{self.peak:8.2f} GB"])

    def _repr_html_(self):
        rows = "".join(f"<tr><th scope=row style='text-align:left'>{name}</th><td>{phase}</td>"
                       f"<td>{value:.2f} GB</td></tr>" for name, phase, value in self._rows())
        return f"<table>{rows}<tr><th scope=row style='text-align:left'>peak</th><td></td><td><b>{self.peak:.2f} GB</b></td></tr></table>"


ALWAYS = ("weights", "adapters and gradients", "optimizer")
SAMPLING = ("keys and values", "reading the prompt")
UPDATE = ("activations", "logits")


def estimate(config, shapes=None, gpu: bool | None = None) -> Estimate:
    """The memory of a run, from its settings and the model's shapes.

    `config` is a `TrainConfig`; `shapes` the model's transformers configuration (by the model's name when None: known
    here, in a folder, or read from the hub); `gpu` whether weights are bf16 (default: as a run here would have them). Raises OSError,
    from transformers, when the configuration cannot be read.

    Example: `estimate(TrainConfig.load("nano")).peak`.
    """
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    from ..nano.model import HOME

    if shapes is None and config.model in SHAPES:
        shapes = shapes_of(*SHAPES[config.model])
    elif shapes is None:
        shapes = AutoConfig.from_pretrained(HOME / config.model if (HOME / config.model).is_dir() else config.model)
    gpu = torch.cuda.is_available() if gpu is None else gpu
    number = 2 if gpu else 4
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(shapes)
    linear = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    inner = sum(m.weight.numel() for name, m in linear.items() if "visual" not in name and "lm_head" not in name)
    total = sum(p.numel() for p in model.parameters())
    weights = (total - inner) * number + inner * (QUANTISED if config.four_bit else number)
    trained = _adapters(config, linear) if config.lora_rank else total
    # LoRA's own weights and gradients are float32; all weights train in their own type
    adapters = trained * (8 if config.lora_rank else number)
    state = trained * {"paged_adamw_8bit": 2, "adamw_8bit": 2, "adamw_bnb_8bit": 2}.get(config.optimizer, 8)

    text = shapes.get_text_config()
    layers, hidden, wide, words = text.num_hidden_layers, text.hidden_size, text.intermediate_size, text.vocab_size
    head = getattr(text, "head_dim", None) or hidden // text.num_attention_heads
    prompt = config.max_image_tokens + 200 if not config.model.startswith("nano") else 80
    longest = prompt + config.max_completion_length
    rollouts = config.prompts * config.group
    tokens = config.micro_batch * longest
    inside = 8 * hidden + 4 * wide  # what one layer keeps of each token for its backward pass, in numbers
    kept = layers * hidden + 2 * inside if config.gradient_checkpointing else layers * inside
    parts = {
        "weights": weights, "adapters and gradients": adapters, "optimizer": state,
        "keys and values": rollouts * longest * layers * 2 * text.num_key_value_heads * head * number,
        # before the last turn everything so far is read at once
        "reading the prompt": rollouts * (longest - config.max_new_tokens) * (3 * wide + 4 * hidden) * number,
        "activations": tokens * kept * number,
        # logits, the same divided by the temperature, their float32 softmax and its gradient
        "logits": config.micro_batch * config.max_completion_length * words * (2 * number + 8),
    }
    return Estimate({name: value / GB for name, value in parts.items()})


def _adapters(config, linear):
    """Weights of the LoRA matrices; targets as peft reads them: every linear layer, or a pattern of full names."""
    import re

    if config.lora_targets == "all-linear":
        chosen = [m for name, m in linear.items() if "lm_head" not in name]
    else:
        chosen = [m for name, m in linear.items() if re.fullmatch(config.lora_targets, name)]
    return sum(config.lora_rank * (m.in_features + m.out_features) for m in chosen)
