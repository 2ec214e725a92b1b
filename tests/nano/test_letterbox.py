"""What nano sees of a picture: one grid of patches, sides kept between gray bars, white paper is zero."""
import numpy as np
import pytest
from makers import maker
from PIL import Image

from rrvf_lab.nano import processor as preparing
from rrvf_lab.nano.processor import HEIGHT, IMAGE_TOKENS, MERGE, PATCH, WIDTH

GRAY = (preparing.GRAY - 255) / 100  # in the model's numbers, where white is 0 and black -2.55


@pytest.fixture(scope="module")
def processor():
    return maker("nano/parts").build_processor()


def seen(processor, *pictures):
    """What the model is shown, height x width x 3 for each picture."""
    found = processor.image_processor(images=list(pictures), return_tensors="np")
    assert found["image_grid_thw"].tolist() == [[1, HEIGHT // PATCH, WIDTH // PATCH]] * len(pictures)
    blocks = HEIGHT // PATCH // MERGE, WIDTH // PATCH // MERGE, MERGE, MERGE, 3, PATCH, PATCH
    patches = found["pixel_values"].reshape(-1, *blocks)
    return patches.transpose(0, 1, 3, 6, 2, 4, 7, 5).reshape(-1, HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(("size", "box"), [
    ((400, 300), (0, 0, 256, 192)), ((64, 48), (0, 0, 256, 192)), ((300, 300), (32, 0, 224, 192)),
    ((600, 400), (0, 10, 256, 181)), ((480, 400), (13, 0, 243, 192)), ((90, 300), (99, 0, 157, 192)),
    ((3000, 2), (0, 95, 256, 96))])
def test_a_picture_keeps_its_sides_between_gray_bars(processor, size, box):
    picture, = seen(processor, Image.new("RGB", size, "red"))
    left, top, right, bottom = box
    inside = picture[top:bottom, left:right]
    assert np.allclose(inside, [0, -2.55, -2.55], atol=1e-6)
    picture[top:bottom, left:right] = GRAY
    assert np.allclose(picture, GRAY)


def test_what_is_square_stays_square(processor):
    wide = Image.new("RGB", (600, 300), "white")
    wide.paste("black", (200, 50, 400, 250))
    ys, xs = np.where(seen(processor, wide)[0].sum(2) < -5)
    assert np.ptp(ys) == np.ptp(xs) > 80


def test_white_paper_is_zero_and_a_picture_is_so_many_tokens(processor):
    assert not seen(processor, Image.new("RGB", (400, 300), "white")).any()
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}]
    text = processor.apply_chat_template(asked, add_generation_prompt=True)
    batch = processor(text=text, images=[Image.new("RGB", (500, 300))], return_tensors="pt")
    assert (batch["input_ids"] == processor.image_token_id).sum() == IMAGE_TOKENS == 48
