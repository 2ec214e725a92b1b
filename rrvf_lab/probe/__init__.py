"""Does a policy look at what it is shown, and does it read what it is told? The same turn again, with one
thing changed.

    situations      where a recorded rollout's second or later turn was due, and what was shown there
    interventions   what is changed in it: the render blank, another's, another target; no text, a wrong one
    likelihood      how likely the recorded turn is under teacher forcing
    sentences       the judge's sentences by kind, and whether the next draft followed them
    probing         `probe`: what each intervention changes     checkpoints   the same along a run
    effects         `Probe` and `Curve`, what came of it

May import leaves, the loop but `train` (its settings and run folders are read), `render`, `judge`, `records`,
`nano`, `training` and `whatif`; torch only inside a function. Nothing below imports it.

Left out: which of two policies is better (`evaluate`), whether a judge's sentences are true, what a policy
attends to inside, and every look (`show.probe`). Front door: `probe`.
"""

from .effects import Curve, Probe
from .probing import probe

__all__ = ["Curve", "Probe", "probe"]
