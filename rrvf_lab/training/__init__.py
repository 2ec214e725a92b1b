"""What a trainer needs behind `train`: settings, budgets, TRL's trainer with our eyes, the run folder and its
process.

    config      the settings of a run, and the shipped ones in configs/
    budget      do all turns fit the completion?       memory      will it fit the machine?
    process     who trains into a folder; starting and ending it
    arguments   the settings in TRL's words            trainer     `RRVFTrainer`
    sampling    LoRA merged, ends of rows noticed
    sft         a supervised cold start on recorded rollouts
    runs        a run folder as an index               report      what a finished run leaves
    advantages  what GRPO makes of rewards

May import leaves, `records`, what the top calls a rollout, a reward and the rules (`rollout`, `reward`,
`talk`), what `render` and `judge` call a rendering, a verdict and a stopped judge, and of `nano` where models
lie and which tokens are not sampled. Never `train`, `show`; and `environment` and `play` only in `sft`, which
reads conversations back: `train` puts the pieces together, and the trainer is handed its environments.

`arguments`, `trainer`, `sft` and `sampling` load torch and TRL, so they are imported where a trainer is made.

Left out: the loop itself (`train`), every look (`show.runs`), the algorithm, which is TRL's. Front door:
`start`, which returns a `Run`.
"""

from .advantages import advantages
from .config import TrainConfig
from .runs import Run, start

__all__ = ["Run", "TrainConfig", "advantages", "start"]
