"""Everything a training run depends on, as one dataclass, and the commented files in configs/ that fill it.

    TrainConfig.load("nano", steps=10)                    # a shipped configuration, one setting changed
    TrainConfig.load("my_run.yaml")                       # your own: YAML or JSON
    python -m rrvf_lab.train nano --set steps=10 seed=1   # the same from the command line

What cannot work is refused before anything is loaded: unknown names, wrong types, batches that do not divide.
Whether the token budget holds all turns needs the model's tokenizer (see `budget`).

Left out: several groups of prompts accumulated into one step.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import yaml

from ..data import LANGUAGES
from ..leaves.files import found
from ..leaves.names import hint
from ..reward import RewardWeights
from ..talk import BLINDS

HOME = Path(__file__).resolve().parent / "configs"
POSITIVE = ("steps", "prompts", "group", "micro_batch", "max_turns", "max_new_tokens", "save_steps",
            "keep_checkpoints", "sample_batch", "eval_steps", "eval_images")
WRITABLE = (*LANGUAGES.values(), "plotly")
TRACKERS = (None, "trackio", "wandb", "tensorboard")


@dataclass
class TrainConfig:
    """Settings of one run; `TrainConfig.load(name_or_path, **changes)` reads them. See configs/*.yaml for the
    reasons.

    A step is `prompts` images times `group` rollouts, over all processes; `micro_batch` rollouts share one
    backward pass of one process. `scale_rewards` divides advantages by the spread of each "group" (TRL's and
    GRPO's own) or of the "batch" (groups that hardly differ push little). `lora_rank` 0 trains all weights.
    `max_new_tokens` bounds one turn, `max_completion_length` everything after the prompt: all turns, what the
    tool answers, and its pictures, of `max_image_tokens` each at most (nano's pictures always have 48).
    Images are folders, or `hub:owner/name` (also `hub:owner/name:split`); `language` is what to write for
    them, null follows from the folder's name. `sample_batch` rollouts are sampled at once, null: all of a
    process. `eval_steps` plays `eval_images` of the training images, which are then kept out of training,
    every so many steps, and the adapter with the highest score is the one that the run leaves.
    A checkpoint is written every `save_steps`, and the last `keep_checkpoints` of them stay (null: all, for a
    curve of `probe`). `attn_implementation` is transformers'; `report_to` is null, "trackio", "wandb" or
    "tensorboard". `trl` holds further fields of TRL's `GRPOConfig` (beta, epsilon_high,
    vllm_gpu_memory_utilization ...), `lora` of peft's `LoraConfig` (lora_alpha, lora_dropout ...); those that
    a setting here fills are refused there.
    `start_from` is a finished run (or its adapter) whose LoRA is trained on, or a configuration to be trained
    first. With `rollouts`, a folder of recorded ones, the run is supervised: a step imitates `prompts` of
    the `keep_best` share with the highest rewards, and `group` has no part. `preflight` false skips the look
    before a training (see `preflight`).
    `judge` is None for the embedded judge, "module:function" for one of your own (see `as_judge`), else the
    arguments of `VLMJudge`, with `on_unscored` ("drop", "pixel", "stop") beside them. `blind` takes something
    out of the tool's replies, in training and in evaluation ("all", "pictures", "text", "difference"): the
    control of a run that is told everything. `vllm` is None,
    "colocate" or "server" (then `vllm_url`).

    Raises ValueError for an unknown setting, a wrong type and an impossible combination, FileNotFoundError
    for an unknown name.

    Example: `TrainConfig.load("nano", steps=2, output="runs/try")`.
    """

    model: str = "nano-base"
    train_images: str = "data/charts/train"
    test_images: str | None = "data/charts/test"
    test_limit: int | None = 160
    language: str | None = None
    output: str = "runs/demo"
    seed: int = 0
    steps: int = 64
    prompts: int = 8
    group: int = 8
    micro_batch: int = 16
    max_turns: int = 2
    learning_rate: float = 3e-3
    warmup_steps: int = 3
    scale_rewards: str = "group"
    temperature: float = 0.7
    max_new_tokens: int = 112
    max_completion_length: int = 768
    max_image_tokens: int = 768
    lora_rank: int = 16
    lora_targets: str = "all-linear"
    four_bit: bool = False
    attn_implementation: str | None = None
    gradient_checkpointing: bool = False
    optimizer: str = "adamw_torch"
    sample_batch: int | None = None
    vllm: str | None = None
    vllm_url: str | None = None
    judge: dict | str | None = None
    blind: str | None = None
    unsafe_ok: bool = False
    save_steps: int = 5
    keep_checkpoints: int | None = 2
    eval_steps: int | None = None
    eval_images: int = 32
    report_to: str | None = None
    rollouts: str | None = None
    keep_best: float = 1.0
    start_from: str | None = None
    preflight: bool = True
    reward: dict = field(default_factory=lambda: asdict(RewardWeights()))
    trl: dict = field(default_factory=dict)
    lora: dict = field(default_factory=dict)

    @classmethod
    def load(cls, name, **changes) -> TrainConfig:
        """A shipped configuration by name, or a YAML or JSON file; `changes` override it."""
        return cls(**check_names(changed(_read(name), changes)))

    @classmethod
    def names(cls) -> list[str]:
        """The shipped configurations."""
        return sorted(path.stem for path in HOME.glob("*.yaml"))

    def __post_init__(self):
        for one in fields(self):
            setattr(self, one.name, _typed(one, getattr(self, one.name)))
        for name in POSITIVE:
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: at least 1 is needed")
        if self.group < 2:
            raise ValueError("group=1: an advantage compares rollouts of the same image, so at least 2 are "
                             "needed")
        weights = asdict(RewardWeights())
        if unknown := sorted(set(self.reward) - set(weights)):
            raise ValueError(f"unknown reward weight {unknown[0]!r}; known: {', '.join(weights)}")
        if not 0 < self.keep_best <= 1:
            raise ValueError(f"keep_best={self.keep_best} is no share of the rollouts; choose above 0, up to "
                             "1 (all of them)")
        _check_choice(self, "scale_rewards", ("group", "batch", "none"))
        _check_choice(self, "report_to", TRACKERS)
        _check_choice(self, "language", (None, *WRITABLE))
        _check_choice(self, "vllm", (None, "colocate", "server"))
        _check_choice(self, "blind", (None, "all", *BLINDS[2:]))
        _check_vllm(self)
        _check_weights(self)

    def divide(self, processes: int) -> int:
        """Backward passes of each of `processes` processes in a step; ValueError where the batch does not
        divide."""
        rollouts = self.batch
        if self.prompts % processes:
            raise ValueError(f"prompts={self.prompts} do not divide among {processes} processes, and a group "
                             f"stays in one process; set prompts to a multiple of {processes}")
        each = rollouts // processes
        if each % self.micro_batch:
            raise ValueError(f"micro_batch={self.micro_batch} does not divide the {each} rollouts of a "
                             f"process (prompts x group = {rollouts}, processes {processes}); choose a "
                             f"divisor of {each}")
        return each // self.micro_batch

    @property
    def batch(self) -> int:
        """Rollouts of a step, over all processes."""
        return self.prompts * (1 if self.rollouts else self.group)

    @property
    def blinded(self) -> bool | str:
        """`blind` as `Episode` takes it."""
        return self.blind == "all" or self.blind or False

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.output)

    @property
    def first(self) -> TrainConfig | None:
        """The configuration to be trained before this one, where `start_from` names one."""
        name = self.start_from or ""
        if name not in self.names() and Path(name).suffix not in (".yaml", ".json"):
            return None
        first = TrainConfig.load(name)
        for what in ("model", "lora_rank", "lora_targets"):
            if getattr(first, what) != getattr(self, what):
                raise ValueError(f"start_from={name!r} has {what}={getattr(first, what)!r}, this run "
                                 f"{getattr(self, what)!r}: its LoRA would not fit; set both alike")
        if first.folder.resolve() == self.folder.resolve():
            raise ValueError(f"output={self.output!r} is also that of start_from={name!r}; choose another")
        return first

    @property
    def adapter(self) -> Path | None:
        """The folder of the LoRA weights that this run starts from."""
        if self.start_from is None:
            return None
        folder = found(self.start_from)
        folder = folder / "adapter" if (folder / "adapter").is_dir() else folder
        if not (settings := folder / "adapter_config.json").is_file():
            raise FileNotFoundError(
                f"start_from={self.start_from!r} holds no adapter; give a finished run, its adapter/ or a "
                f"configuration ({', '.join(self.names())}). Where a run trained all weights, set model to "
                "its model/ instead")
        made = json.loads(settings.read_text())
        if (made["base_model_name_or_path"], made["r"]) != (self.model, self.lora_rank):
            raise ValueError(f"start_from={self.start_from!r} was trained on "
                             f"{made['base_model_name_or_path']!r} with rank {made['r']}; set model="
                             f"{made['base_model_name_or_path']} lora_rank={made['r']}")
        return folder


def changed(values: dict, changes: dict) -> dict:
    """`values` with `changes`. Images of your own leave no held-out images of somebody else's behind: with
    new `train_images` alone, `test_images` becomes None, with a warning.

    Example: `changed({"train_images": "a", "test_images": "b"}, {"steps": 3})`.
    """
    default = asdict(TrainConfig())
    for earlier, later in ((default, values), (default | values, changes)):
        old, new = earlier["test_images"], later.get("train_images", earlier["train_images"])
        if new != earlier["train_images"] and old is not None and "test_images" not in later | changes:
            warnings.warn(f"train_images={new!r} are yours, test_images were left at {old!r}: nothing is "
                          f"evaluated on held-out images; set test_images=FOLDER (or {old})", stacklevel=3)
            return values | changes | {"test_images": None}
    return values | changes


def from_words(items: list[str]) -> dict:
    """NAME=VALUE words of a command line as settings; values are read as JSON, else taken as text.

    Raises ValueError for a name that is no setting.

    Example: `from_words(["steps=3", "test_images=null"]) == {"steps": 3, "test_images": None}`.
    """
    changes = {}
    for item in items:
        name, _, value = item.partition("=")
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value
    return check_names(changes)


def check_names(values: dict) -> dict:
    """`values` unchanged; ValueError naming the first key that is no setting, and the nearest one that is."""
    known = [one.name for one in fields(TrainConfig)]
    for name in values:
        if name not in known:
            raise ValueError(f"unknown setting {name!r}{hint(name, known)}; "
                             f"known: {', '.join(sorted(known))}")
    return values


def _read(name):
    path = HOME / f"{name}.yaml" if (HOME / f"{name}.yaml").is_file() else Path(name)
    if not path.is_file():
        shipped = ", ".join(TrainConfig.names())
        raise FileNotFoundError(f"no configuration or file {str(name)!r}; shipped: {shipped}; or give a YAML "
                                "or JSON file")
    text = path.read_text()
    try:
        values = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {str(error).splitlines()[-1]}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no settings; write lines such as: steps: 10")
    return values


_TYPES = {"str": str, "int": int, "float": float, "bool": bool, "dict": dict}


def _typed(one, value):
    """The value in the field's type. YAML reads 3e-3 as text and 10.0 as a fraction; both are taken as
    meant."""
    names = one.type.split(" | ")
    kind, truth = _TYPES[names[0]], isinstance(value, bool)  # True is an int to Python, and not to a person
    if value is None and "None" in names:
        return value
    kinds = tuple(_TYPES[name] for name in names if name != "None")
    if isinstance(value, kinds) and not (kind is int and truth):
        return value
    if kind in (int, float) and not truth:
        try:
            number = float(value)
            if kind is float or number == int(number):
                return kind(number)
        except (TypeError, ValueError, OverflowError):
            pass
    wanted = " or ".join(names).replace("None", "null")
    raise ValueError(f"{one.name}={value!r} should be {wanted}")


def _check_choice(config, name, allowed):
    if getattr(config, name) not in allowed:
        shown = ", ".join("null" if value is None else value for value in allowed)
        raise ValueError(f"{name}={getattr(config, name)!r} is not one of {shown}")


def _check_vllm(config):
    if not config.vllm and not config.vllm_url:
        return
    if config.model.startswith("nano"):
        raise ValueError(f"vllm={config.vllm!r} cannot serve {config.model!r}: vLLM would not squeeze "
                         "pictures to nano's one size; set vllm=null")
    if config.four_bit:
        raise ValueError(f"vllm={config.vllm!r} with four_bit=true: merging LoRA into 4-bit weights for vLLM "
                         "loses it and wears the weights down; set four_bit=false, or vllm=null")
    if (config.vllm == "server") != bool(config.vllm_url):
        raise ValueError(f"vllm={config.vllm!r} with vllm_url={config.vllm_url!r}: a server needs its "
                         "address and nothing else does, for example vllm=server vllm_url=http://host:8000; "
                         "start one with: vllm serve (see notebooks/SCALING.md)")


def _check_weights(config):
    if config.four_bit and not config.lora_rank:
        raise ValueError("four_bit weights cannot be trained themselves; set lora_rank=16, or four_bit=false")
    if config.lora and not config.lora_rank:
        raise ValueError(f"lora={config.lora} with lora_rank=0: all weights train and no LoRA is made; set "
                         "lora_rank=16, or leave lora out")
    if config.eval_steps and config.rollouts:
        raise ValueError(f"eval_steps={config.eval_steps} with rollouts={config.rollouts!r}: a supervised "
                         "run plays nothing meanwhile; leave eval_steps out")
