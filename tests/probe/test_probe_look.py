"""A probe and a curve in a cell: what they say, a figure, tables; what a model wrote is escaped."""
import re
from dataclasses import replace

import pytest
from hostile import EVIL
from scripted import Ignores, LooksAtTarget, Reads

from rrvf_lab.probe import Curve
from rrvf_lab.probe.interventions import INTERVENTIONS


def test_a_probe_shows_its_sentences_figure_tables_and_an_example(probed):
    html = probed(Reads())._repr_html_()
    assert "It reads what it is told" in html and html.count("<table") == 2
    assert all(one.does.replace("'", "&#x27;") in html for one in INTERVENTIONS)
    assert "no text, for one: rollout " in html and re.search(r'<img src="data:[^"]+" alt="what each', html)


def test_a_policy_that_changes_nothing_has_no_examples_and_is_shown(probed):
    assert "for one: rollout" not in probed(Ignores())._repr_html_()


def test_what_a_model_wrote_is_escaped(probed, rollouts):
    class Evil(Reads):
        def second(self, pictures, text):
            return EVIL if text else "red"

    some = [replace(one, id=EVIL) for one in rollouts]
    html = probed(Evil(), some)._repr_html_()
    assert "onerror=&#x27;" in html and "<script" not in html and "<iframe" not in html


@pytest.mark.parametrize("policy", [Reads, LooksAtTarget])
def test_figures_have_a_panel_for_each_measure_and_one_for_obedience(probed, policy):
    probe = probed(policy())
    assert [ax.get_xlabel() for ax in probe.plot().axes] == [
        "change of log-probability", "programs changed", "change of score", "sentences followed"]


def test_a_curve_shows_every_step_and_the_last_probe(probed):
    curve = Curve({0: probed(Ignores()), 10: probed(Reads())})
    html = curve._repr_html_()
    assert "step 0" in html and "step 10" in html and "the last one's probe" in html
    assert [ax.get_ylabel() for ax in curve.plot().axes] == [
        "programs changed", "change of score", "sentences followed"]
