"""Playing images that the policy is not trained on, every so many steps, and keeping the weights that did
best.

Left out: stopping early, and the held-out images of the report. A policy chosen by those would be measured by
its luck, so the images come out of the training images instead.
"""

from __future__ import annotations

import json
import math
import shutil

from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback

from ..leaves.files import write_whole
from .sampling import sampling_mode


class KeepBest(TrainerCallback):
    """Every `eval_steps` the policy plays images that it is not trained on, and the weights that did best are
    kept in the run folder's best/, with their step and score.

    `validate` is a function of the model that gives its score.
    """

    def __init__(self, trainer, validate):
        self.trainer, self.validate = trainer, validate
        self.folder = trainer.config.folder / "best"
        self.every = trainer.config.eval_steps

    def on_train_begin(self, args, state, control, **kwargs):
        """Forget what was measured after the checkpoint that a run is resumed from."""
        if state.is_world_process_zero and self.best["step"] > state.global_step:
            shutil.rmtree(self.folder)

    def on_step_end(self, args, state, control, **kwargs):
        trainer = self.trainer
        if state.global_step % self.every and state.global_step != args.max_steps:
            return
        better = False
        if trainer.accelerator.is_main_process:
            with sampling_mode(trainer.model) as model:
                score = self.validate(trainer.accelerator.unwrap_model(model))
            trainer._metrics["train"]["validation/vision"].append(score)
            better = score > self.best["vision"]
        if broadcast_object_list([better])[0]:
            name = "adapter" if trainer.config.lora_rank else "model"
            trainer.save_weights(self.folder / name)
            if trainer.accelerator.is_main_process:
                made = {"step": state.global_step, "vision": score}
                write_whole(self.folder / "best.json", json.dumps(made))

    @property
    def best(self) -> dict:
        """Step and score of the best so far."""
        try:
            return json.loads((self.folder / "best.json").read_text())
        except OSError:
            return {"step": 0, "vision": -math.inf}
