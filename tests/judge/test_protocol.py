"""One property of `as_judge` or `stop_where_none_scored` per test: to write a judge, and to get it wrong.

Left out: what a particular judge scores.
"""
import copy
import functools
import math

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.judge import (
    Fallback,
    JudgeStopped,
    PixelJudge,
    Verdict,
    VLMJudge,
    as_judge,
    stop_where_none_scored,
)
from rrvf_lab.judge import judge as pixel_judge

A, B = Image.new("RGB", (8, 6), "white"), Image.new("RGB", (8, 6), "red")
ERROR = "Traceback\nNameError: name 'ax' is not defined"


def alike(target, image):
    return 0.25


# ---- what is called, and with what -------------------------------------------------------------------------

def test_a_function_of_two_pictures_gives_a_verdict():
    verdict = as_judge(alike)(A, B)
    assert verdict == Verdict(0.25, "", {}, "alike gave 0.250.")


def test_a_function_of_two_is_not_asked_where_nothing_was_drawn():
    def asked(target, image):
        raise AssertionError

    assert as_judge(asked)(A, None, ERROR) == Verdict.no_picture(ERROR)
    assert as_judge(asked)(A, None).score == 0


def by_third(target, image, trouble):
    return 0.5 if trouble == ERROR else 0.75


def by_name(target, image, *, error=None):
    return 0.5 if error == ERROR else 0.75


def by_name_in_the_middle(target, image, sharp=True, error=None):
    return (0.5 if error == ERROR else 0.75) if sharp is True else 0.0


def by_position_alone(target, image, trouble, /):
    return by_third(target, image, trouble)


def with_any_more(*given):
    return by_third(*given)


class Method:
    def score(self, target, image, error=None):
        return by_third(target, image, error)


TOLD = [by_third, by_name, by_name_in_the_middle, by_position_alone, with_any_more, Method().score,
        functools.partial(by_name, error=None)]


@pytest.mark.parametrize("function", TOLD)
def test_a_function_that_takes_the_error_is_told_it_and_asked_without_a_picture(function):
    judge = as_judge(function)
    assert judge(A, None, ERROR).score == 0.5 and judge(A, B).score == 0.75


def test_a_third_argument_with_a_default_is_the_functions_own():
    def strict(target, image, weight=0.5):
        return weight

    assert as_judge(strict)(A, B, ERROR).score == 0.5
    assert as_judge(strict)(A, None, ERROR).feedback.startswith("Failed")


def test_what_has_no_signature_is_asked_about_two_pictures():
    assert as_judge(max)  # a builtin
    assert as_judge(np.hypot)(0.3, 0.4).score == pytest.approx(0.5)


def test_an_object_that_is_called_is_a_judge():
    class Mine:
        def __call__(self, target, image):
            return 1

    assert as_judge(Mine())(A, A) == Verdict(1.0, "", {}, "Mine gave 1.000.")


@pytest.mark.parametrize("judge", [PixelJudge(), pixel_judge, Fallback(alike), VLMJudge("m", "http://localhost:1/v1")])
def test_a_whole_judge_passes_unchanged(judge):
    assert as_judge(judge) is judge


def test_a_judge_once_made_passes_unchanged():
    judge = as_judge(alike)
    assert as_judge(judge) is judge


# ---- what is refused ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong", [None, 0.5, "PixelJudge", PixelJudge, Verdict(1.0, "")])
def test_what_cannot_be_called_with_two_pictures_is_refused_in_words(wrong):
    with pytest.raises(TypeError, match=r"called with \(target, image\).*such as PixelJudge\(\)"):
        as_judge(wrong)


@pytest.mark.parametrize("wrong", [lambda: 1, lambda target: 1, lambda a, b, c, d: 1, lambda a, *, error: 1,
                                   lambda a, b, *, weight: 1])
def test_a_function_of_another_number_of_arguments_is_refused_before_it_is_asked(wrong):
    with pytest.raises(TypeError, match=r"takes \(target, image\) or \(target, image, error\), not \("):
        as_judge(wrong)


# ---- what it returns ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("said", [0, 1, True, 0.5, np.float32(0.5), np.float64(0.5), np.int64(1),
                                  np.array(0.5)])
def test_every_kind_of_number_counts(said):
    verdict = as_judge(lambda target, image: said)(A, B)
    assert verdict.score == float(said) and type(verdict.score) is float


def test_a_verdict_passes_as_it_is():
    verdict = Verdict(0.5, "Too wide.", {"width": 0.5}, "measured")
    assert as_judge(lambda target, image: verdict)(A, B) is verdict


@pytest.mark.parametrize("said", [math.nan, np.float32("nan")])
def test_nan_is_unscored_with_the_judges_name(said):
    def lost(target, image):
        return said

    verdict = as_judge(lost)(A, B)
    assert math.isnan(verdict.score) and verdict.reason == "judge: lost gave NaN"


@pytest.mark.parametrize("said", [-0.01, 1.01, 42, math.inf, -math.inf])
def test_a_number_outside_the_scale_is_refused_with_a_way_out(said):
    with pytest.raises(ValueError, match=r"the judge <lambda> returned .*outside \[0, 1\]; scale it"):
        as_judge(lambda target, image: said)(A, B)


@pytest.mark.parametrize("said", [None, "0.5", "alike", [0.5], {"score": 0.5}, (0.5, "close"), 1j,
                                  np.array([0.5, 0.5])])
def test_what_is_no_number_is_refused_with_what_it_was(said):
    with pytest.raises(TypeError, match="the judge <lambda> returned .*; return a number in"):
        as_judge(lambda target, image: said)(A, B)


def test_the_functions_own_error_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        as_judge(lambda target, image: 1 / 0)(A, B)


# ---- what else it has --------------------------------------------------------------------------------------

class Served:
    model, concurrency = "tiny", 4

    def __call__(self, target, image):
        return 0.5

    def map(self, pairs):
        return [Verdict(0.5, "") for _ in pairs]


def test_what_else_a_judge_has_is_still_there():
    judge = as_judge(Served())
    assert (judge.model, judge.concurrency, len(judge.map([(A, B)] * 3))) == ("tiny", 4, 3)
    assert judge.__name__ == "Served" and not hasattr(judge, "fresh")
    with pytest.raises(AttributeError, match="fresh"):
        _ = judge.fresh


def test_a_judge_can_be_copied():
    for twin in (copy.copy(as_judge(Served())), copy.deepcopy(as_judge(Served()))):
        assert twin(A, B).score == 0.5 and twin.concurrency == 4


# ---- stopping ----------------------------------------------------------------------------------------------

DOWN, GOOD = Verdict.unscored("no answer in 30.2 s"), Verdict(0.5, "")


def test_a_judge_that_fails_alike_on_all_pictures_stops_with_its_own_words():
    with pytest.raises(JudgeStopped, match="on all 2 pictures.*judge: no answer in 30.2 s"):
        stop_where_none_scored([DOWN, DOWN])


def test_reasons_that_differ_in_numbers_alone_are_alike():
    with pytest.raises(JudgeStopped):
        stop_where_none_scored([DOWN, Verdict.unscored("no answer in 31 s")])


@pytest.mark.parametrize("verdicts", [[], [DOWN], [DOWN, GOOD], [DOWN, DOWN, GOOD], [GOOD, GOOD],
                                      [DOWN, Verdict.unscored("half an answer")]])
def test_one_score_or_two_reasons_or_too_few_pictures_go_on(verdicts):
    stop_where_none_scored(verdicts)


def test_how_many_pictures_are_too_few_is_the_callers():
    stop_where_none_scored([DOWN] * 3, least=4)
    with pytest.raises(JudgeStopped):
        stop_where_none_scored([DOWN], least=1)


# ---- verdicts ----------------------------------------------------------------------------------------------

def test_a_program_without_a_picture_gets_zero_and_its_last_line():
    assert Verdict.no_picture(ERROR).feedback == "Failed: NameError: name 'ax' is not defined"
    assert Verdict.no_picture().feedback == "Failed: no picture was drawn"
    assert len(Verdict.no_picture("x" * 500).feedback) == len("Failed: ") + 120


def test_an_unscored_verdict_names_the_exception():
    assert Verdict.unscored(KeyError("score")).reason == "judge: KeyError: 'score'"
