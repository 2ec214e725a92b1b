"""How likely a policy finds a turn that somebody wrote, after a conversation: teacher forcing, many at once.

Left out: policies behind an endpoint, which do not tell: NaN.
"""

from __future__ import annotations

import numpy as np

from ..nano.model import ModelPolicy
from ..talk import END, parse_turn, said


def mean_logprobs(policy, talks, texts) -> np.ndarray:
    """The mean log-probability of the tokens of each text (its end of turn included) as the next turn of its
    conversation, in nats; NaN where the policy is no `ModelPolicy`.

    Example: `mean_logprobs(load_policy("nano"), [opening(image, "matplotlib", 3)], [turn.text])`.
    """
    if not isinstance(policy, ModelPolicy):
        return np.full(len(talks), np.nan)
    size = policy.batch_size
    some = [_of_batch(policy, talks[k:k + size], texts[k:k + size]) for k in range(0, len(talks), size)]
    return np.concatenate(some or [np.empty(0)])


def _of_batch(policy, talks, texts):
    import torch
    from torch.nn.utils.rnn import pad_sequence

    tokenizer, device = policy.processor.tokenizer, policy.model.device
    written = [torch.tensor(tokenizer(said(parse_turn(text))["content"][0]["text"] + END)["input_ids"])
               for text in texts]
    ids = pad_sequence(written, batch_first=True, padding_value=tokenizer.pad_token_id).to(device)
    mask = pad_sequence([torch.ones_like(one) for one in written], batch_first=True).to(device)
    batch = dict(policy.inputs(talks))  # padded on the left; the turns follow, padded on the right
    more = {"input_ids": ids, "attention_mask": mask, "mm_token_type_ids": torch.zeros_like(ids)}
    batch |= {name: torch.cat([batch[name], part], 1) for name, part in more.items()}
    with torch.inference_mode():
        logits = policy.model(**batch, logits_to_keep=ids.shape[1] + 1).logits[:, :-1].float()
        logps = logits.gather(2, ids[..., None])[..., 0] - logits.logsumexp(-1)
    return ((logps * mask).sum(1) / mask.sum(1)).double().cpu().numpy()
