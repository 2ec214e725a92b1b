"""Raw images: what is read, and what happens to files that are no images."""
import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.data import contact_sheet, load_images
from rrvf_lab.leaves.pictures import MOST_PIXELS

STORED = Path(__file__).parents[2] / "data/charts"


def png(width, height, mode="RGB", colour="red"):
    packed = io.BytesIO()
    Image.new(mode, (width, height), colour).save(packed, "PNG")
    return packed.getvalue()


def png_header(width, height):
    """A PNG of a few bytes that claims any size."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


NOISE = io.BytesIO()
Image.effect_noise((100, 100), 90).save(NOISE, "PNG")
NOISE = NOISE.getvalue()
BAD = {
    "zero bytes": (b"", "empty file (0 bytes)"),
    "text": (b"plt.bar([1, 2], [3, 4])", "not an image"),
    "noise": (bytes(range(256)) * 8, "not an image"),
    "vector": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not an image"),
    "cut short": (png(200, 150, colour="teal")[:-40], "cannot be decoded"),
    "damaged": (NOISE[:4000] + bytes(200) + NOISE[4200:], "cannot be decoded"),
    "one pixel": (png(1, 1), "1 x 1 pixels; at least 16 x 16"),
    "100 megapixels": (png_header(10_000, 10_000), "10000 x 10000 pixels; at most 25 megapixels"),
    "bomb": (png_header(100_000, 100_000), "too many pixels; at most 25 megapixels"),
}


def test_a_folder_becomes_a_dataset_in_a_stable_order():
    images = load_images(STORED / "test")
    assert images.column_names == ["id", "image", "language"] and len(images) == 200
    assert images["id"][:3] == ["test-0000", "test-0001", "test-0002"]
    assert set(images["language"]) == {"matplotlib"}
    picture = images[3]["image"]
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture), np.asarray(Image.open(STORED / "test/test-0003.png")))


def test_a_relative_folder_is_found_from_the_notebooks_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert len(load_images("data/charts/test")) == 200


@pytest.mark.parametrize("folder, language", [
    ("charts/train", "matplotlib"), ("pages", "html"), ("my/drawings/a", "svg"),
    ("pages/charts", "matplotlib"), ("photos", "matplotlib")])
def test_the_language_follows_from_the_folder_unless_given(tmp_path, folder, language):
    target = tmp_path / folder
    target.mkdir(parents=True)
    (target / "a.png").write_bytes(png(32, 24))
    assert load_images(target)["language"] == [language]
    assert load_images(target, language="plotly")["language"] == ["plotly"]


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_alone_is_an_error_that_names_it_and_why(tmp_path, what):
    content, reason = BAD[what]
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(ValueError) as caught:
        load_images(tmp_path)
    assert "bad.png" in str(caught.value) and reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_among_good_ones_is_left_out_by_name(tmp_path, what):
    content, reason = BAD[what]
    (tmp_path / "b.png").write_bytes(content)
    for name in ("a.png", "c.png"):
        (tmp_path / name).write_bytes(png(32, 24))
    with pytest.warns(UserWarning) as caught:
        images = load_images(tmp_path)
    assert images["id"] == ["a", "c"]
    assert [str(w.message)[:14] for w in caught] == ["left out b.png"] and reason in str(caught[0].message)


def test_every_bad_file_is_named(tmp_path):
    for k, (content, _) in enumerate(BAD.values()):
        (tmp_path / f"bad{k}.png").write_bytes(content)
    (tmp_path / "good.png").write_bytes(png(32, 24))
    with pytest.warns(UserWarning) as caught:
        load_images(tmp_path)
    assert len(caught) == len(BAD)


def test_an_image_at_the_limit_is_read(tmp_path):
    (tmp_path / "large.png").write_bytes(png(5000, MOST_PIXELS // 5000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_images(tmp_path)[0]["image"].size == (5000, 5000)


@pytest.mark.parametrize("name", ["data/no_such_folder", "SALT-NLP/Design2Code", "ChartMimic"])
def test_a_missing_folder_says_what_to_run(name):
    with pytest.raises(FileNotFoundError) as caught:
        load_images(name)
    assert name in str(caught.value) and "python data/charts/make.py" in str(caught.value)


def test_an_empty_folder_a_file_and_a_folder_of_folders_each_say_so(tmp_path):
    with pytest.raises(ValueError, match="is empty"):
        load_images(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.png").write_bytes(png(32, 24))
    with pytest.raises(ValueError, match=r"load_images\('.*train'\)"):
        load_images(tmp_path)
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_images(tmp_path / "train/a.png")


def test_transparent_parts_are_white_and_every_mode_becomes_rgb(tmp_path):
    (tmp_path / "clear.png").write_bytes(png(32, 24, "RGBA", (255, 0, 0, 0)))
    (tmp_path / "half.png").write_bytes(png(32, 24, "LA", (0, 128)))
    (tmp_path / "gray.png").write_bytes(png(32, 24, "L", 77))
    shown = {row["id"]: row["image"] for row in load_images(tmp_path)}
    assert {image.mode for image in shown.values()} == {"RGB"}
    assert shown["clear"].getpixel((5, 5)) == (255, 255, 255)
    assert shown["half"].getpixel((5, 5)) == (127, 127, 127)
    assert shown["gray"].getpixel((5, 5)) == (77, 77, 77)


def test_a_photo_is_turned_as_its_camera_says(tmp_path):
    image, exif = Image.new("RGB", (40, 20)), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "photo.jpg", exif=exif)
    assert load_images(tmp_path)[0]["image"].size == (20, 40)


def test_two_files_of_one_stem_keep_different_ids(tmp_path):
    for name in ("a.png", "a.bmp"):
        Image.new("RGB", (32, 24)).save(tmp_path / name)
    assert load_images(tmp_path)["id"] == ["a.bmp", "a.png"]


def test_a_contact_sheet_shows_each_image_once_in_rows(tmp_path):
    colours = ["#ff0000", "#00ff00", "#0000ff"]
    sheet = contact_sheet([Image.new("RGB", (40, 30), colour) for colour in colours], columns=2, width=80)
    assert sheet.size == (2 * 84 + 4, 2 * 64 + 4)
    centres = [sheet.getpixel(at) for at in ((44, 34), (128, 34), (44, 98))]
    assert ["#" + bytes(pixel).hex() for pixel in centres] == colours
    with pytest.raises(ValueError, match="no images"):
        contact_sheet([])


def test_each_thumbnail_of_a_contact_sheet_has_a_number_of_its_own():
    sheet = contact_sheet([Image.new("RGB", (80, 60), "#ff0000")] * 12, columns=12, width=80)
    corners = {sheet.crop((4 + k * 84, 4, 4 + k * 84 + 30, 20)).tobytes() for k in range(12)}
    assert len(corners) == 12


def test_a_contact_sheet_takes_a_dataset():
    images = load_images(STORED / "test").select(range(5))
    assert contact_sheet(images, columns=8, width=80).width == 5 * 84 + 4


def test_importing_the_package_is_cheap():
    code = ("import sys, time; started = time.process_time(); import rrvf_lab; "
            "heavy = {'torch', 'transformers', 'datasets', 'matplotlib', 'scipy'}.intersection(sys.modules); "
            "print(heavy, time.process_time() - started < 1)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=STORED.parents[1])
    assert done.stdout.strip() == "set() True", done.stdout + done.stderr
