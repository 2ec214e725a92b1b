"""One property of the judge audit per test: it must find each fault that a judge was given on purpose.

Left out: judges behind an endpoint (test_vlm.py); here a judge is a function of two small pictures.
"""
import functools
import itertools
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from rrvf_lab.judge import PixelJudge, Verdict, agreement
from rrvf_lab.judge import audit as audit_with_hacks
from rrvf_lab.judge.spoilings import RUNGS, TRAPS, spoil

audit = functools.partial(audit_with_hacks, hacks=False)  # their programs are test_zoo.py's
TEST = Path(__file__).parents[2] / "data" / "charts" / "test"


def bars(*heights, colour="teal"):
    image = Image.new("RGB", (80, 60), "white")
    for i, height in enumerate(heights):
        ImageDraw.Draw(image).rectangle((10 + 15 * i, 55 - 5 * height, 20 + 15 * i, 55), fill=colour)
    return image


TARGETS = [bars(2, 8, 5, 1), bars(9, 3, 3, 6, colour="red"), bars(4, 4, 9, 2, colour="orange")]


def closeness(target, image):
    """1 - mean absolute difference: falls along the ladders, but a blank page keeps most of it."""
    a, b = (np.asarray(p.convert("RGB").resize(target.size), float) for p in (target, image))
    return 1 - float(np.abs(a - b).mean()) / 255


def ssim(target, image):
    from skimage.metrics import structural_similarity
    a, b = (np.asarray(p.resize(target.size).convert("L")) for p in (target, image))
    return max(0.0, float(structural_similarity(a, b)))


@functools.cache
def charts():
    images = [Image.open(path).convert("RGB") for path in sorted(TEST.glob("*.png"))[:4]]
    for image in images:
        image.thumbnail((240, 240), Image.Resampling.LANCZOS)
    return images


@functools.cache
def pixel_audit():
    return audit(PixelJudge(), charts(), other=ssim)


def test_plain_ssim_fails_the_blank_trap_and_the_pixel_judge_passes():
    found, ours = audit(ssim, charts()), pixel_audit()
    assert found.traps["blank"]["mean"] > 0.5 and any(f.startswith("trap blank") for f in found.failures)
    assert ours.traps["blank"]["max"] < 0.05 and ours.passed


def test_the_pixel_judge_falls_along_every_ladder():
    assert min(ladder["worst"] for ladder in pixel_audit().ladders.values()) >= 0.8


def test_there_are_ten_rungs_or_more_and_each_spoils_more_than_the_one_before():
    assert sum(map(len, RUNGS.values())) >= 10
    for target, name in itertools.product(TARGETS, ("noise", "blur", "cover")):
        scores = [closeness(target, spoil(target, name, amount)) for amount in RUNGS[name]]
        assert scores == sorted(scores, reverse=True) and scores[0] < 1, name


def test_shift_and_scale_move_what_is_drawn_by_the_amount():
    def box(image):
        drawn = ImageChops.invert(image).point(lambda v: 255 * (v > 100))  # resampling leaves faint rims
        return drawn.getbbox()

    left, top, right, bottom = box(TARGETS[0])
    assert box(spoil(TARGETS[0], "shift", 0.1)) == (left + 8, top, right + 8, bottom)
    half = box(spoil(TARGETS[0], "scale", 0.5))
    assert half[2] - half[0] == pytest.approx((right - left) / 2, abs=3)
    assert (half[0] + half[2]) / 2 == pytest.approx(40 + ((left + right) / 2 - 40) / 2, abs=2)


@pytest.mark.parametrize("colour, degrees", [("red", 0), ("lime", 120), ("blue", 240)])
def test_a_third_of_a_turn_changes_the_hue_by_120_degrees(colour, degrees):
    import colorsys
    turned = spoil(Image.new("RGB", (4, 4), colour), "hue", 1 / 3).getpixel((0, 0))
    assert abs(360 * colorsys.rgb_to_hsv(*turned)[0] - (degrees + 120) % 360) % 360 < 5


def test_a_judge_that_sees_the_ladder_backwards_gets_tau_minus_one():
    found = audit(lambda a, b: 1 - closeness(a, b), TARGETS)
    assert found.ladders["cover"]["mean"] == pytest.approx(-1) and not found.passed


def test_a_judge_that_always_says_the_same_has_tau_zero_not_nan():
    found = audit(lambda a, b: 0.7, TARGETS)
    assert {ladder["mean"] for ladder in found.ladders.values()} == {0.0} and not found.passed


def test_the_worst_target_of_a_ladder_is_named():
    found = audit(lambda a, b: 0.5 if a == TARGETS[1] else closeness(a, b), TARGETS)
    assert (found.ladders["cover"]["target"], found.ladders["cover"]["worst"]) == (1, 0.0)
    assert found.ladders["cover"]["mean"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_judge_that_is_fooled_by_one_trap_is_told_which(trap):
    def fooled(target, image):
        seen.append(image)
        return 1.0 if len(seen) % 33 == at else 0.0

    seen, at = [], (25 + TRAPS.index(trap) + 1) % 33  # the target, 24 rungs, then the traps in order
    found = audit(fooled, TARGETS)
    assert [name for name in TRAPS if found.traps[name]["mean"] > 0.9] == [trap]
    assert any(failure.startswith(f"trap {trap}") for failure in found.failures)


def test_the_traps_are_what_they_say():
    shown = {}

    def note(target, image):
        if target == TARGETS[0]:
            shown[len(shown)] = image
        return 0.0

    audit(note, TARGETS, repeats=0)
    traps = dict(zip(TRAPS, [shown[i] for i in range(25, 33)], strict=True))
    assert len(traps["blank"].getcolors()) == len(traps["solid"].getcolors()) == 1
    assert traps["blank"].getpixel((0, 0)) == (255, 255, 255) != traps["solid"].getpixel((0, 0))
    assert traps["unrelated"] == TARGETS[1]
    assert traps["mirrored"].getpixel((79 - 12, 50)) == TARGETS[0].getpixel((12, 50)) == (0, 128, 128)
    assert len(traps["mosaic"].getcolors(9999)) <= 16 * 12 and len(traps["noise"].getcolors(9999)) > 4000
    assert (np.asarray(traps["axes"]) < 90).any() and (np.asarray(traps["axes"]) > 250).mean() > 0.5
    assert {trap.size for trap in traps.values()} == {(80, 60)}


def test_a_picture_that_beats_the_target_itself_is_a_failure():
    found = audit(lambda a, b: 0.9 if a == b else 0.95, TARGETS)
    assert found.identity["beaten"] == 3 and found.identity["min"] == 0.9
    assert any("beats the target" in failure for failure in found.failures)


def test_repeats_show_a_judge_that_wavers():
    wave = itertools.cycle([0.0, 0.1, 0.3])
    assert audit(lambda a, b: next(wave), TARGETS[:2]).repeat == pytest.approx(0.3)
    assert audit(closeness, TARGETS[:2]).repeat == 0.0


def test_repeats_go_around_the_judges_cache():
    class Cached:
        def __call__(self, a, b):
            return 0.5

        def fresh(self):
            return lambda a, b: next(wave)

    wave = itertools.cycle([0.0, 0.2, 0.4])
    assert audit(Cached(), TARGETS[:2]).repeat > 0.1


def test_the_order_of_the_pair_is_tried():
    def first_has_more_ink(target, image):
        return float(ImageChops.invert(target).convert("L").getbbox() == (10, 15, 66, 56)) / 2

    assert audit(closeness, TARGETS).asymmetry["max"] < 1e-9
    assert audit(first_has_more_ink, TARGETS).asymmetry["max"] == 0.5


def test_rank_correlation_with_another_judge():
    same = audit(closeness, TARGETS, other=lambda a, b: closeness(a, b) ** 3).agreement
    turned = audit(closeness, TARGETS, other=lambda a, b: 1 - closeness(a, b)).agreement
    assert same["all"] == pytest.approx(1) and same["within"] == pytest.approx(1)
    assert turned["all"] == pytest.approx(-1)
    assert math.isnan(audit(closeness, TARGETS, other=lambda a, b: 0.5).agreement["all"])
    assert audit(closeness, TARGETS).agreement is None


def test_unscored_and_crashing_judges_are_counted_and_quoted_not_raised():
    def crashing(target, image):
        raise RuntimeError("no weights")

    for judge, why in ((crashing, "RuntimeError: no weights"), (lambda a, b: None, "TypeError"),
                       (lambda a, b: Verdict(math.nan, "", reason="judge: down"), "judge: down")):
        found = audit(judge, TARGETS[:2])
        assert found.unscored == 2 * (33 + 3 + 2) and why in found.why and why in str(found)
        assert not found.passed and math.isnan(found.ladders["blur"]["mean"])


def test_one_missing_score_does_not_hide_the_others():
    found = audit(lambda a, b: math.nan if a == b else closeness(a, b), TARGETS)
    assert found.unscored == 3 and found.ladders["cover"]["mean"] == 1.0
    assert math.isnan(found.identity["mean"])


def test_what_leaves_a_gray_picture_as_it_is_does_not_count_as_a_spoiling():
    found = audit(closeness, [bars(2, 8, 5, colour="gray"), bars(7, 1, 4, colour="gray")])
    assert math.isnan(found.ladders["hue"]["mean"])
    assert not any("hue" in failure for failure in found.failures)


def test_a_nearly_symmetric_picture_is_no_mirrored_trap():
    plain = Image.new("RGB", (80, 60), "white")
    plain.paste("teal", (20, 10, 64, 50))  # two pixels off the middle
    found = audit(lambda a, b: 0.9, [plain, bars(2, 8, 5, 1)])
    rows = [row["target"] for row in found.rows if row["name"] == "mirrored"]
    assert rows == [1]


def test_a_judge_that_maps_is_given_all_pairs_at_once():
    class Many:
        sizes = []

        def __call__(self, target, image):
            raise AssertionError("asked one by one")

        def map(self, pairs):
            self.sizes.append(len(pairs))
            return [Verdict(closeness(*pair), "") for pair in pairs]

    assert audit(Many(), TARGETS).ladders == audit(closeness, TARGETS).ladders
    assert Many.sizes == [99, 9, 6]


def test_an_audit_repeats_number_for_number():
    one, two = (audit(closeness, TARGETS, seed=5) for _ in range(2))
    assert one.rows == two.rows or str(one) == str(two)
    assert one.traps["noise"] == two.traps["noise"] != audit(closeness, TARGETS, seed=6).traps["noise"]


def test_one_target_is_refused_in_words():
    with pytest.raises(ValueError, match="at least 2 targets"):
        audit(closeness, TARGETS[:1])


def test_an_audit_in_words_has_a_line_for_everything_that_was_tried():
    found = pixel_audit()
    lines = str(found).splitlines()
    assert lines[0] == found.summary and "passed" in lines[0] and found.missing == ""
    assert [line.split(" | ")[0].strip() for line in lines[1:]] == [row[0] for row in found.table()]
    assert [row[0] for row in found.table()] == [
        *(f"ladder {name}" for name in RUNGS), *(f"trap {name}" for name in TRAPS), "identity", "repeat",
        "order of the pair", "with ssim"]


def test_the_pictures_of_an_audit_are_the_first_target_and_its_traps_with_their_scores():
    found = pixel_audit()
    assert list(found.pictures) == ["target", *TRAPS] and max(found.pictures["target"][0].size) <= 160
    scores = {row["name"]: row["score"] for row in found.rows
              if row["target"] == 0 and row["kind"] in ("same", "trap")}
    assert {name: score for name, (_, score) in found.pictures.items()} == scores


def test_the_plot_of_an_audit_has_a_third_panel_for_another_judge_alone():
    assert len(pixel_audit().plot().axes) == 3 and len(audit(closeness, TARGETS[:2]).plot().axes) == 2


def test_a_judge_outside_the_scale_is_unscored_and_told_so():
    found = audit(lambda a, b: 7 * closeness(a, b), TARGETS[:2])
    assert found.unscored and "outside [0, 1]" in found.why and "outside [0, 1]" in found.missing


def test_what_is_no_judge_is_refused_before_anything_is_spoilt():
    with pytest.raises(TypeError, match="a judge is called with"):
        audit("SSIM", TARGETS)


def test_agreement_of_two_judges():
    same = agreement([0.1, 0.5, 0.9], [0.2, 0.4, 0.8])
    assert same == {"n": 3, "gap": pytest.approx(0.1), "tau": pytest.approx(1.0)}
    assert agreement([0.1, 0.9], [0.9, 0.1])["tau"] == pytest.approx(-1)


def test_agreement_needs_two_pairs_for_a_rank_and_as_many_scores_of_each():
    assert math.isnan(agreement([0.1], [0.9])["tau"]) and math.isnan(agreement([], [])["gap"])
    with pytest.raises(ValueError):
        agreement([0.1, 0.2], [0.1])


@pytest.mark.slow
def test_an_image_dataset_is_taken_as_it_comes():
    from rrvf_lab.data import load_images
    assert audit(closeness, load_images(TEST).select(range(2))).n == 2


def test_auditing_leaves_no_open_figures_and_no_threads():
    import matplotlib.pyplot as plt
    before = len(plt.get_fignums()), threading.active_count()
    audit(closeness, TARGETS).plot()
    assert (len(plt.get_fignums()), threading.active_count()) == before
