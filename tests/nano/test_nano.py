"""The embedded model: loaded by stock classes, reading what it was taught, seeing what it is shown."""
import subprocess
import sys

import numpy as np
import pytest
import torch
from makers import maker
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.environment import Episode
from rrvf_lab.nano.dialect import program, thought
from rrvf_lab.nano.loading import HOME
from rrvf_lab.nano.processor import IMAGE_TOKENS
from rrvf_lab.talk import opening, write_turn

lessons, measure, paint = (maker(f"nano/{name}") for name in ("lessons", "measure", "paint"))


@pytest.fixture(scope="module")
def policy():
    return rl.load_policy("nano")


@pytest.fixture(scope="module")
def charts():
    """[(chart, its picture)] as the cold start draws them, from a stream of its own."""
    rng = np.random.default_rng(10**6)
    return [(chart, paint.paint(chart, rng)) for chart in (lessons.sample(rng) for _ in range(6))]


def test_the_room_and_its_language_load_no_torch():
    code = ("import rrvf_lab.nano, rrvf_lab.nano.dialect, rrvf_lab.nano.fields, sys; "
            "print({'torch', 'transformers', 'matplotlib'}.intersection(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_stock_classes_load_it():
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(HOME / "nano")
    processor = AutoProcessor.from_pretrained(HOME / "nano")
    assert 5e5 < sum(p.numel() for p in model.parameters()) < 5e6
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}]
    text = processor.apply_chat_template(asked, add_generation_prompt=True)
    batch = processor(text=text, images=[Image.new("RGB", (500, 300))], return_tensors="pt")
    assert (batch["input_ids"] == processor.image_token_id).sum() == IMAGE_TOKENS
    assert model(**batch).logits.shape[-1] == len(processor.tokenizer)


def test_the_weights_are_small():
    assert sum(f.stat().st_size for f in HOME.rglob("*") if f.is_file()) < 25e6


def test_any_text_survives_the_tokenizer():
    tokenizer = maker("nano/parts").build_processor().tokenizer
    for text in ("bar; red; 5. ax.bar(x, a, 0.8, color='red')", "naïve λ 📈\n\t\"quoted\" \\n",
                 "ValueError: x and y must be the same size"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.slow
def test_it_reads(policy):
    measured = measure.check(policy, n=48)
    assert measured["exec"] > 0.95 and measured["kind"] > 0.85 and measured["colours"] > 0.8, measured


def test_another_image_changes_what_it_writes(policy, charts):
    a, b = (policy.write([opening(image, "matplotlib", 2)])[0] for _, image in charts[:2])
    assert a != b


def _next_token(policy, messages):
    with torch.inference_mode():
        return torch.log_softmax(policy.model(**policy.inputs([messages])).logits[0, -1], -1)


def test_the_second_turn_sees_its_render(policy, charts):
    """The same words with the returned picture blanked must change what comes next."""
    changed = []
    for chart, image in charts:
        draft = lessons.spoil(chart, np.random.default_rng(1))
        episode = Episode(max_turns=2, difference=True)
        start = episode.open(image)
        episode.take(write_turn(thought(draft), program(draft)))
        said, tool = episode.answer()
        white = Image.new("RGB", image.size, "white")
        blank = [block | {"image": white} if block["type"] == "image" and i < 2 else block
                 for i, block in enumerate(tool["content"])]
        both = ([*start, said, tool], [*start, said, tool | {"content": blank}])
        after = [{"role": "assistant", "content": "<think>"}]
        for ending in ([], after):
            seen, unseen = (_next_token(policy, talk + ending) for talk in both)
            changed.append((seen - unseen).abs().max().item())
    assert min(map(max, zip(changed[::2], changed[1::2], strict=True))) > 1e-3, changed


def test_a_batch_says_what_each_would_say_alone(policy, charts):
    rows = [{"image": image} for _, image in charts[:4]]
    together = rl.play_many(policy, rows, max_turns=1)
    alone = [rl.play(policy, row, max_turns=1) for row in rows]
    assert [r.turns[0].text for r in together] == [r.turns[0].text for r in alone]


@pytest.mark.slow
def test_four_bit_weights_generate(charts):
    four = rl.load_policy("nano", four_bit=True)
    assert any(type(m).__name__ == "Linear4bit" for m in four.model.modules())
    assert "<think>" in four.write([opening(charts[0][1], "matplotlib", 1)])[0]


def test_a_folder_that_holds_no_model_is_not_offered():
    """The command that makes the models lies beside them."""
    message = r"no model 'nanno'; shipped are nano, nano-base \(made again by: python data/nano/make.py\)"
    with pytest.raises(FileNotFoundError, match=message):
        rl.load_policy("nanno")


def test_a_missing_adapter_is_one_clear_line():
    message = "no adapter in nowhere; train one with: python -m rrvf_lab.train demo"
    with pytest.raises(FileNotFoundError, match=message):
        rl.load_policy(adapter="nowhere")
