"""rrvf_lab: learn to reproduce images as code, from images alone (RRVF, arXiv 2507.20766), in a notebook.

    import rrvf_lab as rl
    images = rl.load_images("data/charts/test")
    rollout = rl.play(rl.load_policy("nano"), images[3], max_turns=2)

The loop stands at the top of the package, to be read in this order: `data` (raw images in), `talk` (the rules
in words), `rollout` (the record), `reward`, `environment` (one rollout: open, take, close), `play`, `policy`
(who writes), `train` (a step of GRPO), `evaluate`. The engine rooms behind it are packages: `render`,
`judge`, `endpoint`, `nano`, `training`, `records`; above it stand `show`, `widgets`, `benchmarks` and
`claims`, which only read and call.

The way of one rendered picture, from the policy's words to the reward, goes down and comes back as a value:

    environment.Episode.take         the turn's text is parsed once, each code becomes a future
    environment.Episode._work        in a thread: render, then judge
    render.renderer.Renderer.render  known already? else
    render.lanes.Lanes.run           a free lane of the jail (html and figures: chromium.Browser)
    render.job.run                   the code goes in by shared memory
    render._zygote, _matplotlib      inside the sandbox: fork, run, the figure's pixels into that memory
    render.rendering.Rendering       the picture, or the end of its traceback
    judge.pixel.PixelJudge           sees both pictures, says what differs, scores
    judge.verdict.Verdict            the score and the sentences
    environment.Episode.answer       the tool's reply: picture, difference, sentences, target
    environment.Episode.close        the turns with what came of them, the final code
    reward.reward                    three terms, their weights, a sentence on each
"""

# `evaluate`, `judge`, `render` and `show` share the name of their module; bound here, the functions win.
from . import benchmarks
from .benchmarks import load_benchmark, reconcile
from .claims import claims
from .data import contact_sheet, load_images
from .diagnose import diagnose
from .endpoint import EndpointError, EndpointPolicy
from .environment import Environment, Episode
from .evaluate import evaluate
from .judge import (
    Audit,
    Fallback,
    JudgeStopped,
    PixelJudge,
    Verdict,
    VLMJudge,
    agreement,
    as_judge,
    audit,
    difference,
    hack_zoo,
    judge,
)
from .leaves.threads import calm_threads
from .play import branch, play, play_many
from .policy import Drafted, Human, ModelPolicy, Recording, load_policy
from .probe import probe
from .records import Recorder, Report, load_rollouts
from .render import Renderer, Rendering, doctor, render
from .reward import Reward, RewardWeights
from .rollout import Rollout, Turn
from .show import export, install, show
from .training import Run, TrainConfig, advantages, publish, start
from .whatif import compare_judges, rejudge, token_logprobs, update_by_hand, what_if
from .widgets import (
    inspect,
    inspect_group,
    inspect_judges,
    inspect_run,
    live,
    sit_as_judge,
    sit_as_policy,
    watch,
)

calm_threads()  # here, as whatever is called first may load torch
install()

__all__ = [
    "Audit", "Drafted", "EndpointError", "EndpointPolicy", "Environment", "Episode", "Fallback", "Human",
    "JudgeStopped", "ModelPolicy", "PixelJudge", "Recorder", "Recording", "Renderer", "Rendering",
    "Report", "Reward", "RewardWeights", "Rollout", "Run", "TrainConfig", "Turn", "VLMJudge", "Verdict",
    "advantages", "agreement", "as_judge", "audit", "benchmarks", "branch", "claims", "contact_sheet",
    "diagnose",
    "difference", "compare_judges", "inspect_judges", "rejudge", "token_logprobs", "update_by_hand",
    "what_if",
    "doctor", "evaluate", "export", "hack_zoo", "inspect", "inspect_group", "inspect_run", "judge", "live",
    "load_benchmark", "load_images", "load_policy", "load_rollouts", "make_trainer", "play", "play_many",
    "preflight", "probe", "publish", "reconcile", "render", "show", "sit_as_judge", "sit_as_policy", "start",
    "watch",
]


def __getattr__(name):
    """`make_trainer` and `preflight` are found when asked for: `python -m rrvf_lab.train` must find its
    module not yet imported."""
    if name in ("make_trainer", "preflight"):
        from . import train

        return getattr(train, name)
    raise AttributeError(f"module 'rrvf_lab' has no attribute {name!r}; it has: {', '.join(__all__)}")
