"""The update must read what the sampler read: `surprise` is near 0, and far from it where pixels are lost."""
import math
from unittest.mock import patch

import pytest
import torch
from tiny import config
from trl import GRPOTrainer

from rrvf_lab.train import make_trainer
from rrvf_lab.training.trainer import surprise


def test_tokens_as_likely_as_those_it_would_sample_are_no_surprise():
    logps, entropies = torch.full((2, 4), -math.log(3)), torch.full((2, 4), math.log(3))
    assert surprise(logps, entropies, {"completion_mask": torch.ones(2, 4)}) == pytest.approx(0, abs=1e-6)


def test_tokens_of_the_tool_and_padding_do_not_count():
    logps, entropies = torch.tensor([[-2.0, -9.0, -9.0]]), torch.tensor([[0.5, 0.0, 0.0]])
    inputs = {"completion_mask": torch.tensor([[1, 1, 0]]), "tool_mask": torch.tensor([[1, 0, 1]])}
    assert surprise(logps, entropies, inputs) == pytest.approx(1.5)


@pytest.mark.slow
def test_an_update_without_pixels_is_surprised_by_the_tokens_it_learns_from(tmp_path):
    def surprise_of(trainer):
        trainer.train()
        return next(row["surprise"] for row in trainer.state.log_history if "surprise" in row)

    seeing = GRPOTrainer._get_per_token_logps_and_entropies

    def blind(*args, **kwargs):
        return seeing(*args, **kwargs | {"pixel_values": None, "image_grid_thw": None, "num_images": None})

    sound = surprise_of(make_trainer(config(tmp_path / "sound")))
    with patch.object(GRPOTrainer, "_get_per_token_logps_and_entropies", blind):
        blinded = surprise_of(make_trainer(config(tmp_path / "blind")))
    assert abs(sound) < 0.1 and blinded > 0.3
