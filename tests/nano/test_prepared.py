"""A picture that was prepared for the model is not prepared again, and nothing but time tells the
difference."""
import copy
import pickle

import numpy as np
import pytest
from makers import maker
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from rrvf_lab.nano import prepared
from rrvf_lab.nano.prepared import Kept, prepare_each_once
from rrvf_lab.talk import opening


def qwen():
    return Qwen2VLImageProcessorPil(patch_size=14, temporal_patch_size=2, merge_size=2)


def letterbox():
    return maker("nano/parts").build_processor().image_processor


def noise(*sizes):
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (high, wide, 3), np.uint8)) for wide, high in sizes]


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(prepared, "KEPT", Kept(prepared.ROOM))
    return prepared.KEPT


@pytest.mark.parametrize("make", [qwen, letterbox])
def test_what_is_prepared_once_is_what_stock_prepares(make, kept):
    a, b, c = noise((80, 60), (120, 90), (60, 80))
    pictures, stock = [a, b, a.copy(), c, b.convert("L")], make()
    ours = prepare_each_once(make())(images=pictures, return_tensors="pt")
    assert len(kept.made) == 3 and type(prepare_each_once(make())).__name__ == type(stock).__name__
    for name, value in stock(images=pictures, return_tensors="pt").items():
        assert ours[name].dtype == value.dtype and ours[name].equal(value)


def test_the_template_and_the_image_processor_share_what_was_prepared(kept):
    processor = maker("nano/parts").build_processor()
    prepare_each_once(processor.image_processor)
    picture, = noise((80, 60))
    processor.apply_chat_template([opening(picture, "matplotlib", 3)], tokenize=True, return_dict=True)
    processor.image_processor(images=[picture], return_tensors="pt")
    assert len(kept.made) == 1


def test_a_picture_painted_on_and_another_size_are_prepared_anew(kept):
    images, (picture,) = prepare_each_once(qwen()), noise((400, 300))
    before = images(images=[picture])["pixel_values"]
    picture.paste("red", (0, 0, 200, 200))
    assert not np.array_equal(images(images=[picture])["pixel_values"], before)
    images.size["longest_edge"] = 40_000
    assert len(images(images=[picture])["pixel_values"]) < len(before)


def test_what_is_kept_is_bounded_and_what_was_asked_for_last_stays(kept):
    images, (a, b, c) = prepare_each_once(qwen()), noise((56, 56), (56, 56), (56, 56))
    images(images=[a])
    kept.room = 2 * kept.size
    for picture in (b, a, c):
        images(images=[picture])
    assert kept.size <= kept.room and [key[1] for key in kept.made] == [
        prepared.fingerprint(picture) for picture in (a, c)]


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda images: pickle.loads(pickle.dumps(images))])
def test_it_can_be_copied_and_sent_to_another_process(kept, twin):
    images, (picture,) = prepare_each_once(qwen()), noise((80, 60))
    images.size["longest_edge"] = 3_200
    other = twin(images)
    assert np.array_equal(other(images=[picture])["pixel_values"], images(images=[picture])["pixel_values"])
    assert type(other) is type(images) and len(kept.made) == 1
    other.size["longest_edge"] = 40_000
    assert images.size["longest_edge"] == 3_200


def test_nothing_is_kept_where_there_is_no_room(kept):
    kept.room = 0
    images, (picture,) = prepare_each_once(qwen()), noise((56, 56))
    assert len(images(images=[picture, picture])["pixel_values"]) and not kept.made and not kept.size
