"""The embedded model: loaded by stock classes, drawn exactly, reading what it was taught to read, seeing what it is shown."""
import numpy as np
import pytest
import torch
from PIL import Image

import rrvf_lab as rl
from rrvf_lab import coldstart, dialect, nano
from rrvf_lab.environment import Environment, opening, play_many, write_turn


@pytest.fixture(scope="module")
def policy():
    return rl.load_policy("nano")


@pytest.fixture(scope="module")
def charts():
    return coldstart.held_out(24)


def test_stock_classes_load_it():
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(nano.HOME / "nano")
    processor = AutoProcessor.from_pretrained(nano.HOME / "nano")
    assert 5e5 < sum(p.numel() for p in model.parameters()) < 5e6
    text = processor.apply_chat_template([{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}],
                                         add_generation_prompt=True)
    batch = processor(text=text, images=[Image.new("RGB", (500, 300))], return_tensors="pt")
    assert (batch["input_ids"] == processor.image_token_id).sum() == nano.IMAGE_TOKENS
    assert model(**batch).logits.shape[-1] == len(processor.tokenizer)


def test_the_weights_are_small():
    assert sum(f.stat().st_size for f in nano.HOME.rglob("*") if f.is_file()) < 25e6


def test_white_paper_is_zero(policy):
    pixels = policy.processor.image_processor(images=[Image.new("RGB", (64, 64), "white")], return_tensors="pt")["pixel_values"]
    assert pixels.abs().max() == 0


def test_any_text_survives_the_tokenizer(policy):
    tokenizer = policy.processor.tokenizer
    for text in ("Speed; week; bar; red: 9, 3, 5", "naïve λ 📈\n\t\"quoted\" \\n", "ValueError: x and y must be the same size"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_fields_survive_reading_and_program():
    rng = np.random.default_rng(5)
    for _ in range(300):
        chart = dialect.sample(rng)
        assert dialect.parse_reading(dialect.reading(chart)) == chart
        assert dialect.parse_program(dialect.program(chart)) == chart


def test_edits_are_empty_only_between_equal_charts():
    rng = np.random.default_rng(6)
    for _ in range(300):
        chart = dialect.sample(rng)
        draft = dialect.corrupt(chart, rng)
        assert (dialect.edits(draft, chart) == "") == (draft == chart)


def test_the_painter_draws_what_the_program_draws(charts):
    for chart, image in charts[:14]:
        real = np.asarray(rl.render(dialect.program(chart)).image, int)
        assert (np.abs(real - np.asarray(image, int)).max(-1) > 24).mean() < 0.002, chart


def test_it_reads(policy, charts):
    measured = coldstart.check(policy, n=48)
    assert measured["value"] > 0.8 and measured["title"] > 0.85 and measured["exec"] > 0.95, measured


def test_another_image_changes_what_it_writes(policy, charts):
    a, b = (policy.write([opening(image, "matplotlib", 2)])[0] for _, image in charts[:2])
    assert a != b


def _next_token(policy, messages):
    with torch.inference_mode():
        return torch.log_softmax(policy.model(**policy.inputs([messages])).logits[0, -1], -1)


def test_the_second_turn_sees_its_render(policy, charts):
    """The same words with the returned picture blanked must change what comes next."""
    changed = []
    for chart, image in charts[:6]:
        draft = dialect.corrupt(chart, np.random.default_rng(1))
        env = Environment(difference=True)
        env.reset(image)
        blocks = env.render(dialect.program(draft))
        blank = [b | {"image": Image.new("RGB", image.size, "white")} if b["type"] == "image" and i < 2 else b
                 for i, b in enumerate(blocks)]
        start = [*opening(image, "matplotlib", 2),
                 {"role": "assistant", "content": write_turn(dialect.reading(draft), dialect.program(draft))}]
        after = [{"role": "assistant", "content": "<think>"}]
        seen, unseen = (_next_token(policy, start + [{"role": "tool", "name": "render", "content": c}]) for c in (blocks, blank))
        both = [_next_token(policy, start + [{"role": "tool", "name": "render", "content": c}] + after) for c in (blocks, blank)]
        changed.append(max((seen - unseen).abs().max().item(), (both[0] - both[1]).abs().max().item()))
    assert min(changed) > 1e-3, changed


def test_a_batch_says_what_each_would_say_alone(policy, charts):
    rows = [{"image": image} for _, image in charts[:4]]
    together = play_many(policy, rows, max_turns=1)
    alone = [rl.play(policy, row, max_turns=1) for row in rows]
    assert [r.turns[0].text for r in together] == [r.turns[0].text for r in alone]


def test_four_bit_weights_generate():
    four = rl.load_policy("nano", four_bit=True)
    assert any(type(m).__name__ == "Linear4bit" for m in four.model.modules())
    assert "<think>" in four.write([opening(coldstart.held_out(1)[0][1], "matplotlib", 1)])[0]


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"name": "nanno"}, FileNotFoundError, "no model 'nanno'.*nano, nano-base"),
    ({"adapter": "nowhere"}, FileNotFoundError, "no adapter in nowhere; train one with: python -m rrvf_lab.train demo"),
])
def test_a_missing_model_or_adapter_is_one_clear_line(options, error, message):
    with pytest.raises(error, match=message):
        rl.load_policy(**options)
