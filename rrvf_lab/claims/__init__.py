"""The paper's claims, each put to the test with the embedded model: arms that are trained and measured alike,
and a table that says shown, not shown or the other way round.

    python -m rrvf_lab.claims                    # the table, from the arms recorded in data/claims
    python -m rrvf_lab.claims --run --quick      # train and measure them again, one seed, short runs

`arms` names what is trained, `measure` plays it, `work` keeps two cores busy with it, `table` reads what came
of it. RRVF is arXiv 2507.20766; its own numbers are those of a 7B model and are not comparable with these.

May import everything of the loop, nano, judge, records and training. Left out: other models than the embedded
ones, another final judge than the embedded one, and pages as programs (the embedded model writes matplotlib
alone). Front door: `claims`.
"""

from .arms import ARMS, Arm
from .table import Claims, claims

__all__ = ["ARMS", "Arm", "Claims", "claims"]
