"""Each written token has the log-probability that the model gives it, and a change from an earlier one."""
from dataclasses import replace

import numpy as np
import pytest
import torch

import rrvf_lab as rl
from rrvf_lab.play import conversations, messages
from rrvf_lab.talk import END
from rrvf_lab.whatif.tokens import TokenLogprobs


@pytest.fixture(scope="module")
def policy():
    return rl.load_policy("nano-base")


@pytest.fixture(scope="module")
def rollout():
    return rl.load_rollouts("data/rollouts/group")[0]


def test_the_words_are_what_was_said_message_by_message(policy, rollout):
    found = rl.token_logprobs(policy, rollout)
    for k, (_, text) in enumerate(messages(rollout)):
        assert "".join(np.array(found.words)[found.message == k]) == text + END


def test_the_first_token_of_each_message_has_the_probability_the_model_gives_it(policy, rollout):
    found, count = rl.token_logprobs(policy, rollout, max_turns=2), len(messages(rollout))
    for k, talk in enumerate(conversations(rollout, 2, policy.difference)):
        with torch.inference_mode():
            logits = policy.model(**policy.inputs([talk])).logits[0, -1].log_softmax(-1)
        first = np.flatnonzero(found.message == k)[0]
        token = policy.processor.tokenizer(found.words[first])["input_ids"][0]
        assert found.logprobs[first] == pytest.approx(logits[token].item(), abs=1e-4)
    assert count == found.message.max() + 1


def test_temperature_divides_the_logits(policy, rollout):
    hot, cold = (rl.token_logprobs(policy, rollout, heat).logprobs.mean() for heat in (100.0, 1.0))
    size = policy.model.config.get_text_config().vocab_size
    assert hot == pytest.approx(-np.log(size), abs=0.3) and cold > hot


def test_a_policy_without_a_model_is_refused(rollout):
    with pytest.raises(TypeError, match="Recording holds no model"):
        rl.token_logprobs(rl.Recording([]), rollout)


@pytest.mark.parametrize("ask", [rl.token_logprobs, lambda policy, one: rl.what_if([one], policy=policy),
                                 lambda policy, one: rl.update_by_hand(policy, [one, one])])
def test_a_policy_behind_an_endpoint_is_refused_by_its_name(rollout, ask):
    with pytest.raises(TypeError, match="EndpointPolicy holds no model .* give load_policy"):
        ask(rl.EndpointPolicy("far", "http://localhost:9/v1", api_key="none"), rollout)


def test_a_rollout_without_turns_is_refused(policy, rollout):
    with pytest.raises(ValueError, match="has written no token"):
        rl.token_logprobs(policy, replace(rollout, turns=(), choice=None), max_turns=2)


def test_change_is_after_minus_before_and_needs_the_same_tokens():
    before = TokenLogprobs(["a", "b"], np.zeros(2, int), np.array([-1.0, -2.0]))
    after = TokenLogprobs(["a", "b"], np.zeros(2, int), np.array([-0.5, -2.5])).since(before)
    assert after.change.tolist() == [0.5, -0.5] and after.table()["before"].tolist() == [-1.0, -2.0]
    with pytest.raises(ValueError, match="nothing to compare with"):
        _ = before.change
    with pytest.raises(ValueError, match="2 tokens against 1"):
        after.since(TokenLogprobs(["a"], np.zeros(1, int), np.zeros(1)))
