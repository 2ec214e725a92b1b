"""Each intervention changes one thing and leaves the rest, and shows no more of a target than was shown."""
import numpy as np
import pytest
from scripted import named

from rrvf_lab.probe.interventions import INTERVENTIONS, recoloured
from rrvf_lab.probe.situations import situations_of


@pytest.fixture
def situations(rollouts):
    return situations_of(rollouts, None, np.random.default_rng(0), difference=True)[0]


def made(name, situations, k=0):
    one = next(one for one in INTERVENTIONS if one.name == name)
    return one.make(situations[k], situations, np.random.default_rng(0))


def reply(talk):
    return talk[-1]["content"]


def text(talk):
    return next(part["text"] for part in reply(talk) if part["type"] == "text")


def same(one, other):
    return one.tobytes() == other.tobytes()


def test_a_blank_render_comes_with_a_blank_difference(situations):
    render, difference, _, target = reply(made("blank render", situations))
    assert same(render["image"], difference["image"]) and set(render["image"].getdata()) == {(255, 255, 255)}
    assert target["image"] is situations[0].rollout.target


def test_anothers_render_is_of_another_image_with_its_own_difference(situations):
    talk = made("another's render", situations)
    given = [part["image"] for part in reply(talk)[:2]]
    owners = [one for one in situations if all(map(same, one.pictures, given))]
    assert owners and all(one.image != situations[0].image for one in owners)
    assert text(talk) == text(situations[0].talk)


def test_another_target_is_shown_everywhere_and_the_true_one_nowhere(situations):
    talk, own = made("another target", situations), situations[0].rollout.target
    shown = [talk[1]["content"][0]["image"], reply(talk)[-1]["image"]]
    assert same(*shown) and not same(shown[0], own)
    assert [part["image"] for part in reply(talk)[:2]] == situations[0].pictures


@pytest.mark.parametrize(("name", "left"), [("no text", ""),
                                            ("generic text", "Score 0.50. Something differs.")])
def test_words_are_taken_away(situations, name, left):
    talk = made(name, situations)
    assert text(talk) == left and reply(talk)[0] is reply(situations[0].talk)[0]


def test_anothers_text_keeps_the_score_and_names_another_target(situations):
    said = text(made("another's text", situations))
    assert said.startswith("Score 0.50. Colour ")
    assert named(situations[0].rollout.target) not in said


def test_the_recorded_conversation_is_left_as_it_was(situations):
    before = [list(message["content"]) for message in situations[0].talk]
    for one in INTERVENTIONS:
        one.make(situations[0], situations, np.random.default_rng(0))
    assert [list(message["content"]) for message in situations[0].talk] == before


def test_asked_for_colours_change_and_drawn_ones_stay():
    said = recoloured("Grid on. Colour teal; gold, not red; blue. Missing teal.", np.random.default_rng(0))
    grid, asked, missing = said.split(".")[:3]
    assert grid == "Grid on" and asked.endswith(", not red; blue")
    new = asked.removeprefix(" Colour ").partition(",")[0].split("; ")
    assert missing == f" Missing {new[0]}" and not {"teal", "gold", "red", "blue"} & set(new)


def test_without_a_colour_there_is_nothing_to_swap():
    said = "Grid on. Change 0, +3 of 10."
    assert recoloured(said, np.random.default_rng(0)) == said
