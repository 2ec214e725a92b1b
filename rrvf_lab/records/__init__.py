"""What happened, on disk and in numbers: the store of rollouts, resumable recordings, reports and their
comparison.

May import leaves, the records and rules at the top (`rollout`, `reward`, `talk`), and the record types of
`render` and `judge`. Left out: playing anything, and every look (`show` hangs those on). Front door:
`load_rollouts`, then `Report`.
"""

from .comparison import Comparison
from .report import Report, cut_share, warn_of_cuts
from .statistics import interval
from .store import Recorder, Rollouts, load_rollouts

__all__ = ["Comparison", "Recorder", "Report", "Rollouts", "cut_share", "interval", "load_rollouts",
           "warn_of_cuts"]
