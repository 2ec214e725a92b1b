"""The weights of a reward, read back from the sentences that it gives for its terms.

Left out: `enough`, of which no sentence speaks.
"""

from __future__ import annotations

import re

_TERM = re.compile(r"(vision|format|tool) \S+ x (\S+):(?:.*?(\d+) paid$)?", re.DOTALL)


def weights_said(reasons) -> dict:
    """The arguments of `RewardWeights` that a reward's `reasons` name; {} where they do not name all three.

    Example: `RewardWeights(**weights_said(rollout.reward.reasons))`.
    """
    found = [match for match in map(_TERM.match, reasons) if match]
    said = {match[1]: float(match[2]) for match in found}
    if len(said) < 3:
        return {}
    cap = next((match[3] for match in found if match[1] == "tool"), None)
    return said | ({"cap": int(cap)} if cap else {})
