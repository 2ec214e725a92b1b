"""What you inspect is what you train on: TRL's trainer, `play` and an endpoint's server show a model the same
tokens and pictures, turn by turn, on the templates of Qwen2.5-VL and Qwen3-VL."""
import base64
import io
import json
from importlib.resources import files

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import GOOD, few_images
from transformers.utils import get_json_schema
from trl import GRPOTrainer

import rrvf_lab as rl
from rrvf_lab.endpoint.policy import TOOLS, within
from rrvf_lab.nano.loading import load_processor_of
from rrvf_lab.nano.tokens import batch_of, ids_of, written
from rrvf_lab.talk import END, SYSTEM, TOOL, opening, write_turn
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig

TOKENS = 64  # of a picture: fewer than the charts have, so that they are scaled down
BAD = write_turn("b", "x").replace('{"code": "x"}', '{"source": "x"}')
OTHER = write_turn("b", "x").replace("render", "rm")
DONE = write_turn("c", answer="turn 1")
STOCK = {"tiny_qwen": ("qwen2_5_vl", "Qwen/Qwen2.5-VL-7B-Instruct"),
         "tiny_qwen3": ("qwen3_vl", "Qwen/Qwen3-VL-8B-Instruct")}
families = pytest.mark.parametrize("family", STOCK)


class Enough(Exception):
    """The rollouts are made; nothing is learnt from them here."""


def as_one(processor, text):
    return processor.tokenizer(text + END)["input_ids"]


def in_pieces(processor, text):
    """Tokens that the model may sample, and that its text does not give."""
    return [i for letter in text for i in processor.tokenizer(letter)["input_ids"]] + as_one(processor, "")


def trained(model, folder, turns, monkeypatch):
    """[(token ids, pixels)] that TRL's trainer shows the model before each turn of one rollout."""
    config = TrainConfig.load(
        "qwen2.5-vl-7b-qlora", model=model, output=str(folder / "run"), steps=1, prompts=1, group=2,
        micro_batch=2, max_turns=len(turns), max_new_tokens=600, max_image_tokens=TOKENS, four_bit=False,
        max_completion_length=4096, test_images=None, train_images=str(few_images()), preflight=False,
        optimizer="adamw_torch")
    trainer = make_trainer(config)
    start, = trainer.processing_class.tokenizer("<|im_start|>")["input_ids"]
    asked = {}

    def sample(self, prompt_ids, images, fields, *args, **kwargs):
        # the system's message, the user's, then two for each turn
        turn = (prompt_ids[0].count(start) - 3) // 2
        pixels = fields["pixel_values"]  # of the first turn a list
        pixels = pixels.cpu() if torch.is_tensor(pixels) else torch.as_tensor(np.asarray(pixels))
        asked[turn] = prompt_ids[0], pixels[:len(pixels) // len(prompt_ids)]
        return [list(turns[turn]) for _ in prompt_ids], None

    def enough(self, *_):
        raise Enough

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", sample)
    monkeypatch.setattr(type(trainer), "_record", enough)
    with pytest.raises(Enough):
        trainer.train()
    return [asked[turn] for turn in sorted(asked)], trainer.rollouts[0]


class Scripted(rl.ModelPolicy):
    """Says the tokens it was given, and keeps what it was shown."""

    def __init__(self, processor, turns):
        super().__init__(torch.nn.Module(), processor, max_new_tokens=600)
        self.turns, self.seen = turns, []

    def write(self, conversations):
        self.seen.append(list(conversations[0]))
        return [written(self.processor, self.turns[len(self.seen) - 1], 600)]


def played(processor, turns, target):
    """The conversations that `play` shows, and the rollout."""
    policy = Scripted(processor, turns)
    rollout = rl.play(policy, target, max_turns=len(turns))
    return policy.seen, rollout


@pytest.mark.slow
@families
@pytest.mark.parametrize("tokens, middle", [(as_one, BAD), (in_pieces, OTHER)],
                         ids=["bad arguments", "another tool, odd tokens"])
def test_training_and_play_show_the_same_tokens_and_pixels(family, tokens, middle, request, tmp_path,
                                                           monkeypatch):
    model = request.getfixturevalue(family)
    processor, _ = load_processor_of(model, TOKENS)
    turns = [tokens(processor, text) for text in ("\n" + write_turn("a", GOOD), middle, DONE)]
    asked, made = trained(model, tmp_path, turns, monkeypatch)
    seen, again = played(processor, turns, made.target)
    assert len(asked) == len(seen) == 3 and [t.text for t in made.turns] == [t.text for t in again.turns]
    for (ids, pixels), talk in zip(asked, seen, strict=True):
        batch = batch_of(processor, [talk])
        assert batch["input_ids"][0].tolist() == ids
        assert torch.equal(batch["pixel_values"], pixels)


@pytest.mark.slow
@families
def test_a_turn_cut_off_behind_its_call_goes_on_as_in_training(family, request, tmp_path, monkeypatch):
    model = request.getfixturevalue(family)
    processor, _ = load_processor_of(model, TOKENS)
    turns = [as_one(processor, write_turn("a", GOOD))[:-1], as_one(processor, DONE)]
    asked, made = trained(model, tmp_path, turns, monkeypatch)
    seen, _ = played(processor, turns, made.target)
    for (ids, _), talk in zip(asked, seen, strict=True):
        assert batch_of(processor, [talk])["input_ids"][0].tolist() == ids


def served(processor, template, messages):
    """(token ids, pixels) of a server with this template: a picture is what its data URL holds."""
    def picture(url):
        return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))

    talk = [message if isinstance(message["content"], str) else message | {"content": [
        part if part["type"] == "text" else {"type": "image", "image": picture(part["image_url"]["url"])}
        for part in message["content"]]} for message in messages]
    batch = processor.apply_chat_template(talk, chat_template=template, add_generation_prompt=True,
                                          tokenize=True, return_dict=True, return_tensors="pt")
    return batch["input_ids"][0].tolist(), batch["pixel_values"]


@families
def test_a_server_with_the_stock_template_and_its_own_bounds_shows_them_too(family, request, chart):
    model, (stock, name) = request.getfixturevalue(family), STOCK[family]
    processor, _ = load_processor_of(model, TOKENS)
    theirs, _ = load_processor_of(model, 16384)
    template = (files("trl") / "chat_templates" / f"{stock}.jinja").read_text()
    turns = [as_one(processor, text) for text in (write_turn("a", GOOD), BAD, DONE)]
    seen, _ = played(processor, turns, chart.resize((640, 480)))
    endpoint = rl.EndpointPolicy(name, "http://localhost:1/v1", max_image_tokens=TOKENS)
    for talk in seen:
        batch = batch_of(processor, [talk])
        ids, pixels = served(theirs, template, endpoint.messages(talk))
        assert ids == batch["input_ids"][0].tolist()
        assert torch.equal(pixels, batch["pixel_values"])


def test_pillow_scales_the_pictures_where_torchvision_could_as_well(tiny_qwen, monkeypatch):
    """It did not: on a machine with both, what was played and what an endpoint was sent differed in bits."""
    from transformers.models.auto import image_processing_auto as auto

    monkeypatch.setattr(auto, "is_torchvision_available", lambda: True)
    assert auto._resolve_backend(None, None, "Qwen2VLImageProcessor") == "torchvision"
    asked, plain = [], auto._load_backend_class
    monkeypatch.setattr(auto, "_load_backend_class",
                        lambda *args, **more: asked.append(args[1]) or plain(*args, **more))
    load_processor_of(tiny_qwen)
    assert asked == ["pil"]


@families
@pytest.mark.parametrize("size", [(20, 20), (300, 200), (640, 480), (3000, 200), (64, 2000)])
def test_a_picture_is_sent_in_the_size_that_a_local_model_is_shown(family, size, request):
    model = request.getfixturevalue(family)
    ours, theirs = (load_processor_of(model, most)[0].image_processor for most in (TOKENS, 16384))
    side = 28 if family == "tiny_qwen" else 32
    image = Image.effect_noise(size, 80).convert("RGB")
    sent = within(image, TOKENS, side)
    a, b = ours(images=[image], return_tensors="pt"), theirs(images=[sent], return_tensors="pt")
    assert torch.equal(a["image_grid_thw"], b["image_grid_thw"])
    assert torch.equal(a["pixel_values"], b["pixel_values"])


def test_the_tool_is_told_as_trl_tells_it(tiny_qwen, chart):
    assert get_json_schema(rl.Environment().render) == TOOL
    processor, _ = load_processor_of(tiny_qwen)
    text = processor.tokenizer.decode(ids_of(processor, opening(chart, "matplotlib", 3)))
    rules = SYSTEM.format(max_turns=3)
    assert text.startswith(f"<|im_start|>system\n{rules}{TOOLS}{END}\n<|im_start|>user\n")


def test_nano_reads_what_its_processor_makes_of_a_conversation(chart):
    """Its template has no use for the tool."""
    policy = rl.load_policy("nano")
    episode = rl.Episode(max_turns=2, difference=True)
    talk = episode.open(chart)
    episode.take(policy.write([talk])[0])
    talk += [message | {"ids": None} for message in episode.answer()]
    text = policy.processor.apply_chat_template([talk], tokenize=False, add_generation_prompt=True)
    pictures = [part["image"] for message in talk for part in message["content"] if part["type"] == "image"]
    expected = policy.processor(text=text, images=[pictures], return_tensors="pt")
    for name, value in policy.inputs([talk]).items():
        assert torch.equal(value.cpu(), expected[name]), name


def test_lengths_are_those_of_the_run_unless_asked_otherwise(tmp_path, tiny_qwen):
    (tmp_path / "config.json").write_text(json.dumps({"max_new_tokens": 77, "max_image_tokens": 9}))
    (tmp_path / "model").symlink_to(tiny_qwen)
    wide = Image.new("RGB", (600, 600))

    def lengths(policy):
        grid = policy.processor.image_processor(images=[wide], return_tensors="pt")["image_grid_thw"]
        return policy.max_new_tokens, int(grid.prod()) // 4

    assert lengths(rl.load_policy(str(tmp_path / "model"))) == (77, 9)
    assert lengths(rl.load_policy(str(tmp_path / "model"), max_new_tokens=5, max_image_tokens=25)) == (5, 25)
    assert lengths(rl.load_policy(tiny_qwen)) == (2048, 441)
    assert rl.load_policy("nano").max_new_tokens == 128
