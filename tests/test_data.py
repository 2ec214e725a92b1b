"""Raw images: what is stored, what is read, and what happens to files that are no images."""
import hashlib
import io
import struct
import subprocess
import sys
import warnings
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab import charts
from rrvf_lab.data import MOST_PIXELS, contact_sheet, load_images

STORED = Path(__file__).parents[1] / "data/charts"
COUNTS = {"train": 480, "test": 200}


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


@pytest.mark.parametrize("split", COUNTS)
def test_stored_charts_are_pictures_only_and_all_there(split):
    names = sorted(file.name for file in (STORED / split).iterdir())
    assert names == [f"{split}-{i:04d}.png" for i in range(COUNTS[split])]


@pytest.fixture(scope="module")
def stored():
    """Of every stored chart: name, size, a hash of its pixels, the number of colours on its border."""
    found = []
    for file in sorted(STORED.glob("*/*.png")):
        pixels = np.asarray(Image.open(file))
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        found.append((file.name, pixels.shape, digest, len(np.unique(border, axis=0))))
    return found


def test_no_picture_is_stored_twice_in_or_across_the_splits(stored):
    assert len({digest for _, _, digest, _ in stored}) == len(stored) == sum(COUNTS.values())


def test_nothing_is_cut_off_at_the_border_of_a_stored_chart(stored):
    assert [name for name, _, _, colours in stored if colours > 1] == []


def test_stored_charts_are_rgb_of_the_stated_width(stored):
    assert {shape[2] for _, shape, _, _ in stored} == {3}
    assert all(360 <= shape[1] <= 640 and 1.19 < shape[1] / shape[0] < 1.51 for _, shape, _, _ in stored)


@pytest.mark.parametrize("split, i", [("train", 0), ("train", 479), ("test", 7), ("test", 49)])
def test_the_command_draws_the_stored_charts_again(split, i):
    stored = np.asarray(Image.open(STORED / split / f"{charts.name(split, i)}.png"), float)
    drawn = np.asarray(charts.draw(charts.spec(split, i)), float)
    assert stored.shape == drawn.shape
    assert abs(stored - drawn).mean() < 2  # another matplotlib may move an edge by a pixel


def test_the_splits_have_different_streams():
    train = [charts.truth("train", i) for i in range(40)]
    test = [charts.truth("test", i) for i in range(40)]
    assert sum(a["values"] == b["values"] for a, b in zip(train, test)) <= 2


def test_truth_draws_nothing():
    code = ("import sys; from rrvf_lab import charts; charts.truth('test', 3); "
            "print({'matplotlib'}.intersection(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=STORED.parents[1])
    assert done.stdout.strip() == "set()", done.stderr


def test_truth_tells_the_heights_that_are_drawn():
    """Bars of fixed axes: the painted pixels in each bar's column are its value in tenths of the axis."""
    checked = 0
    for i in range(120):
        spec = charts.spec("train", i)
        if spec["kind"] != "bar" or not spec["limits"] or spec["edge"] or spec["alpha"] < 1:
            continue
        pixels = np.asarray(charts.draw(spec | {"spines": "all", "ink": "black", "grid": False})).astype(int)
        paint = [int(spec["paint"][0][k:k + 2], 16) for k in (1, 3, 5)]
        painted = (abs(pixels - paint).sum(2) < 12).sum(0)
        frame = (pixels.sum(2) < 450).sum(0).max()  # the left spine's length: ten units
        tops = painted[painted > 0]
        runs = np.split(tops, np.flatnonzero(abs(np.diff(tops)) > 2) + 1)
        heights = {round(10 * float(np.median(run)) / frame) for run in runs if len(run) > 5}
        assert heights == set(spec["values"]), (i, heights, spec["values"])
        checked += 1
    assert checked >= 3


def test_the_mix_is_as_wide_as_promised():
    specs = [charts.spec("train", i) for i in range(3000)]
    kinds = Counter(spec["kind"] for spec in specs)
    for kind, percent in charts.KINDS.items():
        assert abs(kinds[kind] / 30 - percent) < 3, kind
    assert 0.56 < np.mean([spec["colours"][0] in charts.RARE for spec in specs]) < 0.64
    assert 0.55 < np.mean([spec["title"] in charts.TITLES for spec in specs]) < 0.65
    assert 0.42 < np.mean([spec["limits"] == (0, 10) for spec in specs if spec["kind"] != "pie"]) < 0.58
    for spec in specs:
        rows = spec["values"] if spec["kind"] in charts.TWO_SERIES else [spec["values"]]
        assert 3 <= sum(map(len, rows)) <= 8
        assert all(spec["limits"] is None or 1 <= value <= 9 for row in rows for value in row)


def test_each_colour_is_nearest_to_the_name_it_stands_under():
    from matplotlib.colors import to_rgb
    from skimage.color import deltaE_ciede2000, rgb2lab

    names = list(charts.COLOURS)
    anchors = rgb2lab(np.array([[to_rgb(name)] for name in names]))[:, 0]
    for name, row in charts.COLOURS.items():
        for colour in row:
            for alpha in (1, 0.9):  # on white paper
                seen = rgb2lab(np.array([[to_rgb(colour)]]) * alpha + 1 - alpha)[0]
                assert names[deltaE_ciede2000(seen, anchors).argmin()] == name, (colour, alpha)


def test_writing_twice_gives_the_same_files_and_replaces_old_ones(tmp_path):
    charts.write(tmp_path, {"train": 3, "test": 1}, seed=1)
    first = {file.name: file.read_bytes() for file in tmp_path.glob("*/*.png")}
    charts.write(tmp_path, {"train": 2, "test": 1}, seed=1)
    again = {file.name: file.read_bytes() for file in tmp_path.glob("*/*.png")}
    assert set(first) - set(again) == {"train-0002.png"}
    assert all(first[name] == again[name] for name in again)


def test_two_equal_pictures_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "draw", lambda spec: Image.new("RGB", (40, 30)))
    with pytest.raises(RuntimeError, match="train-0001 has the pixels of train-0000"):
        charts.write(tmp_path, {"train": 2})


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
    assert name in str(caught.value) and "python -m rrvf_lab.charts data/charts" in str(caught.value)


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
    assert ["#%02x%02x%02x" % pixel for pixel in centres] == colours
    with pytest.raises(ValueError, match="no images"):
        contact_sheet([])


def test_a_contact_sheet_takes_a_dataset():
    images = load_images(STORED / "test").select(range(5))
    assert contact_sheet(images, columns=8, width=80).width == 5 * 84 + 4


def test_importing_the_package_is_cheap():
    code = ("import sys, time; started = time.process_time(); import rrvf_lab; took = time.process_time() - started; "
            "print({'torch', 'transformers', 'datasets', 'matplotlib', 'scipy'}.intersection(sys.modules), took < 1)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=STORED.parents[1])
    assert done.stdout.strip() == "set() True", done.stdout + done.stderr
