"""Seven rollouts with every fate of a second turn, as an evaluation leaves them."""
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.records import Report
from rrvf_lab.render import Rendering
from rrvf_lab.reward import Reward
from rrvf_lab.rollout import Rollout, Turn

IMAGE = Image.new("RGB", (8, 6))


def scored(id, *scores, choice=None, codes="abcdef"):
    """Turns with these scores; None is a crash."""
    turns = []
    for score, code in zip(scores, codes, strict=False):
        rendering, error = (Rendering(None, "E"), "run: E") if score is None else (Rendering(IMAGE), None)
        turns.append(Turn("", code, rendering, Verdict(score or 0.0, ""), "", "render", error))
    choice = len(turns) - 1 if choice is None else choice
    earned = Reward(scores[choice] or 0.0, 0, 0, 0)
    return Rollout(IMAGE, "matplotlib", tuple(turns), None, choice, earned, id)


SET = [scored("repaired", None, 0.6), scored("broken", 0.4, None), scored("better", 0.3, 0.5),
       scored("worse", 0.5, 0.2), scored("copied", 0.7, 0.7, codes="aa"), scored("kept", 0.8, 0.1, choice=0),
       scored("still", None, None)]
ALL_BETTER = Report([scored(r.id, 0.9) for r in SET])
