"""What a run leaves for others: weights and processors that stock classes load, a card, rollouts as a
dataset."""
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from bench_gpu import scripted
from datasets import load_dataset
from peft import LoraConfig, get_peft_model
from PIL import Image
from tiny import config, few_images

import rrvf_lab as rl
from rrvf_lab.nano.loading import load_model
from rrvf_lab.records.store import Recorder
from rrvf_lab.train import make_trainer, run
from rrvf_lab.training.process import prepare
from rrvf_lab.training.publish import publish, save_processor
from rrvf_lab.training.trainer import last_checkpoint

# what the hub's folders of these models hold, beside weights and tokenizer
HUB = {"qwen2_5_vl": {"min_pixels": 3136, "max_pixels": 12845056, "patch_size": 14, "temporal_patch_size": 2,
                      "merge_size": 2, "image_mean": [0.48145466, 0.4578275, 0.40821073],
                      "image_std": [0.26862954, 0.26130258, 0.27577711],
                      "image_processor_type": "Qwen2VLImageProcessor",
                      "processor_class": "Qwen2_5_VLProcessor"},
       "qwen3_vl": {"size": {"longest_edge": 16777216, "shortest_edge": 65536}, "patch_size": 16,
                    "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5, 0.5, 0.5],
                    "image_std": [0.5, 0.5, 0.5], "processor_class": "Qwen3VLProcessor",
                    "image_processor_type": "Qwen2VLImageProcessorFast"}}


def as_on_the_hub(folder, tiny):
    """A folder with the files that the hub has of a tiny model: its own processor's, and none of ours."""
    shutil.copytree(tiny, folder)
    settings = HUB[json.loads((folder / "config.json").read_text())["model_type"]]
    (folder / "processor_config.json").unlink()
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").write_text('{"chat_template": "knows no tools"}')
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer |= {"processor_class": settings["processor_class"], "chat_template": "knows no tools"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    return str(folder)


@pytest.fixture(params=["qwen2_5_vl", "qwen3_vl"])
def base(request, tmp_path):
    """A tiny Qwen2.5-VL and a tiny Qwen3-VL with random weights."""
    return as_on_the_hub(tmp_path / "base", request.getfixturevalue(
        {"qwen2_5_vl": "tiny_qwen", "qwen3_vl": "tiny_qwen3"}[request.param]))


def trained(tmp_path, model="nano-base", four_bit=False, **changes):
    """A run folder whose adapter moves its model a good deal, with four rollouts recorded."""
    settings = config(tmp_path, model=model, four_bit=four_bit, max_image_tokens=100, **changes)
    folder = prepare(settings)
    network, _, _ = load_model(model, four_bit)
    torch.manual_seed(1)
    network = get_peft_model(network, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "up_proj"],
                                                 init_lora_weights=False))
    network.peft_config["default"].base_model_name_or_path = model
    network.save_pretrained(folder / "adapter", save_embedding_layers=False)
    Recorder(folder / "rollouts").write("step-000001", rl.load_rollouts("data/rollouts/group")[:4])
    return folder


def logits(policy, image):
    """What a policy makes of one opening."""
    from rrvf_lab.talk import opening

    batch = policy.inputs([opening(image, "matplotlib", 2)])
    policy.model.train()  # without it bitsandbytes computes in bf16 on a CPU
    with torch.no_grad():
        return policy.model(**batch).logits.log_softmax(-1), batch


@pytest.mark.slow
@pytest.mark.parametrize("four_bit", [False, True])
def test_published_weights_say_what_the_adapter_said(base, four_bit, tmp_path):
    folder = trained(tmp_path, base, four_bit)
    model = publish(folder) / "model"
    image = Image.radial_gradient("L").convert("RGB").resize((300, 200))
    before, batch = logits(rl.load_policy(base, folder / "adapter", four_bit=four_bit, max_image_tokens=100),
                           image)
    after, again = logits(rl.load_policy(str(model), max_image_tokens=100), image)
    assert torch.equal(batch["input_ids"], again["input_ids"])
    assert (before - after).abs().max() < 1e-4
    plain = logits(rl.load_policy(base, max_image_tokens=100), image)[0]
    assert (before - plain).abs().max() > 1e-2  # it does say something else than the base


STOCK = """
import sys, torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer
folder, out = sys.argv[1:]
model = AutoModelForImageTextToText.from_pretrained(folder)
images = AutoImageProcessor.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
assert "tool_call" in tokenizer.chat_template
seen = images(images=[Image.open(out + ".png")], return_tensors="pt")
ids = torch.load(out + ".ids")
assert int(seen["image_grid_thw"].prod()) // 4 == int((ids == model.config.image_token_id).sum()) <= 100
with torch.no_grad():
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), **seen,
                   mm_token_type_ids=(ids == model.config.image_token_id).long()).logits
torch.save(logits.log_softmax(-1), out)
assert "rrvf_lab" not in sys.modules
"""


@pytest.mark.slow
def test_stock_transformers_reads_them_alike(base, tmp_path):
    folder = trained(tmp_path, base)
    model, out = publish(folder) / "model", str(tmp_path / "stock")
    image = Image.radial_gradient("L").convert("RGB").resize((300, 200))
    image.save(out + ".png")
    ours, batch = logits(rl.load_policy(base, folder / "adapter", max_image_tokens=100), image)
    torch.save(batch["input_ids"], out + ".ids")
    subprocess.run([sys.executable, "-c", STOCK, str(model), out], check=True)
    assert (ours - torch.load(out)).abs().max() < 1e-4


def test_processor_files_are_the_bases_with_the_template_and_pictures_of_training(base, tmp_path):
    save_processor(config(tmp_path, model=base, max_image_tokens=100), tmp_path)
    was, now = (json.loads((Path(where) / "preprocessor_config.json").read_text())
                for where in (base, tmp_path))
    for name in ("processor_class", "image_processor_type", "patch_size", "image_mean"):
        assert now[name] == was[name]
    assert now["size"]["longest_edge"] == 100 * (now["patch_size"] * 2) ** 2 and "max_pixels" not in now
    assert "<tools>" in (tmp_path / "chat_template.jinja").read_text()
    assert "chat_template" not in json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert not (tmp_path / "chat_template.json").exists()


def test_nothing_of_ours_stays_beside_the_bases_files(base, tmp_path):
    load_model(base)[1].save_pretrained(tmp_path)
    assert "ImageTextProcessor" in (tmp_path / "processor_config.json").read_text()
    save_processor(config(tmp_path, model=base), tmp_path)
    assert not any("ImageTextProcessor" in path.read_text() for path in tmp_path.glob("*.json"))


def test_the_adapter_alone_names_its_base(tmp_path):
    model = publish(trained(tmp_path), tmp_path / "out", merge=False) / "model"
    assert json.loads((model / "adapter_config.json").read_text())["base_model_name_or_path"] == "nano-base"
    assert not (model / "model.safetensors").exists()
    assert rl.load_policy("nano-base", model)


@pytest.mark.slow
def test_a_published_nano_plays_as_its_adapter(tmp_path):
    folder, image = trained(tmp_path), rl.load_rollouts("data/rollouts/group")[0].target
    model = publish(folder) / "model"
    turns = [rl.play(policy, image, max_turns=2).turns for policy in
             (rl.load_policy("nano-base", folder / "adapter"), rl.load_policy(str(model)))]
    assert [turn.text for turn in turns[0]] == [turn.text for turn in turns[1]]


def report(settings):
    one = {"vision": 0.5, "se": 0.01, "exec": 0.75, "vision_executed": 0.6, "vision_turn_1": 0.4,
           "answered": 1.0, "malformed": 0.0, "n": 160}
    return {"config": vars(settings), "steps": 64, "before": one, "after": one | {"vision": 0.625},
            "gain": 0.125, "gain_se": 0.02, "gain_low": 0.09, "gain_high": 0.16, "gain_n": 160}


def test_the_card_holds_the_measured_table_the_command_and_the_seed(tmp_path):
    folder = trained(tmp_path, seed=7)
    (folder / "report.json").write_text(json.dumps(report(config(tmp_path, seed=7))))
    text = (publish(folder) / "model" / "README.md").read_text()
    assert "| vision score | 0.500 | 0.625 |" in text and "+0.125 ± 0.020" in text
    assert "python -m rrvf_lab.train training.json" in text and "seed: 7" in text
    settings = rl.TrainConfig.load(folder / "published" / "model" / "training.json")
    assert settings.seed == 7
    assert "base_model" not in text  # a shipped model is none of the hub's


def test_a_judges_key_is_not_published(tmp_path):
    judge = {"model": "judge", "api_key": "sesame", "extra_headers": {"X-Key": "sesame"}}
    model = publish(trained(tmp_path, judge=judge)) / "model"
    written = [path.read_text() for path in model.iterdir() if path.suffix in (".json", ".md")]
    assert not any("sesame" in text for text in written)
    assert rl.TrainConfig.load(model / "training.json").judge == {"model": "judge"}


def test_rollouts_become_a_dataset_with_their_pictures(tmp_path):
    folder = publish(trained(tmp_path)) / "rollouts"
    rows = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    recorded = rl.load_rollouts("data/rollouts/group")[:4]
    assert len(rows) == 4
    for row, rollout in zip(rows, recorded, strict=True):
        assert row["target"].convert("RGB").tobytes() == rollout.target.tobytes()
        assert [turn["code"] for turn in row["turns"]] == [turn.code for turn in rollout.turns]
        pictures = [turn["picture"] and turn["picture"].convert("RGB").tobytes() for turn in row["turns"]]
        assert pictures == [turn.rendering.image.tobytes() if turn.ran else None for turn in rollout.turns]
        assert row["reward"] == rollout.reward.total and row["step"] == rollout.info["step"]


class Hub:
    """A hub that remembers what it was sent, or refuses."""

    sent, refuses = [], False

    def create_repo(self, repo_id, repo_type, private, exist_ok):
        assert private and exist_ok
        if self.refuses:
            raise OSError("401: who are you?")

    def upload_folder(self, repo_id, folder_path, repo_type):
        self.sent.append((repo_type, repo_id, sorted(path.name for path in folder_path.iterdir())))


def test_it_is_pushed_only_when_told_to_and_privately(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    Hub.sent = []
    folder = trained(tmp_path)
    publish(folder)
    assert Hub.sent == []
    publish(folder, push_to_hub="me/charts")
    assert [one[:2] for one in Hub.sent] == [("model", "me/charts"), ("dataset", "me/charts-rollouts")]
    assert {"README.md", "model.safetensors", "training.json"} <= set(Hub.sent[0][2])
    assert "me/charts-rollouts" in (folder / "published" / "model" / "README.md").read_text()


def test_a_hub_that_refuses_leaves_the_folder_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    monkeypatch.setattr(Hub, "refuses", True)
    folder = trained(tmp_path)
    with pytest.raises(RuntimeError, match="401: who are you.*hf auth login; then: hf upload me/charts"):
        publish(folder, push_to_hub="me/charts")
    assert (folder / "published" / "model" / "README.md").exists()


def test_other_things_in_the_folder_are_left_alone(tmp_path):
    folder = trained(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="publish did not write"):
        publish(folder, tmp_path / "mine")


def test_a_run_that_has_trained_nothing_yet_is_refused(tmp_path):
    folder = prepare(config(tmp_path))
    (folder / "pid").unlink()
    with pytest.raises(FileNotFoundError, match="no trained weights yet"):
        publish(folder)


@pytest.mark.slow
def test_all_weights_trained_are_saved_with_the_bases_processor(base, tmp_path):
    settings = config(tmp_path, model=base, lora_rank=0, prompts=2, micro_batch=2, learning_rate=1e-4,
                      rollouts="data/rollouts/group", max_image_tokens=100)
    run(settings)
    saved = settings.folder / "model"
    assert not any("ImageTextProcessor" in path.read_text() for path in saved.glob("*.json"))
    assert "<tools>" in (saved / "chat_template.jinja").read_text()
    image = rl.load_rollouts("data/rollouts/group")[0].target
    trained, published = (rl.load_policy(str(folder), max_image_tokens=100)
                          for folder in (saved, publish(settings.folder) / "model"))
    assert (logits(trained, image)[0] - logits(published, image)[0]).abs().max() < 1e-4


@pytest.mark.slow
def test_from_four_bit_steps_over_a_kill_to_stock_classes(base, tmp_path):
    def settings(steps):
        return rl.TrainConfig.load(
            "qwen2.5-vl-7b-qlora", model=base, output=str(tmp_path / "run"), steps=steps, prompts=1, group=2,
            max_turns=2, max_new_tokens=150, max_image_tokens=100, test_images=None, save_steps=1,
            train_images=str(few_images()), learning_rate=1e-2, warmup_steps=0)

    for steps in (2, 3):  # the first is cut off after its second step, and the second goes on from there
        trainer = make_trainer(settings(steps))
        prepare(settings(steps), resume=True)
        state, undo = scripted(trainer, 150)
        trainer.train(resume_from_checkpoint=str(last_checkpoint(tmp_path / "run")) if steps == 3 else None)
        undo()
        assert state["calls"] == 2 * (2 if steps == 2 else 1)
    adapter = trainer.save_policy()
    model = publish(tmp_path / "run") / "model"
    image = rl.load_images(few_images())[0]["image"]
    trained = rl.load_policy(base, adapter, four_bit=True, max_image_tokens=100)
    published = rl.load_policy(str(model), max_image_tokens=100)
    before, after = (logits(policy, image)[0] for policy in (trained, published))
    assert (before - after).abs().max() < 1e-4
    assert rl.play(published, image, max_turns=1).turns
