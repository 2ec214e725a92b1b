"""The picture of the loop is made from the recording that it claims to show."""
import runpy
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "notebooks" / "pictures"


def test_the_loop_shows_a_repair_and_the_best_of_its_group():
    import rrvf_lab as rl

    group = list(rl.load_rollouts("data/rollouts/group"))
    rollout = group[runpy.run_path(FOLDER / "loop.py")["NUMBER"]]
    rest = [one for one in group if one.info["group"] == rollout.info["group"]]
    first, second = rollout.drafts
    assert second.score > first.score and rollout.choice == 1
    assert rollout.reward.total == max(one.reward.total for one in rest) and len(rest) == 8


def test_it_is_drawn_again_from_the_recording(tmp_path):
    drawer = runpy.run_path(FOLDER / "loop.py")
    drawer["main"].__globals__["OUT"] = tmp_path / "loop.png"
    drawer["main"]()
    assert Image.open(tmp_path / "loop.png").size == Image.open(FOLDER / "loop.png").size
