"""Two pictures, the target and a render of some program, become a `Verdict`: a score and what differs.

The one front door is `judge(target, image)`, or a `PixelJudge` of your own. `as_judge` makes a judge of any
function, `VLMJudge` asks a model behind an endpoint, `audit` tries a judge before one trains on it, and
`hack_zoo` shows it programs that cheat.

May import: `leaves`, `endpoint` and, for the zoo's programs, `render`. Left out: where pictures come from
otherwise, what a policy is told of a verdict (`talk`), how much it earns by one (`reward`), and how verdicts
look in a notebook (`show`).
"""

from .audit import Audit, agreement, audit
from .errors import in_short
from .pixel import PixelJudge, difference, judge
from .protocol import JudgeStopped, as_judge, stop_where_none_scored
from .verdict import Verdict
from .vlm import Fallback, VLMJudge
from .zoo import Zoo, hack_zoo

__all__ = ["Audit", "Fallback", "JudgeStopped", "PixelJudge", "VLMJudge", "Verdict", "Zoo", "agreement",
           "as_judge", "audit", "difference", "hack_zoo", "in_short", "judge", "stop_where_none_scored"]
