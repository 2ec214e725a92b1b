"""Token budgets hold what the longest rollout needs, and one too small is refused with the number that
fits."""
import pytest
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.nano import load_model
from rrvf_lab.render import Rendering
from rrvf_lab.talk import MOST_TEXT, TOKENS_OF_TEXT, reply
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.budget import check_budget, token_budget


@pytest.fixture(scope="module")
def processor():
    return load_model("nano")[1]


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_the_token_budget_is_what_the_longest_rollout_needs(processor, turns):
    """Against TRL's own way: the whole conversation rendered and tokenized with its pictures."""
    config = TrainConfig(max_turns=turns)
    page = Image.new("RGB", (640, 480), "white")
    ask = [{"role": "user", "content": [{"type": "image", "image": page}]}]
    talk = list(ask)
    for _ in range(turns - 1):
        blocks = reply(page, Rendering(page), Verdict(1.0, ""), page)
        talk += [{"role": "assistant", "content": [{"type": "text", "text": ""}]},
                 {"role": "tool", "name": "render", "content": blocks}]
    before, after = (len(processor.apply_chat_template([one], tokenize=True, return_dict=True,
                                                       add_generation_prompt=True)["input_ids"][0])
                     for one in (ask, talk))
    measured = after - before + turns * config.max_new_tokens + (turns - 1) * TOKENS_OF_TEXT
    needed = token_budget(config, processor, True)["needed"]
    assert measured <= needed <= measured + 2 * (turns - 1)


def test_a_budget_too_small_for_the_turns_names_the_one_that_fits(processor):
    with pytest.raises(ValueError, match="does not hold max_turns=4.*set max_completion_length=1856"):
        check_budget(TrainConfig.load("nano", max_turns=4), processor, True)
    check_budget(TrainConfig.load("nano", max_turns=4, max_completion_length=1856), processor, True)


def test_feedback_never_outgrows_its_budget():
    blocks = reply(None, Rendering(None, "x"), Verdict(0.0, "word " * 1000))
    assert len(blocks[0]["text"]) <= MOST_TEXT
