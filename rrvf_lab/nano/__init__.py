"""The nano room: the embedded model, its family's processors, its small language, how well it is spoken.

The front door is `load_model("nano")`: weights and processor of the embedded model or of any other of Qwen's
vision family. `processor` is what both share, `tokens` a conversation as training shows it, `model` the
policy that either becomes; `dialect` is the language of charts that nano writes, `fields` what an evaluation
finds in it.

May import leaves, talk, rollout and reward. Importing it loads no torch.

Left out: how the model is made (data/nano/make.py).
"""

from .dialect import Chart, parse_program, program, thought
from .fields import accuracies, load_truths
from .loading import forbidden_tokens, load_model

__all__ = ["Chart", "accuracies", "forbidden_tokens", "load_model", "load_truths", "parse_program",
           "program", "thought"]
