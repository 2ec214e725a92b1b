"""Two pictures become a `Verdict`."""

from .audit import Audit, audit
from .pixel import PixelJudge, difference, judge
from .protocol import JudgeStopped, as_judge
from .verdict import Verdict
from .vlm import Fallback, VLMJudge
