"""Published benchmarks: their items, and their own metrics of what a policy made of them.

Only here there is reference code, for evaluation alone. `chartmimic`, `plot2code` and `design2code` are
metrics for `evaluate(..., metrics=[...])`, each with the benchmark's own `table` of a report; the classes
`ChartMimic` and `Plot2Code` take a `rater`, the benchmark's judge. `reconcile` shows what the same
outputs score under other conventions.

May import the loop and every room below it, never `show` or `widgets`. Left out: the data sets themselves,
playing (`evaluate`), and whatever a reward could be made of. Front door: `load_benchmark`.
"""

# Functions and metrics hide the modules of their name: `from .chartmimic import ...` still finds the module.
from .chartmimic import ChartMimic, chartmimic
from .design2code import Design2Code, design2code
from .load import load_benchmark
from .plot2code import Plot2Code, plot2code
from .reconcile import Reconciliation, reconcile

__all__ = ["ChartMimic", "Design2Code", "Plot2Code", "Reconciliation", "chartmimic", "design2code",
           "load_benchmark", "plot2code", "reconcile"]
