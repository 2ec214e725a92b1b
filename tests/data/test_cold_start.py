"""What makes the embedded models: the tokenizer comes again, lessons are sound, a short cold start runs."""
import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from makers import maker
from safetensors.torch import load_file

import rrvf_lab as rl
from rrvf_lab.judge.errors import in_short
from rrvf_lab.nano.dialect import KIND_WORDS, Look, basic, parse_program, plain, program
from rrvf_lab.nano.loading import HOME
from rrvf_lab.nano.processor import GRAY, IMAGE_TOKENS
from rrvf_lab.nano.told import Told, changed
from rrvf_lab.render import shared
from rrvf_lab.talk import END, parse_turn

make, lessons, following, paint, parts, measure = (
    maker(f"nano{name}") for name in ("", "/lessons", "/following", "/paint", "/parts", "/measure"))
LONGEST_TURN = 95  # tokens; a policy may write 128


@pytest.fixture(scope="module")
def processor():
    return parts.build_processor()


@pytest.fixture(scope="module")
def charts():
    rng = np.random.default_rng(7)
    return [lessons.sample(rng) for _ in range(200)]


def batch_of(processor, kind, size=4, seed=(0, 9), turns=2, **phase):
    phase = {"loose": 0.0, "peak": 1.0, "stream": 0} | phase
    phase = lessons.Phase({kind: 1.0}, **phase)
    stream = following.Following(processor, phase, 1, batch_size=size, seed=seed)
    stream._turns = lambda: turns
    batch, = stream
    return batch


def supervised(processor, batch):
    """[(text of a row before what is supervised, what is supervised)]."""
    decode, found = processor.tokenizer.decode, []
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        where = labels != -100
        assert torch.equal(ids[where], labels[where])
        found.append((decode(ids[:where.nonzero()[0]]), decode(labels[where])))
    return found


def have_their_tokens(processor, batch):
    pictures = (batch["input_ids"] == processor.image_token_id).sum() // IMAGE_TOKENS
    return len(batch["image_grid_thw"]) == pictures


# --------------------------------------------------------------------------------- the model before it learns

def test_the_processor_that_is_built_is_the_shipped_one_to_the_last_token(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    built = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert {"tokenizer.json", "chat_template.jinja"} <= set(built)
    for shipped in ("nano", "nano-base"):
        assert built == {name: (HOME / shipped / name).read_text() for name in built}


def test_the_model_that_is_built_has_the_shipped_shape(processor):
    fresh = parts.build_model(processor.tokenizer).state_dict()
    for name, shipped in load_file(HOME / "nano" / "model.safetensors").items():
        assert fresh[name].shape == shipped.shape, name


def test_every_entry_of_a_list_is_one_token(processor):
    tokenizer = processor.tokenizer
    for first, rest in (("+3", ", -7"), ("new", ", new"), ("None", ", None"), ("0", ", 0"), ("9", ", 9")):
        assert len(tokenizer(f"Change {first}{rest} / {first}{rest} of 10.")["input_ids"]) == 7
    assert len(tokenizer("Values 9, 3, None of 10.")["input_ids"]) == 5
    for sentence in ("Grid on.", "Grid off."):
        assert len(tokenizer(sentence)["input_ids"]) == 1


def test_a_turn_is_of_whole_pieces_and_short(processor, charts):
    tokenizer, rng = processor.tokenizer, np.random.default_rng(8)
    known = set(tokenizer.get_added_vocab().values())
    turns = [lessons.turn_of(chart) for chart in charts]
    turns += [text for _ in range(100) for text in following.dialogue(rng, 2)[1]]
    for turn in turns:
        ids = tokenizer(turn + END)["input_ids"]
        assert known.issuperset(ids) and len(ids) <= LONGEST_TURN, (len(ids), turn)
        assert tokenizer.decode(ids) == turn + END


# ----------------------------------------------------------------------------------------------------- charts

def test_the_plainest_charts_are_plain():
    rng = np.random.default_rng(1)
    for chart in [lessons.narrow(rng) for _ in range(100)]:
        assert chart.kind in KIND_WORDS[:6] and chart.look == plain(replace(chart, look=Look())).look
        assert chart.colours == tuple(map(basic, chart.colours)) and " " not in chart.title
        assert sum(value > 0 for value in chart.series[0]) <= 6 and chart.grid in ("", "both -")


def test_values_fill_an_axis_that_follows_them(charts):
    """So that a digit is what it looks like."""
    for chart in charts:
        if chart.top != "10" and not chart.look.legend:
            assert max(map(max, chart.series)) == 9
            if chart.kind == "scatter":
                assert chart.series[0][0] and chart.series[0][8]
                assert min(value for value in chart.series[0] if value) == 1


def test_a_spoilt_chart_is_of_the_language_too(charts):
    rng = np.random.default_rng(3)
    for chart in charts:
        draft = lessons.spoil(chart, rng)
        assert parse_program(program(draft)) == draft


def test_by_lot_touches_the_fields_of_the_gap_alone(charts):
    rng = np.random.default_rng(4)
    for gap in (lessons.GAP, lessons.EARLY_GAP):
        drawn = [lessons.by_lot(chart, rng, gap) for chart in charts]
        for chart, other in zip(charts, drawn, strict=True):
            back = replace(other.look, **{name: getattr(chart.look, name) for name in gap})
            assert replace(other, look=back) == chart
        for name, known in gap.items():
            assert {getattr(other.look, name) for other in drawn} == set(known), name


@pytest.mark.slow
def test_broken_programs_fail_as_they_are_said_to():
    rng, cases = np.random.default_rng(5), []
    for kind in KIND_WORDS:
        chart = lessons.sample(rng, kind)
        cases.append(lessons.broken(program(chart), chart, rng))
    renderings = shared().map([code for code, _ in cases])
    for (_, told), rendering in zip(cases, renderings, strict=True):
        assert rendering.image is None and in_short(rendering.error) == in_short(told)


# --------------------------------------------------------------------------------------------------- pictures

@pytest.mark.slow
def test_a_painted_chart_is_about_what_its_program_draws():
    rng, judge, scores = np.random.default_rng(3), rl.PixelJudge(), []
    for kind in KIND_WORDS:
        chart = lessons.sample(rng, kind)
        painted = paint.paint(chart)
        drawn = rl.render(program(chart), size=(painted.width, None)).image
        assert painted.size == drawn.size
        scores.append(judge(drawn, painted).score)
    assert min(scores) > 0.7 and np.mean(scores) > 0.8, scores


def test_no_picture_repeats(processor):
    rng, seen = np.random.default_rng(6), set()
    one = lessons.sample(rng)
    for chart in [one] * 8 + [lessons.sample(rng) for _ in range(8)]:
        seen.add(hashlib.sha256(paint.paint(chart, rng).tobytes()).digest())
    assert len(seen) == 16
    rows = torch.cat([batch_of(processor, "first", 3, (0, k))["pixel_values"].reshape(3, -1) for k in (1, 2)])
    assert len(rows.unique(dim=0)) == 6


def test_a_chart_that_is_loosened_keeps_its_size_and_its_ink():
    rng = np.random.default_rng(0)
    chart = paint.paint(lessons.sample(rng), rng)
    looser = lessons.loosen(chart, rng)
    assert looser.size == chart.size and looser.mode == "RGB"
    assert np.ptp(np.asarray(looser)) > 100 and looser.tobytes() != chart.tobytes()


# ---------------------------------------------------------------------------------------------- conversations

@pytest.mark.parametrize("kind", ["narrow", "first"])
def test_a_batch_supervises_the_one_turn(processor, kind):
    batch = batch_of(processor, kind)
    for before, text in supervised(processor, batch):
        assert before.endswith("<|im_start|>assistant\n") and text.startswith("<think>")
        turn = parse_turn(text)
        assert text.endswith(END) and turn.error is None
        assert turn.thought == lessons.thought(parse_program(turn.calls[0]))
    assert have_their_tokens(processor, batch)


@pytest.mark.parametrize("kind", ["told", "shown"])
@pytest.mark.parametrize("turns", [2, 3])
def test_a_lesson_in_following_supervises_every_turn_after_the_draft(processor, kind, turns):
    batch = batch_of(processor, kind, turns=turns)
    for ids, (_, text) in zip(batch["input_ids"], supervised(processor, batch), strict=True):
        texts = text.split(END)
        assert texts.pop() == "" and 1 <= len(texts) < turns
        assert all(text.startswith("<think>") and text.endswith(("</answer>", "</tool_call>"))
                   for text in texts)
        whole = processor.tokenizer.decode(ids)
        assert whole.count("<|im_start|>assistant") == len(texts) + 1
    assert have_their_tokens(processor, batch)
    pixels = batch["pixel_values"].reshape(len(batch["image_grid_thw"]), -1)
    paper = (pixels == 0) | torch.isclose(pixels, torch.tensor((GRAY - 255) / 100))  # white, gray beside it
    blank = paper.all(1)
    if kind == "told":  # three charts that nobody speaks of serve all
        assert blank.any() and len(pixels[~blank].unique(dim=0)) <= 3
    else:
        assert not blank.any()


@pytest.mark.parametrize("kind", ["words", "sums"])
def test_lessons_without_pictures_have_none(processor, kind):
    batch = batch_of(processor, kind)
    assert "pixel_values" not in batch and processor.image_token_id not in batch["input_ids"]
    assert len(batch["input_ids"]) == (following.BARE if kind == "sums" else following.WORDS[2])
    assert all(text for _, text in supervised(processor, batch))


def dialogues(turns, n=300):
    rng = np.random.default_rng(8)
    return [following.dialogue(rng, turns) for _ in range(n)]


def test_what_is_supervised_is_what_the_text_says():
    for said, texts, _ in dialogues(2) + dialogues(3):
        for one, text in zip(said, texts, strict=True):
            turn = parse_turn(text)
            assert turn.error is None and Told.parse(one.feedback) == one.told
            if turn.calls:
                assert parse_program(turn.calls[0]) == one.told.follow(one.chart)
                assert turn.thought.endswith(lessons.thought(parse_program(turn.calls[0])))


def test_a_first_draft_of_which_nothing_is_told_is_chosen_at_once():
    for (one,), (text,), _ in dialogues(2):
        if one.error is None and not one.told.named:
            assert parse_turn(text).answer == "turn 1"
        else:
            assert parse_turn(text).calls


def test_the_third_turn_answers_the_turn_that_is_called_best():
    answers = []
    for said, texts, _ in dialogues(3):
        if len(said) < 2:
            continue
        one, two = said
        assert one.best is None and two.best == (2 if two.score > one.score else 1)
        if one.error and two.error:  # there is none to choose
            assert parse_turn(texts[1]).calls
            continue
        answers.append(parse_turn(texts[1]).answer)
        assert answers[-1] == f"turn {two.best}"
    assert 0.3 < np.mean([answer == "turn 2" for answer in answers]) < 0.7


def test_the_reply_that_says_which_is_best_is_the_second(processor):
    rng = np.random.default_rng(8)
    for said, texts, _ in dialogues(3, 8):
        stream = following.Following(processor, make.PHASES["follow"], 1)
        stream.rng = rng
        target = paint.paint(lessons.narrow(rng))
        messages, *_ = stream._conversation(target, said, texts, blind="pictures")
        told = [" ".join(part["text"] for part in message["content"] if part["type"] == "text")
                for message in messages if message["role"] == "tool"]
        assert ["Best so far" in text for text in told] == [False, True][:len(told)]
        if len(said) == 2:
            assert f"Best so far: turn {said[1].best}. " in told[1]


def test_bare_sums_are_right():
    rng = np.random.default_rng(9)
    for _ in range(200):
        before, digits = following.bare_sum(rng)
        words, old = before.removeprefix("<think>").split(". ")[0].split("; ")
        rows = [tuple(0 if v == "None" else int(v) for v in row.split(", ")) for row in old.split(" / ")]
        made = changed(rows, [row.split(", ") for row in words.split(" / ")])
        row = [int(digit) for digit in digits.replace("nan", "0").split(", ")]
        if "scatter" in before:
            made = ((*made[0], *(0,) * 9)[:9],)
        assert tuple(row) == tuple(v for v in made[0] if v or "scatter" in before)


def test_tokens_that_reading_never_used_start_afresh_and_no_others(processor):
    """As outputs alone they run into one, and tied to it a `+3` is no other input than a `-7`."""
    model = parts.build_model(processor.tokenizer)
    rows, ids = model.get_input_embeddings().weight, processor.tokenizer.convert_tokens_to_ids
    with torch.no_grad():
        rows.fill_(1.0)
    make._hear(model, processor)
    kept = (rows == 1).all(1)
    assert not kept[ids([*parts.CHANGES, "Colour ", "<answer>"])].any()
    assert kept[ids(["red", ", 5", "bar", "<think>", "ax.set_title('", "<|image_pad|>"])].all()
    assert 0.9 < rows[~kept].std() / parts.EMBEDDING < 1.1


def test_a_phase_goes_on_where_it_stopped(processor):
    whole = list(following.Following(processor, make.PHASES["follow"], 3, batch_size=2, seed=[0, 6]))
    last, = following.Following(processor, make.PHASES["follow"], 3, batch_size=2, seed=[0, 6], start=2)
    assert last.keys() == whole[2].keys()
    assert all(torch.equal(last[name], whole[2][name]) for name in last)


def test_the_loss_is_the_model_s_own(processor):
    batch = batch_of(processor, "first", 3)
    model = parts.build_model(processor.tokenizer)
    torch.testing.assert_close(make._loss(model, **batch), model(**batch).loss)


def test_one_seed_is_one_stream_of_batches(processor):
    first, again, other = (batch_of(processor, "first", 3, seed) for seed in ([0, 5], [0, 5], [1, 5]))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["pixel_values"], other["pixel_values"])


def test_muon_steps_are_orthogonal_whatever_the_gradient_s_size():
    for shape in ((6, 4), (4, 6)):
        p = torch.nn.Parameter(torch.zeros(shape))
        optimizer = make.Muon([p], lr=1.0)
        p.grad = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 1e4
        optimizer.step()
        singular = torch.linalg.svdvals(p.detach()) / max(1, shape[0] / shape[1]) ** 0.5
        assert ((singular > 0.6) & (singular < 1.3)).all(), singular


def test_what_is_measured_of_a_policy_that_makes_no_mistake_is_all_there_is():
    class Knows:
        difference = False

        def write(self, conversations):
            rng = np.random.default_rng(5)
            return [lessons.turn_of(chart) for chart in [lessons.sample(rng) for _ in conversations]]

    measured = measure.check(Knows(), n=4, seed=5)
    right = {name: measured[name] for name in (*measure.FIELDS, "exec", "value")}
    assert set(right.values()) == {1.0} and measured["n"] == 4 and measured["vision"] > 0.6


@pytest.mark.slow
def test_a_shortened_cold_start_is_resumed_and_leaves_a_model_that_loads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make, "RECIPES", {"tiny": {"narrow": 3, "lot": 2}})
    make.cold_start("tiny", tmp_path / "tiny")
    assert "lot batch     2" in capsys.readouterr().out
    first = (tmp_path / "tiny/model.safetensors").read_bytes()
    assert sorted(file.name for file in (tmp_path / "phases").iterdir()) == [
        "seed-0-narrow-3-lot-2.pt", "seed-0-narrow-3.pt"]
    make.cold_start("tiny", tmp_path / "tiny")
    assert "lot batch" not in capsys.readouterr().out  # every phase was kept
    assert (tmp_path / "tiny/model.safetensors").read_bytes() == first
    with monkeypatch.context() as patch:
        patch.setattr(make, "RECIPES", {"tiny": {"narrow": 3, "lot": 2, "follow": 2}})
        make.cold_start("tiny", tmp_path / "tiny")
    assert "follow batch     2" in capsys.readouterr().out
    assert not list(tmp_path.glob("phases/*.part"))
    policy = rl.load_policy(str(tmp_path / "tiny"), max_new_tokens=4)
    image = paint.paint(lessons.narrow(np.random.default_rng(0)))
    assert len(rl.play(policy, image, max_turns=1).turns) == 1


def test_every_recipe_s_phases_are_known_and_their_mixes_whole():
    for phase in {name for recipe in make.RECIPES.values() for name in recipe}:
        mix = make.PHASES[phase].mix
        assert sum(mix.values()) == pytest.approx(1)
        assert all(hasattr(following.Following, f"_batch_of_{kind}") for kind in mix)
    streams = [phase.stream for phase in make.PHASES.values()]
    assert len(set(streams)) == len(streams)  # no phase sees another's charts again
