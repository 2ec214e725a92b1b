"""Two pictures as one show what their legend says, at the target's size."""
import pytest
from hostile import BLUE, RED
from PIL import Image

from rrvf_lab.show.superpose import HOW, LEGEND, superpose


@pytest.mark.parametrize("how", HOW)
def test_the_picture_has_the_targets_size_and_shows_a_difference(how):
    other = Image.new("RGB", (31, 77), "blue")
    other.paste("red", (5, 5, 20, 50))
    assert superpose(BLUE, other, how).size == BLUE.size and LEGEND[how]
    assert superpose(BLUE, other, how).tobytes() != superpose(BLUE, BLUE, how).tobytes()


def test_wipe_overlay_and_heat_map_show_what_they_say():
    wiped = superpose(BLUE, RED, "wipe", 50)
    assert wiped.getpixel((5, 5)) == (0, 0, 255) and wiped.getpixel((55, 5)) == (255, 0, 0)
    assert superpose(BLUE, RED, "overlay", 0).tobytes() == BLUE.tobytes()
    assert superpose(BLUE, RED, "overlay", 100).tobytes() == RED.tobytes()
    assert superpose(RED, RED, "heat map").getcolors() == [(2400, (255, 255, 255))]
    assert superpose(RED, BLUE, "heat map").getpixel((3, 3)) == (90, 0, 10)


def test_another_word_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'xray'.*difference, overlay, wipe, heat map"):
        superpose(RED, BLUE, "xray")
