"""Runs of a few rollouts, and a run folder to look into."""
from recorded import run  # noqa: F401  (a fixture)
from tiny import scripted, tiny_qwen, tiny_qwen3  # noqa: F401  (fixtures)
