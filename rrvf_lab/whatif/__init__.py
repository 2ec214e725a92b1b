"""What if: the same rollouts under another judge, another reward, another rule of GRPO; nothing is played.

    recorded   rollouts from wherever they come, also where pictures are gone; the weights they were paid by
    again      `rejudge`: verdicts and rewards of another judge     judges   `compare_judges`: several at once
    tokens     `token_logprobs`: each written token under a policy, and under a later one
    setting    one rule of GRPO with its formula: weights, scale, baseline, clipping, group
    step       `what_if`: a recorded step under the recorded and under a changed setting
    update     `grpo_loss` and `update_by_hand`: one update of GRPO in ten lines

May import leaves, `endpoint`, the records and rules at the top, `render`, `judge`, `records`, `nano`,
`play`, `policy` and `training`; what loads torch or TRL (`training.sft`) only inside a function. Nothing
below imports it.

Left out: what the policy would have written had it read the other judge's sentences (`branch` plays on), and
every look (`show.whatif`, `widgets.compare`). Front door: `rejudge`, `compare_judges`, `what_if`.
"""

from .again import other_judge, rejudge
from .judges import compare_judges
from .step import what_if
from .tokens import token_logprobs
from .update import grpo_loss, update_by_hand

__all__ = ["compare_judges", "grpo_loss", "other_judge", "rejudge", "token_logprobs", "update_by_hand",
           "what_if"]
