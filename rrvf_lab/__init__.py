"""rrvf_lab: learn to reproduce images as code, from images alone (RRVF, arXiv 2507.20766), in a notebook.

    import rrvf_lab as rl
    images = rl.load_images("data/charts/test")
    rollout = rl.play(rl.load_policy("nano"), images[3], max_turns=2)

Names are loaded when first used, so that the import is quick and brings no torch.
"""

# These three share their module's name; bound here, once, the functions win over the modules.
from .evaluate import evaluate
from .judge.pixel import judge
from .render.renderer import render

_HOME = {
    "load_images": "data", "load_benchmark": "data", "EndpointPolicy": "endpoint", "EndpointError": "endpoint",
    "contact_sheet": "data", "doctor": "sandbox", "Renderer": "render", "Rendering": "render",
    "VLMJudge": "vlm_judge", "Fallback": "vlm_judge", "JudgeStopped": "vlm_judge", "audit": "auditing", "Audit": "auditing",
    "PixelJudge": "judge", "Verdict": "judge", "difference": "judge", "Reward": "reward",
    "RewardWeights": "reward", "Environment": "environment", "play": "environment", "play_many": "environment",
    "Rollout": "rollout", "Turn": "rollout", "load_rollouts": "rollout", "Recording": "policy", "Drafted": "policy", "ModelPolicy": "policy",
    "load_policy": "policy", "TrainConfig": "train", "make_trainer": "train", "Report": "evaluate", "show": "plots",
    "inspect": "widgets", "live": "widgets", "sit_as_policy": "widgets", "sit_as_judge": "widgets", "agreement": "widgets",
    "export": "views", "branch": "environment", "Human": "policy", "advantages": "groups", "Run": "runs", "start": "runs",
    "inspect_group": "run_widgets", "inspect_run": "run_widgets", "watch": "run_widgets",
}
__all__ = sorted([*_HOME, "evaluate", "judge", "render"])


def __getattr__(name):
    from importlib import import_module

    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module 'rrvf_lab' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__():
    return __all__
