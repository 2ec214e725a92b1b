"""The log-probability of each token that a rollout wrote, under one policy and under a later one.

The conversation is rebuilt from the record in the tokens that training joins (`training.sft.Tokens`), with
all its pictures. A record has no token ids, so a turn is tokenised again from its text: where the policy had
sampled another spelling of the same text, its tokens are not these. A turn that its length cut off gets an
end of turn that it had not.

Left out: policies behind an endpoint, which do not tell; what stands in the tool's replies, which nobody is
trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..play import messages
from ..policy import ModelPolicy
from ..rollout import Rollout


@dataclass(frozen=True, repr=False)
class TokenLogprobs:
    """The tokens a rollout wrote: `words` (text of each), `message` (which of its messages, from 0) and
    `logprobs` (nats, at most 0; NaN where no policy was asked). `before` holds those of an earlier policy, or
    is None."""

    words: list[str]
    message: np.ndarray
    logprobs: np.ndarray
    before: np.ndarray | None = None

    def __len__(self):
        return len(self.words)

    def __repr__(self):
        change = "" if self.before is None else f", changed by {self.change.mean():+.4f} on average"
        mean = self.logprobs.mean() if len(self) else float("nan")
        return f"TokenLogprobs({len(self)} tokens, mean {mean:.4f} nats{change})"

    @property
    def change(self) -> np.ndarray:
        """How much likelier each token became, in nats. Raises ValueError without a `before`."""
        if self.before is None:
            raise ValueError("nothing to compare with; after = token_logprobs(later, rollout).since(before)")
        return self.logprobs - self.before

    def since(self, before: TokenLogprobs) -> TokenLogprobs:
        """These with the earlier numbers of `before` beside them; ValueError where the tokens are others.

        Example: `token_logprobs(after, rollout).since(token_logprobs(before, rollout)).change`.
        """
        if self.words != before.words:
            raise ValueError(f"{len(self)} tokens against {len(before)}, or others: both must be of the same "
                             "rollout, under policies with the same tokenizer")
        return replace(self, before=before.logprobs)

    def table(self):
        """A frame, one row for each token: message, token, logprob, and before and change where known."""
        import pandas as pd

        columns = {"message": self.message, "token": self.words, "logprob": self.logprobs}
        if self.before is not None:
            columns |= {"before": self.before, "change": self.change}
        return pd.DataFrame(columns)


def token_logprobs(policy, rollout: Rollout, temperature: float = 1.0,
                   max_turns: int | None = None) -> TokenLogprobs:
    """The log-probability of each token that `rollout` wrote, as `policy` (a `ModelPolicy`) reads it.

    `temperature` divides the logits, as training does by its own. `max_turns` is what the policy is told of;
    by default what the record says, else the number of its messages. Raises TypeError for a policy without a
    model, ValueError for a rollout without turns.

    Example: `token_logprobs(load_policy("nano"), load_rollouts("data/rollouts")[0]).logprobs.mean()`.
    """
    import torch

    tokens = tokens_of(holding(policy).processor, [rollout], max_turns, policy.difference)
    row = tokens.row(rollout)
    with torch.inference_mode():
        logps, wrote = logprobs(policy.model, tokens.batch([row]), temperature)
    return spoken(policy.processor, row, logps[wrote].float().cpu().numpy())


def holding(policy) -> ModelPolicy:
    """`policy`, which holds a model; TypeError for one that does not, such as an endpoint's (its `model` is a
    name). Example: `holding(load_policy("nano")).processor`."""
    if not isinstance(policy, ModelPolicy):
        raise TypeError(f"{type(policy).__name__} holds no model whose probabilities could be read; give "
                        "load_policy(name)")
    return policy


def tokens_of(processor, rollouts, max_turns: int | None = None, difference: bool = False):
    """The `Tokens` that read these rollouts; `max_turns` by default what the first record says, else the most
    messages of any."""
    from ..training.sft import Tokens

    if max_turns is None:
        max_turns = rollouts[0].info.get("max_turns") or max(len(messages(one)) for one in rollouts)
    if not all(one.turns for one in rollouts):
        raise ValueError("a rollout without turns has written no token")
    return Tokens(processor, max_turns, difference)


def spoken(processor, row, logps=None) -> TokenLogprobs:
    """A row of tokens as the words it wrote, with their log-probabilities."""
    wrote = np.array(row.wrote, bool)
    starts = wrote & ~np.r_[False, wrote[:-1]]
    words = [processor.tokenizer.decode([token]) for token, mine in zip(row.ids, wrote, strict=True) if mine]
    values = np.full(len(words), np.nan) if logps is None else np.asarray(logps, float)
    return TokenLogprobs(words, (np.cumsum(starts) - 1)[wrote], values)


def logprobs(model, batch, temperature: float = 1.0):
    """(log-probability of each next token, whether the assistant wrote it), both of rows x (tokens - 1).

    `batch` is what `Tokens.batch` gives. Gradients flow where torch lets them.

    Example: `logps, wrote = logprobs(policy.model, tokens.batch(rows)); logps[wrote].sum()`.
    """
    batch = {name: value.to(model.device) for name, value in batch.items()}
    wrote = batch.pop("labels")[:, 1:] != -100
    logits = model(**batch).logits[:, :-1].float() / temperature
    return logits.log_softmax(-1).gather(2, batch["input_ids"][:, 1:, None])[..., 0], wrote
