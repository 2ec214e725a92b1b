"""A model as the policy: sampled as training samples, in the run's own lengths, halved where memory ends."""
import json
import warnings
from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig

import rrvf_lab as rl
from rrvf_lab.nano.loading import HOME, load_model
from rrvf_lab.nano.tokens import batch_of, written
from rrvf_lab.policy import ModelPolicy
from rrvf_lab.talk import CUT, END, Written, opening, parse_turn, said, write_turn

HABITS = {"repetition_penalty": 5.0, "no_repeat_ngram_size": 1, "top_k": 1}


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


def linked(folder, **files):
    """nano's files in `folder`, but these."""
    for path in (HOME / "nano").iterdir():
        if path.name not in files:
            (folder / path.name).symlink_to(path)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return str(folder)


def test_a_checkpoints_own_sampling_counts_no_more_than_in_training(tmp_path, nano, chart):
    stored = json.loads((HOME / "nano" / "generation_config.json").read_text())
    folder = linked(tmp_path, **{"generation_config.json": stored | HABITS | {"do_sample": True}})
    talk = [opening(chart, "matplotlib", 2)]
    plain = ModelPolicy(*nano[:2]).write(talk)
    assert rl.load_policy(folder, max_new_tokens=128).write(talk) == plain
    assert ModelPolicy(*nano[:2], sampling={"no_repeat_ngram_size": 1}).write(talk) != plain


def test_a_sampling_setting_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no 'top_kk'; did you mean 'top_k'"):
        ModelPolicy(None, None, sampling={"top_kk": 1})
    assert ModelPolicy(None, None, sampling={"top_k": 1}).sampling == {"top_k": 1}
    assert "top_k" in GenerationConfig().to_dict()


class Small(ModelPolicy):
    """Has room for two conversations at once."""

    def __init__(self, room):
        super().__init__(None, None, batch_size=16)
        self.room, self.tried = room, []

    def _generate(self, conversations, **options):
        self.tried.append(len(conversations))
        if len(conversations) > self.room:
            raise torch.OutOfMemoryError("no room")
        return list(conversations)


def test_a_batch_that_does_not_fit_is_halved_until_it_does():
    policy = Small(2)
    assert policy.write(list("abcde")) == list("abcde")
    assert policy.tried == [5, 2, 2, 1] and policy.batch_size == 2
    with pytest.raises(torch.OutOfMemoryError):
        Small(0).write(["a"])


def test_a_turn_knows_its_tokens_and_whether_it_was_cut_off(nano):
    processor = nano[1]
    ids = processor.tokenizer(write_turn("a", answer="x") + END)["input_ids"]
    pad = processor.tokenizer.pad_token_id
    for row in (ids, [*ids, pad, pad]):
        turn = written(processor, row, len(ids))
        assert turn == write_turn("a", answer="x") and turn.ids == ids and not turn.cut
    cut = written(processor, ids[:-1], len(ids) - 1)
    assert cut.cut and cut.ids == ids[:-1]
    assert not written(processor, ids[:-1], len(ids)).cut, "ended by whoever stopped it"
    assert said(parse_turn(cut))["ids"] == ids[:-1] and "ids" not in said(parse_turn("plain"))


def test_a_turn_that_its_limit_kept_from_being_read_says_so():
    assert parse_turn(Written("<think>on and on", cut=True)).error == f"{CUT} (<think> is never closed)"
    assert parse_turn(Written(write_turn("a", "x"), cut=True)).error is None
    assert parse_turn("<think>on and on").error == "parse: <think> is never closed"


def test_pictures_that_the_template_leaves_out_are_noticed(nano, chart, monkeypatch):
    monkeypatch.setattr(nano[1], "chat_template", "{{ messages[0].content[0].text }}")
    with pytest.raises(ValueError, match="0 image tokens for 1 pictures"):
        batch_of(nano[1], [opening(chart, "matplotlib", 2)])


@pytest.mark.parametrize("kind", ["smolvlm", "gemma3", "internvl", "qwen2", None])
def test_other_families_are_refused_before_their_weights_are_read(tmp_path, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind} if kind else {}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=f"model of type {kind!r}; only Qwen's vision family.*Endpoint"):
            rl.load_policy(str(tmp_path))
    assert [path.name for path in Path(tmp_path).iterdir()] == ["config.json"]
