"""Interactive views of rollouts, groups and runs, for a cell of a notebook.

May import `show`, whose looks these are, and all below it: records, the loop, `judge.agreement`, and the
runs and advantages of `training`. Left out: looks and work of its own; whatever a view does has a plain
function. Front door: `inspect`.
"""

from .compare import inspect_judges
from .group import inspect_group
from .inspector import inspect
from .judge import sit_as_judge
from .live import live, sit_as_policy
from .run import inspect_run, watch

__all__ = ["inspect", "inspect_group", "inspect_judges", "inspect_run", "live", "sit_as_judge",
           "sit_as_policy", "watch"]
