"""What a trainer needs behind `train`: settings, budgets, TRL's trainer with our eyes, the run folder and its
process.

    config      the settings of a run, and the shipped ones in configs/
    checks      everything that can be wrong, before anything is loaded; what a run is made of
    budget      do all turns fit the completion?       memory      will it fit the machine?
    process     who trains into a folder; starting and ending it
    arguments   the settings in TRL's words            trainer     `RRVFTrainer`
    sampling    LoRA merged, ends of rows noticed      engine      vLLM, and what TRL hands it wrongly
    batches     what a backward pass works on          validation  the best of a run, by images kept aside
    images      folders and the hub's data sets        trackers    trackio, wandb, TensorBoard
    sft         a supervised cold start on recorded rollouts
    runs        a run folder as an index               report      what a finished run leaves
    preflight   could this run learn at all?           publish     a folder ready for the hub, with its cards
    advantages  what GRPO makes of rewards

May import leaves, `records`, `data`, what the top calls a rollout, a reward and the rules (`rollout`,
`reward`, `talk`), what `render` and `judge` call a rendering, a verdict and a stopped judge, and of `nano`
where models lie and what a conversation is in tokens. Never `train`, `show`; and `environment` and `play`
only in `sft`, which reads conversations back: `train` puts the pieces together, and the trainer is handed its
environments.

`arguments`, `trainer`, `sft`, `batches`, `validation` and `sampling` load torch and TRL, so they are imported
where a trainer is made.

Left out: the loop itself (`train`), every look (`show.runs`), the algorithm, which is TRL's. Front door:
`start`, which returns a `Run`.
"""

from .advantages import advantages
from .config import TrainConfig
from .publish import publish
from .runs import Run, start

__all__ = ["Run", "TrainConfig", "advantages", "publish", "start"]
