"""Design2Code's scores: against the values of the official code, and one property a test."""
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.benchmarks.blocks import Block, find_blocks, joined, marked, pair
from rrvf_lab.benchmarks.design2code import FAILED, Clip, Pages, block_scores, page_as_harness, page_score
from rrvf_lab.render.chromium import PageError

HERE = Path(__file__).parents[1] / "pairs" / "pages"
OFFICIAL = json.loads((HERE / "official.json").read_text())["pairs"]


def block(text, x=0.0, y=0.0, w=0.2, h=0.1, color=(0, 0, 0)):
    return Block(text, (x, y, w, h), color)


def test_equal_blocks_score_one():
    page = [block("first words", y=0.1), block("second words", y=0.5, color=(200, 10, 10))]
    scores, _ = block_scores(page, list(page))
    assert (scores.block, scores.text, scores.position, scores.color) == (1, 1, 1, 1)
    assert math.isnan(scores.total)


def test_no_blocks_or_nothing_alike_scores_zero():
    for candidate in ([], [block("123456")]):
        scores, _ = block_scores(candidate, [block("abcdef")])
        assert (scores.block, scores.text, scores.position, scores.color) == (0, 0, 0, 0)


def test_unpaired_area_lowers_the_block_score_alone():
    page = [block("first words", y=0.1), block("second words", y=0.5)]
    scores, _ = block_scores([*page, block("zzzz", w=0.4)], page)
    assert scores.block == pytest.approx(0.08 / 0.12) and scores.text == 1


def test_position_is_the_larger_shift():
    scores, _ = block_scores([block("here it is", x=0.3, y=0.1)], [block("here it is")])
    assert scores.position == pytest.approx(0.7)


def test_a_split_line_is_merged_again():
    whole = [block("the quick brown fox jumps over the dog", w=0.8), block("and stays", y=0.5)]
    split = [block("the quick brown fox", w=0.4), block("jumps over the dog", x=0.4, w=0.4),
             block("and stays", y=0.5)]
    for one, other in ((split, whole), (whole, split)):
        ours, theirs, pairs = pair(one, other)
        assert len(ours) == len(theirs) == len(pairs) == 2 and all(ratio == 1 for _, _, ratio in pairs)
    assert block_scores(split, whole)[0].position == pytest.approx(1)


def test_the_input_lists_stay_as_they_are():
    split = [block("the quick brown fox", w=0.4), block("jumps over the dog", x=0.4, w=0.4)]
    before = list(split)
    pair(split, [block("the quick brown fox jumps over the dog")])
    assert split == before


def test_equal_boxes_become_one_block():
    one, = joined([block("a", color=(0, 0, 10)), block("b", color=(10, 0, 0))])
    assert one.text == "a b" and one.color == (5, 0, 5)


def test_text_is_what_moved_by_the_shift_and_has_its_markers_colour():
    page, first, second = (np.full((20, 40, 3), 255) for _ in range(3))
    page[4:8, 10:20] = (30, 60, 90)
    first[4:8, 10:20], second[4:8, 10:20] = (250, 250, 234), (44, 44, 28)
    first[15, 15] = (250, 250, 234)                       # the marker's colour, but it did not move
    found, = find_blocks(page, first, second, [("Hi", "#FAFAEA"), ("nowhere", "#0A0A0A")])
    assert found.text == "hi" and found.color == (30, 60, 90)
    assert found.box == pytest.approx((10 / 40, 4 / 20, 10 / 40, 4 / 20))


def test_drawings_of_unequal_size_have_no_blocks():
    page, lower = np.zeros((9, 9, 3)), np.zeros((8, 9, 3))
    assert find_blocks(page, page, lower, [("x", "#FAFAFA")]) == []


def test_every_text_element_has_its_own_marker():
    page, texts = marked("<body><p>one</p><div>two <b>three</b> four</div><label>five</label></body>")
    assert [t for t, _ in texts] == ["one", "two", "three", "four", "five"]
    assert len({c for _, c in texts[:3]}) == 3 and texts[1][1] == texts[3][1] and texts[4][1] == "#000000"
    assert texts[0][1] == "#FAFAFA" and "color: #FAFAFA !important" in page


def test_more_elements_than_markers_is_an_error_in_words():
    with pytest.raises(ValueError, match="5000 text elements; the metric has only 4096"):
        marked("<body>" + "<p>x</p>" * 5000 + "</body>")


def test_the_harness_repairs_a_candidate():
    assert page_as_harness("<p>x") == "<html><body><p><p>x</p></p></body></html>"
    assert page_as_harness("<html><body>" + "<i>y</i>" * 60 + "</body></html>").count("<i>") == 50
    kept = "<html><body><p>A garden that opens in spring.</p></body></html>"
    assert page_as_harness(kept) == kept
    line = "The same words again and again from a model that lost its way, they never seem to come to end. "
    assert len(page_as_harness(f"<html><body><p>{line * 30}</p></body></html>")) < 10 * len(line)


@pytest.mark.slow
def test_missing_weights_are_one_line_that_says_what_to_run():
    with pytest.warns(UserWarning, match="CLIP is skipped.*hf download nobody/no-such-clip") as caught:
        assert Clip.load("nobody/no-such-clip", mask=False) is None
    assert "\n" not in str(caught[0].message)


@pytest.mark.slow
def test_clip_by_any_name_finds_equal_pages_equal(tmp_path):
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    small = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    config = CLIPConfig(text_config=small | {"vocab_size": 64, "max_position_embeddings": 8},
                        vision_config=small | {"image_size": 32, "patch_size": 16}, projection_dim=8)
    CLIPModel(config).save_pretrained(tmp_path)
    crop = {"height": 32, "width": 32}
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=crop).save_pretrained(tmp_path)
    clip = Clip(tmp_path, mask=False)
    red, noise = Image.new("RGB", (60, 40), "red"), Image.effect_noise((60, 40), 90)
    assert clip(red, [], red, []) == pytest.approx(1, abs=1e-5)
    assert clip(red, [], noise, []) < 0.9999


def test_clip_takes_part_in_the_total():
    class FakePages:
        def html(self, page):
            return Image.new("RGB", (40, 20), "white")

    seen = []

    def clip(*asked):
        seen.append(asked)
        return 0.5

    scores = page_score("<body><p>a</p></body>", "<body><p>a</p></body>", FakePages(), clip=clip)
    assert scores.clip == 0.5 and scores.total == pytest.approx(0.1) and len(seen) == 1


def test_a_candidate_that_cannot_be_drawn_counts_as_white():
    class FakePages:
        def html(self, page):
            if "bad" in page:
                raise PageError("no picture")
            return Image.new("RGB", (40, 20), "white")

    sizes, page = [], "<body><p>a</p></body>"
    scores = page_score(page, "bad", FakePages(), clip=lambda image, *_: sizes.append(image.size) or 0.6)
    assert scores.error == "no picture" and scores.block == 0 and sizes == [FAILED]
    with pytest.raises(PageError):
        page_score("bad", "<p>a</p>", FakePages())


@pytest.mark.slow
@pytest.mark.browser
def test_all_pages_score_as_the_official_code():
    assert len(OFFICIAL) >= 15
    with Pages(pages=1) as pages:
        for name, expected in OFFICIAL.items():
            scores = page_score(*(HERE / f"{name}.html").read_text().split("<!-- candidate -->\n"), pages)
            ours = [scores.block, scores.text, scores.position, scores.color]
            assert np.allclose(ours, expected, rtol=0, atol=1e-6), name


@pytest.mark.slow
@pytest.mark.browser
def test_pages_are_drawn_whole_in_the_harness_viewport():
    with Pages(pages=1) as pages:
        assert pages.html("<p>short").size == (1280, 720)
        assert pages.html('<body style="margin:0"><div style="height:2000px"></div>').size == (1280, 2000)
