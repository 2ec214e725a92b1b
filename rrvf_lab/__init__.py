"""rrvf_lab: learn to reproduce images as code, from images alone (RRVF, arXiv 2507.20766), in a notebook."""
# For the time of the move only: names are found when asked for.
from .judge import judge
from .render import render
from .evaluate import evaluate

_HOME = {}
for _names, _home in (
        ("load_benchmark reconcile", "benchmarks"), ("contact_sheet load_images", "data"),
        ("EndpointError EndpointPolicy", "endpoint"), ("Environment Episode", "environment"),
        ("Audit Fallback JudgeStopped PixelJudge Verdict VLMJudge agreement as_judge audit difference", "judge"),
        ("branch play_many", "play"), ("Drafted Human ModelPolicy Recording load_policy", "policy"),
        ("Recorder Report load_rollouts", "records"), ("Renderer Rendering doctor", "render"),
        ("Reward RewardWeights", "reward"), ("Rollout Turn", "rollout"), ("export install", "show"),
        ("Run TrainConfig advantages start", "training"), ("make_trainer", "train"),
        ("inspect inspect_group inspect_run live sit_as_judge sit_as_policy watch", "widgets")):
    for _name in _names.split():
        _HOME[_name] = _home


def __getattr__(name):
    from importlib import import_module

    if name == "play":
        return getattr(import_module(".play", __name__), name)
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(name)


from .play import play
