"""After a run: a folder ready for the hub, with weights that stock transformers and vLLM load, and the
rollouts.

    publish("runs/qwen2.5-vl-7b-qlora")                                 # look at runs/…/published first
    publish("runs/qwen2.5-vl-7b-qlora", push_to_hub="me/qwen-charts")   # then push it, privately

`model/` holds the merged weights (or the adapter alone) and the processor files of the base, so that no class
of ours is needed to load it; the chat template and the largest picture are those of training, because another
prompt would be another policy. Its README.md says what was measured, and how to make it again. `rollouts/`
is a dataset of everything the policy wrote, with its pictures.

Weights trained on a four-bit base are merged into what those four bits stand for, which is what was trained;
the original weights are others.

Left out: converting to other formats, a licence (that of the base holds), making a repository public.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from ..nano.loading import HOME, load_model, load_processor_of
from .cards import model_card, rollouts_card
from .config import TrainConfig
from .runs import Run

PROCESSOR = ("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
             "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
             "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json")
SECRET = ("api_key", "extra_headers", "extra_query")  # of a judge's settings


def publish(run, folder=None, merge: bool = True, push_to_hub: str | None = None) -> Path:
    """Write what the hub needs of a trained run, and push it where that is asked for; returns the folder.

    Args:
        run: a `Run` or its folder, after training.
        folder: where to write, by default `published/` in the run; what `publish` wrote there before is
            replaced.
        merge: put the LoRA weights into the base; False publishes the adapter alone, which needs the base.
        push_to_hub: `owner/name` of the model; the rollouts go to `owner/name-rollouts`. Both are made
            private, and nothing leaves this machine without it.

    Raises FileNotFoundError where nothing is trained, FileExistsError for a folder with other things in it,
    and RuntimeError where the hub refuses (what was written stays).

    Example: `publish("runs/demo") / "model" / "README.md"`.
    """
    run = run if isinstance(run, Run) else Run(run)
    config, trained = run.config, _trained(run)
    folder = Path(folder or run.path / "published")
    _empty(folder)
    model, rollouts = folder / "model", folder / "rollouts"
    model.mkdir(parents=True)
    merged = trained.name == "model" or merge
    if merged:
        _whole(config, trained, model)
    else:
        for path in trained.glob("adapter_*"):
            shutil.copy(path, model)
    save_processor(config, model)
    (model / "training.json").write_text(json.dumps(_public(config), indent=2))
    name = push_to_hub or run.path.resolve().name
    shipped = (HOME / config.model).is_dir()
    (model / "README.md").write_text(model_card(config, _report(run), name, merged, shipped))
    if len(run):
        run.to_parquet(rollouts / "data" / "train.parquet")
        (rollouts / "README.md").write_text(rollouts_card(name, len(run)))
    if push_to_hub:
        _push(folder, push_to_hub)
    return folder


def _trained(run):
    """The folder of what a run trained: adapter/ or model/."""
    for name in ("adapter", "model"):
        if run.config is not None and (run.path / name).is_dir():
            return run.path / name
    raise FileNotFoundError(f"{run.path} ({run.state}) holds no trained weights yet; they are saved when a "
                            "training ends. A stopped run goes on with run.resume()")


def _public(config):
    """The settings without what a judge's endpoint asks to be kept to oneself."""
    settings = asdict(config)
    if isinstance(settings["judge"], dict):
        settings["judge"] = {k: v for k, v in settings["judge"].items() if k not in SECRET}
    return settings


def _report(run):
    path = run.path / "report.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _empty(folder):
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "model" / "training.json").is_file():
            raise FileExistsError(f"{folder} holds something that publish did not write; choose another "
                                  "folder")
        shutil.rmtree(folder)


def _whole(config, trained, folder):
    """All weights into `folder`, in the number format of the base."""
    source = config.model if trained.name == "adapter" else str(trained)
    quantised = config.four_bit and trained.name == "adapter"
    model, _, _ = load_model(source, quantised, config.max_image_tokens)
    if quantised:
        model = model.dequantize()
    if trained.name == "adapter":
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, trained).merge_and_unload()
    model.to(_base_format(config)).save_pretrained(folder)


def _base_format(config):
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(_files_of(config.model)).dtype


def _files_of(name):
    """A local folder with everything of a model but its weights."""
    local = HOME / name if (HOME / name).is_dir() else Path(name)
    if local.is_dir():
        return local
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, allow_patterns=[*PROCESSOR, "config.json"]))


def save_processor(config: TrainConfig, folder) -> None:
    """The processor files of a run's base into `folder`, where they replace any others, with the template and
    the largest picture of training.

    Example: `save_processor(TrainConfig.load("nano"), "runs/nano/model")`.
    """
    source, folder = _files_of(config.model), Path(folder)
    for name in PROCESSOR:
        (folder / name).unlink(missing_ok=True)
        if (source / name).is_file() and name != "chat_template.json":  # the older form of the .jinja
            shutil.copyfile(source / name, folder / name)
    processor, nano = load_processor_of(config.model, config.max_image_tokens)
    (folder / "chat_template.jinja").write_text(processor.chat_template)
    most = None if nano else processor.image_processor.size["longest_edge"]
    for name in PROCESSOR:
        if name.endswith(".json") and (folder / name).is_file():
            _as_trained(folder / name, most)


def _as_trained(path, most):
    """Take another template out of a file of settings, and bound pictures to `most` pixels."""
    settings = json.loads(path.read_text())
    if not isinstance(settings, dict) or path.name in ("tokenizer.json", "vocab.json", "added_tokens.json"):
        return
    settings.pop("chat_template", None)
    images = settings if path.name == "preprocessor_config.json" else settings.get("image_processor")
    if images and most:
        smallest = images.pop("min_pixels", None) or images.get("size", {}).get("shortest_edge", 3136)
        images.pop("max_pixels", None)
        images["size"] = {"shortest_edge": smallest, "longest_edge": most}
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False))


def _push(folder, name):
    """Both folders to the hub, into private repositories."""
    from huggingface_hub import HfApi

    hub = HfApi()
    parts = [("model", name, "model"), ("rollouts", f"{name}-rollouts", "dataset")]
    for part, repository, kind in parts:
        if not (folder / part).is_dir():
            continue
        try:
            hub.create_repo(repository, repo_type=kind, private=True, exist_ok=True)
            hub.upload_folder(repo_id=repository, folder_path=folder / part, repo_type=kind)
        except Exception as error:  # the network, the token, the name: the hub's words say which
            raise RuntimeError(f"pushing {folder / part} to {repository} failed: {error}. Log in with: hf "
                               f"auth login; then: hf upload {repository} {folder / part} --repo-type {kind}"
                               ) from error
