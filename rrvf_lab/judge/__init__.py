"""Two pictures become a `Verdict`."""

from .audit import Audit, audit
from .pixel import PixelJudge, difference, judge
from .protocol import JudgeStopped, as_judge, stop_where_none_scored
from .verdict import Verdict
from .vlm import Fallback, VLMJudge
