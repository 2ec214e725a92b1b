"""What makes the embedded models: the tokenizer comes again, lessons are sound, a short cold start runs."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from makers import maker
from PIL import Image
from safetensors.torch import load_file

import rrvf_lab as rl
from rrvf_lab.nano.dialect import KIND_WORDS, parse_program, program
from rrvf_lab.nano.loading import HOME
from rrvf_lab.nano.told import Told, changed
from rrvf_lab.talk import END, parse_turn

make, lessons, following, paint, parts, measure = (
    maker(f"nano{name}") for name in ("", "/lessons", "/following", "/paint", "/parts", "/measure"))


@pytest.fixture(scope="module")
def processor():
    return parts.build_processor()


def test_the_processor_that_is_built_is_the_shipped_one_to_the_last_token(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    built = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert {"tokenizer.json", "chat_template.jinja"} <= set(built)
    for shipped in ("nano", "nano-base"):
        assert built == {name: (HOME / shipped / name).read_text() for name in built}


def test_the_model_that_is_built_has_the_shipped_shape(processor):
    model = parts.build_model(processor.tokenizer)
    parts.grow(model, processor.tokenizer)
    fresh = model.state_dict()
    for name, shipped in load_file(HOME / "nano" / "model.safetensors").items():
        assert fresh[name].shape == shipped.shape, name


def test_a_model_that_grows_keeps_its_words_and_its_head_is_still_tied(processor):
    model = parts.build_model(processor.tokenizer)
    before = model.get_input_embeddings().weight.detach().clone()
    for _ in range(2):  # the second time there is nothing to add
        parts.grow(model, processor.tokenizer)
    after = model.get_input_embeddings().weight
    assert len(after) == len(processor.tokenizer) == len(before) + len(parts.FOLLOWED)
    assert torch.equal(after[:len(before)], before) and model.lm_head.weight is after
    assert model.config.text_config.vocab_size == len(after)


def test_every_entry_of_a_list_is_one_token(processor):
    tokenizer = processor.tokenizer
    for first, rest in (("+3", ", -7"), ("new", ", new"), ("None", ", None"), ("0", ", 0"), ("9", ", 9")):
        assert len(tokenizer(f"Change {first}{rest} / {first}{rest} of 10.")["input_ids"]) == 7
    assert len(tokenizer("Values 9, 3, None of 10.")["input_ids"]) == 5
    for sentence in ("Grid on.", "Grid off."):
        assert len(tokenizer(sentence)["input_ids"]) == 1


def test_edits_are_empty_only_between_equal_charts():
    rng = np.random.default_rng(6)
    for _ in range(300):
        chart = lessons.sample(rng)
        draft = lessons.corrupt(chart, rng)
        assert (lessons.edits(draft, chart) == "") == (draft == chart)


def test_the_painter_draws_what_the_program_draws():
    rng, painter = np.random.default_rng(3), paint.Painter()
    charts = [replace(lessons.sample(rng, [kind == one for kind in KIND_WORDS]), grid=i % 2 == 0)
              for i, one in enumerate(KIND_WORDS)]
    for chart in charts:
        real = np.asarray(rl.render(program(chart)).image, int)
        assert (np.abs(real - painter.paint(chart)).max(-1) > 24).mean() < 0.002, chart


def test_a_chart_that_is_loosened_keeps_its_size_and_its_ink():
    rng = np.random.default_rng(0)
    chart = Image.fromarray(paint.Painter(paint.Look.sample(rng)).paint(lessons.sample(rng)))
    looser = lessons.loosen(chart, rng)
    assert looser.size == chart.size and looser.mode == "RGB"
    assert np.ptp(np.asarray(looser)) > 100 and looser.tobytes() != chart.tobytes()


@pytest.mark.parametrize("kind", ["read", "code", "repair"])
def test_a_batch_supervises_the_last_turn_alone(processor, kind):
    phase = lessons.Phase({kind: 1.0}, loose=0.0, peak=1.0, stream=0)
    batch, = lessons.Conversations(processor, phase, 1, batch_size=4, seed=[0, 9])
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        where = (labels != -100).nonzero().flatten()
        assert torch.equal(ids[where], labels[where])
        text = processor.tokenizer.decode(labels[where])
        before = processor.tokenizer.decode(ids[:where[0]])
        assert (where.diff() == 1).all()  # one stretch
        assert before.rstrip().endswith("<|im_start|>assistant") or text.lstrip().startswith("<tool_call>")
        assert text.endswith("\n") if kind == "read" else text.endswith((END, "</tool_call>"))
    pictures = (batch["input_ids"] == processor.image_token_id).sum() // parts.MERGE ** 2
    assert batch["image_grid_thw"].prod(1).sum() // parts.MERGE ** 4 == pictures


@pytest.mark.parametrize("kind", ["told", "shown"])
@pytest.mark.parametrize("turns", [2, 3])
def test_a_lesson_in_following_supervises_every_turn_after_the_draft(processor, monkeypatch, kind, turns):
    monkeypatch.setattr(following, "THREE_TURNS", turns - 2)
    phase = lessons.Phase({kind: 1.0}, loose=0.0, peak=1.0, stream=0)
    batch, = following.Following(processor, phase, 1, batch_size=4, seed=[0, 9])
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        where = labels != -100
        assert torch.equal(ids[where], labels[where])
        texts = processor.tokenizer.decode(labels[where]).split(END)
        assert texts.pop() == "" and 1 <= len(texts) < turns
        assert all(text.startswith("<think>") and text.endswith(("</answer>", "</tool_call>"))
                   for text in texts)
        whole = processor.tokenizer.decode(ids)
        assert whole.count("<|im_start|>assistant") == len(texts) + 1
    pictures = (batch["input_ids"] == processor.image_token_id).sum() // parts.MERGE ** 2
    assert batch["image_grid_thw"].prod(1).sum() // parts.MERGE ** 4 == pictures
    pixels = batch["pixel_values"].reshape(len(batch["image_grid_thw"]), -1)
    blank = (pixels == 0).all(1).sum()
    assert blank > 4 if kind == "told" else blank == 0


def test_what_is_supervised_is_what_the_text_says():
    rng = np.random.default_rng(8)
    for i in range(400):
        said, texts, _ = following.dialogue(rng, 2 + i % 2)
        for one, text in zip(said, texts, strict=True):
            turn = parse_turn(text)
            assert turn.error is None
            assert Told.parse(one.feedback) == one.told
            if turn.calls:
                assert parse_program(turn.calls[0]) == one.told.follow(one.chart)
        if turn.answer:  # the better of the scores told, of equal ones the later; a crash has none
            scores = [(-1 if one.error else one.score, k) for k, one in enumerate(said, 1)]
            assert turn.answer == f"turn {max(scores)[1]}"


def test_sums_and_choices_follow_from_what_stands_before_them(processor):
    rng = np.random.default_rng(9)
    for _ in range(200):
        before, digits = following.bare_sum(rng)
        words, old = before.removeprefix("<think>").split(". ")[0].split("; ")
        rows = [tuple(0 if v == "None" else int(v) for v in row.split(", ")) for row in old.split(" / ")]
        made = changed(rows, [row.split(", ") for row in words.split(" / ")])
        assert digits == " / ".join(", ".join(str(v or None) for v in row) for row in made)
        before, turn = following.bare_choice(rng)
        one, two = map(int, before.removeprefix("<think>").split(". ")[0].split("; "))
        assert turn == ("2" if two > one else "1") and one != two
    phase = lessons.Phase({"sums": 1.0}, loose=0.0, peak=1.0, stream=0)
    batch, = following.Following(processor, phase, 1, seed=[0, 9])
    assert "pixel_values" not in batch and len(batch["input_ids"]) == following.BARE


def test_a_phase_that_follows_goes_on_where_it_stopped(processor):
    whole = list(following.Following(processor, make.PHASES["follow"], 3, batch_size=2, seed=[0, 6]))
    rest = following.Following(processor, make.PHASES["follow"], 3, batch_size=2, seed=[0, 6])
    rest.start = 2
    last, = rest
    assert last.keys() == whole[2].keys()
    assert all(torch.equal(last[name], whole[2][name]) for name in last)


def test_the_loss_is_the_model_s_own(processor):
    phase = lessons.Phase({"code": 1.0}, loose=0.0, peak=1.0, stream=0)
    batch, = lessons.Conversations(processor, phase, 1, batch_size=3, seed=[0, 9])
    model = parts.build_model(processor.tokenizer)
    torch.testing.assert_close(make._loss(model, **batch), model(**batch).loss)


def test_one_seed_is_one_stream_of_batches(processor):
    def batch(seed):
        return next(iter(lessons.Conversations(processor, make.PHASES["early"], 1, batch_size=3, seed=seed)))

    first, again, other = batch([0, 5]), batch([0, 5]), batch([1, 5])
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["pixel_values"][:192], other["pixel_values"][:192])


def test_muon_steps_are_orthogonal_whatever_the_gradient_s_size():
    for shape in ((6, 4), (4, 6)):
        p = torch.nn.Parameter(torch.zeros(shape))
        optimizer = make.Muon([p], lr=1.0)
        p.grad = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 1e4
        optimizer.step()
        singular = torch.linalg.svdvals(p.detach()) / max(1, shape[0] / shape[1]) ** 0.5
        assert ((singular > 0.6) & (singular < 1.3)).all(), singular


@pytest.mark.slow
def test_a_shortened_cold_start_is_resumed_and_leaves_a_model_that_loads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make, "RECIPES", {"tiny": {"read": 3, "early": 2}})
    make.cold_start("tiny", tmp_path / "tiny")
    assert "early batch     2" in capsys.readouterr().out
    first = (tmp_path / "tiny/model.safetensors").read_bytes()
    assert sorted(file.name for file in (tmp_path / "phases").iterdir()) == [
        "seed-0-read-3-early-2.pt", "seed-0-read-3.pt"]
    make.cold_start("tiny", tmp_path / "tiny")
    assert "early batch" not in capsys.readouterr().out  # every phase was kept
    assert (tmp_path / "tiny/model.safetensors").read_bytes() == first
    with monkeypatch.context() as patch:  # what follows needs words that the phases before did not have
        patch.setattr(make, "RECIPES", {"tiny": {"read": 3, "early": 2, "follow": 2}})
        make.cold_start("tiny", tmp_path / "tiny")
    assert "follow batch     2" in capsys.readouterr().out
    assert not list(tmp_path.glob("phases/*.part"))
    policy = rl.load_policy(str(tmp_path / "tiny"), max_new_tokens=4)
    assert len(rl.play(policy, measure.held_out(1)[0][1], max_turns=1).turns) == 1
