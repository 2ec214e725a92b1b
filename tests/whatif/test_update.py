"""One update by hand is TRL's own: the same tokens, loss and gradient; and it pushes as advantages say."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import STREAMS, config, say
from transformers import TrainerCallback

import rrvf_lab as rl
from rrvf_lab.train import make_trainer
from rrvf_lab.training import advantages
from rrvf_lab.whatif import grpo_loss
from rrvf_lab.whatif.tokens import tokens_of
from rrvf_lab.whatif.update import advantages_of


class ByHand(TrainerCallback):
    """Beside the trainer's gradient, before it is used, the loss and gradient by hand."""

    def __init__(self, trainer):
        self.trainer = trainer

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        settings, rollouts = self.trainer.config, self.trainer.rollouts
        weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.theirs = {name: p.grad.clone() for name, p in weights.items()}
        tokens = tokens_of(self.trainer.processing_class, rollouts, settings.max_turns, difference=True)
        batch = tokens.batch([tokens.row(rollout) for rollout in rollouts])
        pushes = advantages([rollout.reward.total for rollout in rollouts], settings.group)
        loss = grpo_loss(model, batch, pushes, temperature=settings.temperature)
        self.loss = loss.item()
        self.mine = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))


@pytest.mark.slow
def test_loss_and_gradient_are_trls(tmp_path, monkeypatch):
    trainer = make_trainer(config(tmp_path, prompts=2, group=4, trl={"max_grad_norm": 1e9}))
    for name, weight in trainer.model.named_parameters():
        if "lora_B" in name:  # LoRA starts at zero, where half of the gradient is zero too
            torch.nn.init.normal_(weight, std=0.05, generator=torch.Generator().manual_seed(len(name)))
    by_hand, told, compute = ByHand(trainer), [], trainer.compute_loss

    def listened(*args, **kwargs):
        told.append(compute(*args, **kwargs))
        return told[-1]

    monkeypatch.setattr(trainer, "compute_loss", listened)
    say(monkeypatch, trainer, STREAMS).add_callback(by_hand)
    trainer.train()
    assert len(told) == 1 and by_hand.loss == pytest.approx(told[0].item(), abs=1e-5)
    size = torch.cat([one.flatten() for one in by_hand.theirs.values()]).norm().item()
    apart = torch.cat([(by_hand.mine[name] - one).flatten() for name, one in by_hand.theirs.items()])
    print(f"loss {told[0].item():.7f}, by hand {by_hand.loss:.7f}; gradient {size:.4f}, apart "
          f"{apart.norm().item():.2e}, at most {apart.abs().max().item():.2e}")
    assert size > 1e-3 and apart.norm().item() < 1e-5 * size and apart.abs().max().item() < 1e-5


@pytest.mark.slow
def test_an_update_makes_likelier_what_was_rewarded_and_its_frames_show_it():
    policy = rl.load_policy("nano-base")
    rollouts = list(rl.load_rollouts("data/rollouts/group"))[:4]
    rollouts = [replace(one, info=one.info | {"advantage": push})
                for one, push in zip(rollouts, (1.0, -1.0, 0.5, 0.0), strict=True)]
    before = [rl.token_logprobs(policy, one) for one in rollouts]
    loss = rl.update_by_hand(policy, rollouts, learning_rate=1e-4)
    after = [rl.token_logprobs(policy, one).since(was) for one, was in zip(rollouts, before, strict=True)]
    gain = sum(push * one.change.sum() for push, one in zip((1.0, -1.0, 0.5), after[:3], strict=True))
    assert np.isfinite(loss) and gain > 0
    found = rl.what_if(rollouts, policy=policy, after=policy, clip=0.0)
    assert found.tokens[0].change == pytest.approx(0.0) and not np.isnan(found.recorded.loss)


def test_advantages_that_were_not_recorded_are_those_of_the_rewards(played):
    better = replace(played, reward=replace(played.reward, total=played.reward.total + 1))
    assert advantages_of([played, better]) == pytest.approx([-0.7071, 0.7071], abs=1e-3)
    told = [replace(one, info={"advantage": 0.25}) for one in (played, better)]
    assert advantages_of(told) == [0.25, 0.25]
