"""Where else a run is written down: trackio, wandb or TensorBoard, beside the run folder.

TRL and transformers send the numbers of each step. What is added here are the rollouts of a step, each as one
picture, target first and then every turn's, with its words beside it where the tracker has tables.

Left out: trackers that hold no pictures; starting and naming a tracker's run, which transformers does.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec

from PIL import Image

from ..leaves.pictures import rgb

MOST = 16      # rollouts of a step: enough to see, little to send
HEIGHT = 168   # pixels of a picture


def check_tracker(name: str | None) -> None:
    """ImportError where the tracker is not installed."""
    if name and find_spec(name) is None:
        raise ImportError(f"report_to={name!r} needs {name}, which is not installed: .venv/bin/python -m pip "
                          f"install {name}; or set report_to=null (the run folder holds everything)")


def strip(rollout) -> Image.Image:
    """Target and the picture of each turn, side by side; a turn that drew nothing is grey.

    Example: `strip(rl.load_rollouts("runs/demo")[0])`.
    """
    pictures = [rollout.target, *(turn.rendering.image for turn in rollout.drafts)]
    shape = rollout.target.size
    shown = [picture or Image.new("RGB", shape, "grey") for picture in pictures]
    shown = [rgb(one).resize((max(1, one.width * HEIGHT // one.height), HEIGHT)) for one in shown]
    sheet = Image.new("RGB", (sum(one.width + 4 for one in shown) - 4, HEIGHT), "white")
    left = 0
    for one in shown:
        sheet.paste(one, (left, 0))
        left += one.width + 4
    return sheet


def send_rollouts(name: str | None, rollouts, step: int, callbacks=()) -> None:
    """Send the first rollouts of a step to the tracker; `callbacks` are the trainer's, one of which holds
    TensorBoard's writer."""
    rollouts = rollouts[:MOST]
    if name == "tensorboard":
        import numpy as np

        writer = next(one.tb_writer for one in callbacks if hasattr(one, "tb_writer"))
        for i, rollout in enumerate(rollouts):
            caption = f"rollouts/{i:02d}"
            writer.add_image(caption, np.asarray(strip(rollout)), step, dataformats="HWC")
            writer.add_text(caption, "\n\n".join(turn.text for turn in rollout.turns), step)
    elif name in ("trackio", "wandb"):
        tracker = importlib.import_module(name)
        tracker.log({"rollouts": tracker.Table(dataframe=table(rollouts, step, tracker.Image))})


def table(rollouts, step: int, picture):
    """One row for each rollout, as a pandas table; `picture` makes the tracker's image of PIL's."""
    import pandas as pd

    return pd.DataFrame([
        {"step": step, "image": picture(strip(rollout)), "id": rollout.id,
         "reward": rollout.reward.total, "advantage": rollout.info["advantage"],
         "vision": rollout.reward.vision}
        | {f"turn {k}": turn.text for k, turn in enumerate(rollout.turns, 1)}
        for rollout in rollouts])
