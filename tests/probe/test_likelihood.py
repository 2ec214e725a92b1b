"""Teacher forcing gives the log-probabilities of the recorded turn, and a probe of a real model is whole."""
import numpy as np
import pytest

import rrvf_lab as rl
from rrvf_lab.play import conversations, messages
from rrvf_lab.probe.likelihood import mean_logprobs


@pytest.fixture(scope="module")
def policy():
    return rl.load_policy("nano-base")


@pytest.fixture(scope="module")
def rollouts():
    return rl.load_rollouts("data/rollouts/evaluation")[:6]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nano-base", "tiny_qwen"])
def test_a_recorded_turn_is_as_likely_as_token_by_token(name, rollouts, request):
    policy = rl.load_policy(name if name == "nano-base" else str(request.getfixturevalue(name)))
    talks = [conversations(one, 2, policy.difference)[1] for one in rollouts]
    texts = [messages(one)[1][1] for one in rollouts]
    tokens = [rl.token_logprobs(policy, one, max_turns=2) for one in rollouts]
    expected = [one.logprobs[one.message == 1].mean() for one in tokens]
    assert mean_logprobs(policy, talks, texts) == pytest.approx(expected, abs=1e-4)


def test_a_policy_that_holds_no_model_gives_nan():
    assert np.isnan(mean_logprobs(rl.Recording([]), [[]], ["said"])).all()


@pytest.mark.slow
def test_a_probe_of_a_real_model_is_whole_and_finite(policy, rollouts):
    probe = rl.probe(policy, rollouts, most=6)
    frame = probe.table().droplevel("question")
    whole = ["nothing", "blank render", "another target", "no text", "generic text"]
    assert frame.loc[whole, ["logprob", "logprob se", "code", "score"]].notna().all(axis=None)
    assert (frame.loc["nothing", "code n"], probe.situations) == (6, 6)
    assert frame.loc["nothing", "logprob"] == pytest.approx(0, abs=1e-4)
    assert frame.loc["blank render", "logprob"] != 0
