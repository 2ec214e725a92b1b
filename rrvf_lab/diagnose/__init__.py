"""What is wrong with a run, in plain words, from what it recorded; what its gain is made of; its ledger.

    rl.diagnose("runs/demo")
    python -m rrvf_lab.diagnose runs/demo

A finding is a function `f(run) -> Finding | None` of an `Evidence`; those that ship are in `findings`, yours
are passed beside them. A finding of chance counts only where so many looks would hardly have made it up.

May import leaves, talk, judge, records, and of training run folders and the arithmetic of advantages. Left
out: playing, rendering or training anything again, and every look (`show` hangs those on). Front door:
`diagnose`.
"""

from .diagnosis import Diagnosis, diagnose
from .evidence import Evidence
from .finding import Finding
from .findings import FINDINGS
from .ledger import ledger_of

__all__ = ["FINDINGS", "Diagnosis", "Evidence", "Finding", "diagnose", "ledger_of"]
