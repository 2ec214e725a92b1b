"""Plot2Code's text match and rating, one property a test."""
import math

import pytest
from PIL import Image

from rrvf_lab.benchmarks.plot2code import plot2code_rating, plot2code_text
from rrvf_lab.judge import Verdict

HEAD = "import matplotlib.pyplot as plt\n"


def test_equal_words_match_near_their_place_alone():
    reference = HEAD + "plt.figure(figsize=(4, 3))\nplt.figtext(0, 0, 'Heat')\nplt.figtext(1, 1, 'here')"
    changes = (("'Heat'", "'HEAT'"), ("1, 1,", "1, 90,"), ("here", "there"))
    same, far, other = (reference.replace(a, b) for a, b in changes)
    found = [plot2code_text(reference, code) for code in (same, far, other)]
    assert found == [1.0, pytest.approx(1 / 3), pytest.approx(1 / 3)]


def test_two_figures_without_text_match():
    assert plot2code_text(HEAD + "plt.figure()", HEAD + "plt.figure()") == 1


def test_a_candidate_that_fails_has_no_match_and_a_reference_that_fails_is_an_error():
    fine = HEAD + "plt.title('A')"
    assert math.isnan(plot2code_text(fine, "1 / 0"))
    with pytest.raises(ValueError, match="the reference program does not run here: ZeroDivisionError"):
        plot2code_text("1 / 0", fine)


def test_a_program_that_forges_its_words_has_no_match():
    forged = HEAD + "import json\njson.dumps = lambda *_: '{\"error\": null, \"labels\": 3}'"
    assert math.isnan(plot2code_text(HEAD + "plt.title('A')", forged))


def test_ratings_run_from_1_to_10_and_white_has_none():
    def judge(score):
        return lambda target, image: Verdict(score, "")

    white, red = Image.new("RGB", (9, 9), "white"), Image.new("RGB", (9, 9), "red")
    assert [plot2code_rating(judge(s), white, red) for s in (0.0, 0.55, 1.0)] == [1.0, 5.5, 10.0]
    assert all(math.isnan(plot2code_rating(*case)) for case in (
        (judge(1.0), red, white), (judge(1.0), red, None), (judge(math.nan), white, red)))
