"""One update of GRPO by hand: what TRL's trainer does to a step's rollouts, in ten lines.

    tokens = tokens_of(policy.processor, rollouts, difference=policy.difference)
    batch = tokens.batch([tokens.row(rollout) for rollout in rollouts])
    loss = grpo_loss(policy.model, batch, [rollout.info["advantage"] for rollout in rollouts])
    loss.backward()                                     # and one step of an optimizer

Loss and gradient are those of `make_trainer`'s trainer to 1e-5 (tests/whatif/test_update.py): the same tokens
and pictures, the ratio to the policy that sampled, clipped, over the number of tokens written.

Left out: micro-batches (the whole step is held at once), schedules, a KL term, LoRA in four bits.
"""

from __future__ import annotations

from ..rollout import Rollout
from ..training.advantages import advantages
from .recorded import group_of
from .tokens import holding, logprobs, tokens_of

CLIP = 0.2, 0.2  # TRL's epsilon, below and above


def grpo_loss(model, batch, advantages, old=None, clip=CLIP, temperature: float = 1.0):
    """The loss of one step, a tensor to call `.backward()` on:

        -1/N sum_it min(rho_it A_i, clip(rho_it, 1 - low, 1 + high) A_i),  rho_it = pi(o_it) / pi_old(o_it)

    over the N tokens that were written (DAPO's mean, as training uses). `batch` is what `Tokens.batch` gives,
    `advantages` a number for each row. `old` are log-probabilities of the policy that sampled, as `logprobs`
    gives them; None: the same policy, so that every ratio is 1 and only its gradient counts.

    Example: `grpo_loss(policy.model, batch, [1.2, -0.4], temperature=0.7).backward()`.
    """
    import torch

    logps, wrote = logprobs(model, batch, temperature)
    ratio = (logps - (logps.detach() if old is None else old)).exp()
    gain = torch.tensor(list(advantages), dtype=logps.dtype, device=logps.device)[:, None]
    clipped = ratio.clamp(1 - clip[0], 1 + clip[1])
    return -torch.min(ratio * gain, clipped * gain)[wrote].sum() / wrote.sum()


def update_by_hand(policy, rollouts: list[Rollout], learning_rate: float = 1e-4,
                   temperature: float | None = None, max_turns: int | None = None) -> float:
    """One update of `policy` (a `ModelPolicy`, changed in place) on rollouts of one step; returns the loss.

    The advantages are the recorded ones, else those of the rewards. The gradient is cut to norm 1 and AdamW
    makes its first step, as in training. `temperature` is that of sampling, by default the policy's own (1
    where it is greedy). Raises ValueError for a policy of which nothing trains (an adapter loaded to write),
    TypeError for one without a model.

    Example: `update_by_hand(policy, load_rollouts("data/rollouts/group"), learning_rate=1e-3)`.
    """
    import torch

    weights = [p for p in holding(policy).model.parameters() if p.requires_grad]
    if not weights:
        raise ValueError("no weight of this policy trains (an adapter was loaded to write); load it without")
    rollouts = list(rollouts)
    tokens = tokens_of(policy.processor, rollouts, max_turns, policy.difference)
    batch = tokens.batch([tokens.row(rollout) for rollout in rollouts])
    optimizer = torch.optim.AdamW(weights, learning_rate, weight_decay=0.0)
    loss = grpo_loss(policy.model, batch, advantages_of(rollouts), temperature=temperature
                     or policy.temperature or 1.0)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def advantages_of(rollouts) -> list[float]:
    """The recorded advantage of each rollout; those of GRPO's own rule where one is not recorded."""
    if all("advantage" in rollout.info for rollout in rollouts):
        return [rollout.info["advantage"] for rollout in rollouts]
    return advantages([rollout.reward.total for rollout in rollouts],
                      [group_of(rollout) for rollout in rollouts]).tolist()
