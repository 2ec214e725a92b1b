"""data/rollouts is what its README says, and small enough to come with the repository."""
import pytest

import rrvf_lab as rl
from rrvf_lab.records import load_rollouts

ROLLOUTS = load_rollouts("data/rollouts")


def test_the_recordings_hold_what_the_notebooks_look_for():
    assert 6 <= len(ROLLOUTS) <= 10
    gains = [b.score - a.score for r in ROLLOUTS for a, b in zip(r.drafts, r.drafts[1:], strict=False)
             if a.ran and b.ran]
    assert min(gains) < 0 < max(gains)
    assert any(len(r.drafts) == 1 for r in ROLLOUTS)
    assert any(r.choice == 0 and len(r.drafts) > 1 and r.answer == "turn 1" for r in ROLLOUTS)


def test_the_readme_lists_them_in_order():
    readme = (ROLLOUTS.folder / "README.md").read_text()
    for k, rollout in enumerate(ROLLOUTS):
        assert f"| {k} | {rollout.info['model']} | {rollout.id} |" in readme


def test_their_scores_are_still_the_judges():
    for rollout in ROLLOUTS:
        first = rollout.drafts[0]
        if first.ran:
            again = rl.judge(rollout.target, first.rendering.image)
            assert again.score == pytest.approx(first.score, abs=0.05), rollout.id


def test_they_are_small():
    assert sum(path.stat().st_size for path in ROLLOUTS.folder.rglob("*.*")) < 4_000_000
