"""One way from a picture to its pixels: policy, judge, recording and widget see the same RGB.

Every kind is one scene: a red square and a gray one on white paper; without colours both are gray.
"""
import base64
import io
import re

import numpy as np
import pytest
from painting import Listener, Painter
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.endpoint.client import pack
from rrvf_lab.leaves.pictures import decoded, rgb
from rrvf_lab.show.html import picture as shown_picture
from rrvf_lab.talk import write_turn

PAPER, RED, GRAY = (255, 255, 255), (204, 0, 0), (51, 51, 51)


def scene(red=RED, paper=PAPER, gray=GRAY):
    """A 40 x 30 array of the scene; colours are tuples of any length or numbers."""
    pixels = np.empty((30, 40, np.size(paper)), np.float64)
    pixels[:], pixels[4:14, 4:14], pixels[16:26, 20:36] = paper, red, gray
    return pixels


def array(dtype=np.uint8, scale=1.0, **colours):
    return (scene(**colours) * scale).squeeze().astype(dtype)


def file(image, form="PNG", **options):
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


COLOUR, DULL = array(), array(red=102, paper=255, gray=51)
RGBA = array(red=(*RED, 255), paper=(0, 0, 0, 0), gray=(0, 0, 0, 204))  # clear black, as tools write
EXIF = Image.Exif()
EXIF[0x0112] = 6  # to be turned a quarter clockwise
TURNED = Image.fromarray(COLOUR).transpose(Image.Transpose.ROTATE_90)
PALETTE = Image.fromarray(COLOUR).quantize(4)


def clear_palette():
    """A palette picture whose paper is a transparent black."""
    image = Image.fromarray(array(red=1, paper=0, gray=2), "P")
    image.putpalette([0, 0, 0, *RED, *GRAY])
    return image


def dull(image, **options):
    return file(image, **options), DULL


# kind: (a file's bytes, the gray or RGB levels that everybody must see)
FILES = {
    "rgb": (file(Image.fromarray(COLOUR)), COLOUR),
    "jpeg": (file(Image.new("RGB", (40, 30), GRAY), "JPEG"), np.full((30, 40), 51)),
    "gray": dull(Image.fromarray(DULL)),
    "16-bit png": dull(Image.fromarray(array(np.uint16, 257, red=102, paper=255, gray=51))),
    "16-bit tiff": dull(Image.fromarray(array(np.uint16, 257, red=102, paper=255, gray=51)), form="TIFF"),
    "16-bit png, dark": (file(Image.fromarray(np.full((30, 40), 51 * 257, np.uint16))),
                         np.full((30, 40), 51)),
    "16-bit png, clear paper": dull(Image.fromarray(array(np.uint16, 257, red=102, paper=0, gray=51)),
                                    transparency=0),
    "32-bit tiff": dull(Image.fromarray(array(np.int32, red=102, paper=255, gray=51)), form="TIFF"),
    "float tiff": dull(Image.fromarray(array(np.float32, 1 / 255, red=102, paper=255, gray=51)), form="TIFF"),
    "float tiff to 255": dull(Image.fromarray(array(np.float32, red=102, paper=255, gray=51)), form="TIFF"),
    "1 bit": (file(Image.fromarray(DULL).point(lambda v: 255 * (v > 60), "1")),
              array(red=255, paper=255, gray=0)),
    "rgba": (file(Image.fromarray(RGBA)), COLOUR),
    "rgba tiff": (file(Image.fromarray(RGBA), "TIFF"), COLOUR),
    "rgba webp": (file(Image.fromarray(RGBA), "WEBP", lossless=True), COLOUR),
    "gray and alpha": dull(Image.fromarray(array(red=(102, 255), paper=(0, 0), gray=(0, 204)))),
    "palette": (file(PALETTE), COLOUR),
    "palette, one clear": (file(clear_palette(), transparency=0), COLOUR),
    "palette, half clear": (file(clear_palette(), transparency=bytes([0, 255, 128])),
                            array(gray=(152, 152, 152))),
    "gif, clear": (file(clear_palette(), "GIF", transparency=0), COLOUR),
    "rgb, one colour clear": (file(Image.fromarray(array(paper=(1, 2, 3))), transparency=(1, 2, 3)), COLOUR),
    "gray, one level clear": dull(Image.fromarray(array(red=102, paper=7, gray=51)), transparency=7),
    "cmyk": (file(Image.new("CMYK", (40, 30), (0, 0, 0, 204)), "TIFF"), np.full((30, 40), 51)),
    "broken exif": (file(Image.fromarray(COLOUR), exif=b"Exif\0\0nothing of use"), COLOUR),
    "turned by exif": (file(TURNED, exif=EXIF), COLOUR),
    "turned by exif, clear": (file(Image.fromarray(RGBA).transpose(Image.Transpose.ROTATE_90), exif=EXIF),
                              COLOUR),
}
# kind: (what a cell may hand over, the levels)
IN_MEMORY = {
    "array": (COLOUR, COLOUR),
    "array of floats": (array(np.float64, 1 / 255), COLOUR),
    "array of floats to 255": (array(np.float32), COLOUR),
    "array of 16 bits": (array(np.uint16, 257), COLOUR),
    "array of int64": (array(np.int64), COLOUR),
    "array of bools": (DULL > 60, array(red=255, paper=255, gray=0)),
    "array with alpha": (RGBA, COLOUR),
    "array of floats with alpha": (RGBA / 255, COLOUR),
    "array of gray": (DULL[..., None], DULL),
    "array of gray, float16": ((DULL / 255).astype(np.float16), DULL),
    "array with nothing in it": (np.where(DULL == 255, np.nan, DULL / 255), DULL),
    "premultiplied": (Image.fromarray(RGBA).convert("RGBa"), COLOUR),
    "gray, premultiplied": (Image.fromarray(array(red=(102, 255), paper=(0, 0), gray=(51, 255)))
                            .convert("La"), DULL),
    "palette with its own alpha": (Image.fromarray(RGBA).quantize(4), None),
    "palette and alpha": (clear_palette().convert("PA"), array(paper=(0, 0, 0))),
    "hsv": (Image.fromarray(COLOUR).convert("HSV"), COLOUR),
    "16 bits, big end first": (Image.frombytes("I;16B", (40, 30), (DULL.astype(">u2") * 257).tobytes()),
                               DULL),
}
ALL = {kind: (Image.open(io.BytesIO(data)), seen) for kind, (data, seen) in FILES.items()} | IN_MEMORY


def pixels(image):
    assert image.mode == "RGB"
    return np.asarray(image)


def url_pixels(text):
    """The stored pixels of the first data URL in a text."""
    data = base64.b64decode(re.search(r"data:image/png;base64,([^\"]*)", text).group(1))
    return pixels(Image.open(io.BytesIO(data)))


def same(image, seen):
    levels = np.asarray(seen)
    return np.abs(pixels(image).astype(int) - (levels if levels.ndim == 3 else levels[..., None])).max() <= 1


def test_a_folder_and_a_parquet_file_hold_the_same_rgb(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for folder in ("raw", "data"):
        (tmp_path / folder).mkdir()
    for i, (data, _) in enumerate(FILES.values()):
        (tmp_path / f"raw/{i:03d}.png").write_bytes(data)
    rows = {"image": [{"bytes": data, "path": None} for data, _ in FILES.values()],
            "text": ["<p>a"] * len(FILES)}
    datasets.Dataset.from_dict(rows).to_parquet(tmp_path / "data/train-00000-of-00001.parquet")
    folder = rl.load_images(tmp_path / "raw")["image"]
    with pytest.warns(UserWarning, match=f"holds {len(FILES)} items"):
        packed = rl.load_benchmark("design2code", tmp_path)["image"]
    for (kind, (data, seen)), one, two in zip(FILES.items(), folder, packed, strict=True):
        assert same(one, seen), kind
        assert np.array_equal(pixels(one), pixels(two)), kind
        assert np.array_equal(pixels(one), pixels(decoded(data))), kind


@pytest.mark.parametrize("kind", ALL)
def test_policy_judge_recording_and_widget_see_the_same_rgb(kind, tmp_path):
    image, seen = ALL[kind]
    judged, policy = [], Listener(write_turn("a", "red"), write_turn("b", answer="turn 1"))

    def judge(target, image, error=None):
        judged.append(target)
        return rl.PixelJudge()(target, image, error)

    rollout = rl.play(policy, image, renderer=Painter(), judge=judge)
    seen = pixels(rollout.target) if seen is None else seen
    assert same(rollout.target, seen)
    told = [part["image"] for part in policy.heard[0][1]["content"] if part["type"] == "image"]
    rl.Recorder(tmp_path).write("one", [rollout])
    for everybody in (told[0], judged[0], rl.load_rollouts(tmp_path)[0].target):
        assert np.array_equal(pixels(everybody), pixels(rollout.target))
    for url in (shown_picture(image, "raw"), pack(image, 1024).url, rollout._repr_html_()):
        assert np.array_equal(url_pixels(url), pixels(rollout.target))


@pytest.mark.parametrize("kind", ALL)
def test_a_picture_of_any_kind_is_its_own_rgb_to_the_judge(kind):
    image, _ = ALL[kind]
    assert rl.judge(image, rgb(image)).score == rl.judge(rgb(image), image).score == 1.0


def test_plain_rgb_is_handed_on_as_it_is():
    image = Image.new("RGB", (20, 20))
    assert rgb(image) is image


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_a_photo_is_turned_once_and_not_again(form):
    photo = Image.open(io.BytesIO(file(TURNED, form, exif=EXIF)))
    assert np.array_equal(pixels(rgb(rgb(photo))), COLOUR)


def test_a_colour_profile_does_not_reach_the_widget():
    image = Image.open(io.BytesIO(file(Image.fromarray(COLOUR), icc_profile=b"of another screen")))
    url = shown_picture(image, "a")
    stored = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]*)", url).group(1))))
    assert image.info["icc_profile"] and "icc_profile" not in stored.info


@pytest.mark.parametrize("thing, said", [
    ("chart.png", "a PIL image is needed, got str"), (b"\x89PNG", "got bytes"), (None, "got NoneType"),
    ({"bytes": b"", "path": None}, "got dict"), ([[0, 1]], "got list")])
def test_what_is_no_picture_is_refused_with_its_type(thing, said):
    with pytest.raises(TypeError, match=said):
        rgb(thing)


def test_a_path_is_refused_before_anything_is_played():
    with pytest.raises(TypeError, match="open it with PIL.Image.open"):
        rl.play(rl.Recording(["<answer>red</answer>"]), "chart.png", renderer=Painter())


@pytest.mark.parametrize("shape", [(3, 30, 40), (30,), (2, 30, 40, 3), (0, 4, 3), (30, 40, 5)])
def test_an_array_of_another_shape_is_refused_with_its_shape(shape):
    with pytest.raises(ValueError, match=re.escape(str(shape))):
        rgb(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [complex, "U4", object])
def test_an_array_of_something_else_is_refused_with_its_type(dtype):
    with pytest.raises(ValueError, match="is no picture; give bool, uint8, uint16 or float"):
        rgb(np.zeros((4, 4), dtype))


def test_a_file_cut_short_is_refused_when_it_is_handed_over():
    image = Image.open(io.BytesIO(file(Image.effect_noise((90, 90), 80))[:-900]))
    with pytest.raises(OSError):
        rl.play(rl.Recording([""]), image, renderer=Painter())


def test_broken_exif_does_not_hide_a_picture():
    image = Image.fromarray(COLOUR)
    image.info["exif"] = b"Exif\0\0nothing of use"
    assert same(rgb(image), COLOUR)
