"""What is found before a training, and that looking changes nothing."""
import json

import pytest
import torch
from tiny import CRASH, GOOD, OTHER, config

import rrvf_lab as rl
from rrvf_lab.show.checks import preflight_html
from rrvf_lab.talk import write_turn
from rrvf_lab.train import make_trainer, run
from rrvf_lab.training.preflight import Line, NotReady, Preflight, look

LEARNS = [[write_turn("a", GOOD), write_turn("b", answer=OTHER)],
          [write_turn("a", CRASH), write_turn("b", answer=GOOD)], [write_turn("a", answer=GOOD)],
          [write_turn("a", OTHER), write_turn("b", answer="turn 1")]]
QUESTIONS = ("score vary", "turns parse", "programs run", "cut off", "words depend", "update see", "memory",
             "how long")


def verdicts(found):
    """The verdict of each line, by the words of its question."""
    assert len(found.lines) == len(QUESTIONS)
    return {words: next(line for line in found.lines if words in line.question).verdict
            for words in QUESTIONS}


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    """The pre-flight of a small run of nano, as it samples."""
    return look(make_trainer(config(tmp_path_factory.mktemp("nano"), prompts=2)))


def test_the_demo_is_ready(nano):
    assert nano.verdict != "stop"
    assert {words: verdict for words, verdict in verdicts(nano).items() if verdict == "ok"}.keys() >= {
        "score vary", "turns parse", "update see", "memory", "how long"}
    # its second turn follows words and hardly looks, which is no reason not to train it
    assert verdicts(nano)["words depend"] == "warn" and "first turns change" in str(nano)


def test_what_is_not_ok_says_what_to_do(nano):
    assert all(line.advice for line in nano.lines if line.verdict != "ok")
    assert "minutes a step" in str(nano) and "GB predicted" in str(nano)


def test_equal_scores_end_the_run(scripted):
    found = look(scripted([[write_turn("a", answer=GOOD)]] * 4))
    assert verdicts(found)["score vary"] == "stop" and "temperature" in str(found)
    with pytest.raises(NotReady, match="(?s)would not learn.*preflight=false"):
        found.require()


def test_turns_that_nobody_can_read_end_the_run(scripted):
    found = verdicts(look(scripted([["gibberish"]] * 4)))
    assert found["turns parse"] == "stop" and found["programs run"] == "stop"


def test_programs_that_never_draw_end_the_run(scripted):
    assert verdicts(look(scripted([[write_turn("a", answer=CRASH)]] * 4)))["programs run"] == "stop"


def test_turns_cut_off_by_their_length_are_counted(tmp_path):
    found = look(make_trainer(config(tmp_path, group=2, micro_batch=2, max_new_tokens=10)))
    assert verdicts(found)["cut off"] == "stop" and "set max_new_tokens=20" in str(found)


def test_a_model_that_is_shown_nothing_is_found_out(scripted):
    trainer = scripted(LEARNS)
    network = trainer.model.get_base_model().model
    encode = network.get_image_features

    def nothing(*args, **kwargs):
        seen = encode(*args, **kwargs)
        seen.pooler_output = tuple(torch.zeros_like(one) for one in seen.pooler_output)
        seen.deepstack_features = [tuple(torch.zeros_like(one) for one in layer)
                                   for layer in seen.deepstack_features or []]
        return seen

    network.get_image_features = nothing
    assert verdicts(look(trainer))["words depend"] == "stop"


def test_an_update_without_pixels_is_found_out(scripted, monkeypatch):
    trainer = scripted(LEARNS)
    compute = trainer.compute_loss

    def blind(model, inputs, **kwargs):
        shown = {k: v for k, v in inputs.items() if k not in ("pixel_values", "image_grid_thw")}
        return compute(model, shown | {"mm_token_type_ids": torch.zeros_like(inputs["mm_token_type_ids"])})

    monkeypatch.setattr(trainer, "compute_loss", blind)
    assert verdicts(look(trainer))["update see"] == "stop"


@pytest.mark.slow
def test_looking_changes_nothing_of_the_training(tmp_path):
    weights = []
    for looks in (False, True):
        trainer = make_trainer(config(tmp_path / str(looks), group=4, micro_batch=4, warmup_steps=0))
        if looks:
            look(trainer)
            assert not list(trainer.config.folder.glob("rollouts/*.jsonl"))
        trainer.train()
        weights.append({name: p.detach().clone() for name, p in trainer.model.named_parameters()})
        texts = [turn.text for rollout in trainer.rollouts for turn in rollout.turns]
        weights[-1]["said"] = texts
        row = json.loads((trainer.config.folder / "log.jsonl").read_text().splitlines()[0])
        weights[-1]["tokens"] = row["num_tokens"]
    plain, after = weights
    assert plain.pop("said") == after.pop("said") and plain.pop("tokens") == after.pop("tokens")
    assert all(torch.equal(plain[name], after[name]) for name in plain)


def test_a_training_looks_first_and_ends_where_it_could_not_learn(tmp_path, monkeypatch):
    never = Preflight((Line("does it learn?", "no", "stop", "do something else"),))
    monkeypatch.setattr("rrvf_lab.train.look", lambda trainer: never)
    with pytest.raises(NotReady, match="do something else"):
        run(config(tmp_path, preflight=True))
    assert rl.Run(tmp_path / "run").state == "stopped"


def test_it_is_one_call_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("rrvf_lab.train.look", lambda trainer: trainer.config)
    settings = rl.preflight(config(tmp_path), steps=7)
    assert settings.steps == 7 and not (tmp_path / "run").exists() and not settings.folder.exists()


def test_the_table_shows_itself_and_escapes(nano):
    assert "Pre-flight: " in nano._repr_html_()
    assert "&lt;b&gt;" in preflight_html(Preflight((Line("<b>", "x"),)))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny_qwen", "tiny_qwen3"])
def test_the_recipe_of_a_gpu_is_looked_at_too(model, request, tmp_path):
    settings = rl.TrainConfig.load(
        "qwen2.5-vl-7b-qlora", model=request.getfixturevalue(model), output=str(tmp_path), steps=1, prompts=1,
        group=2, max_turns=2, max_new_tokens=40, max_image_tokens=100, test_images=None)
    found = verdicts(rl.preflight(settings))
    assert found["turns parse"] == "stop" and found["words depend"] != "stop" and found["update see"] == "ok"


def test_a_judge_may_be_named_as_in_a_configuration(monkeypatch):
    monkeypatch.setattr("rrvf_lab.train.make_trainer", lambda config, renderer, judge: (config.judge, judge))
    monkeypatch.setattr("rrvf_lab.train.look", lambda trainer: trainer)
    named = "rrvf_lab.claims.judges:ssim"
    assert rl.preflight("demo", judge=named) == (named, None)
    assert rl.preflight("demo", judge=max) == (None, max)
