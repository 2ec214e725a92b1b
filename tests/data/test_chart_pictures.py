"""The stored charts: pictures and nothing else, made again alike; their truths are for evaluation alone."""
import hashlib
import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from makers import DATA, maker
from PIL import Image

from rrvf_lab.data import load_images
from rrvf_lab.leaves.files import REPOSITORY
from rrvf_lab.nano.fields import TRUTHS, load_truths

charts = maker("charts")
STORED = DATA / "charts"
COUNTS = {"train": 480, "test": 200}


@pytest.fixture(scope="module")
def stored():
    """Of every stored chart: name, size, a hash of its pixels, whether its border has one colour."""
    found = []
    for file in sorted(STORED.glob("*/*.png")):
        pixels = np.asarray(Image.open(file))
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        found.append((file.name, pixels.shape, digest, bool((border == border[0]).all())))
    return found


@pytest.mark.parametrize("split", COUNTS)
def test_stored_charts_are_pictures_only_and_all_there(split):
    names = sorted(file.name for file in (STORED / split).iterdir())
    assert names == [f"{split}-{i:04d}.png" for i in range(COUNTS[split])]


def test_no_picture_is_stored_twice_in_or_across_the_splits(stored):
    assert len({digest for _, _, digest, _ in stored}) == len(stored) == sum(COUNTS.values())


def test_nothing_is_cut_off_at_the_border_of_a_stored_chart(stored):
    assert [name for name, _, _, plain in stored if not plain] == []


def test_stored_charts_are_rgb_of_the_stated_width(stored):
    assert {shape[2] for _, shape, _, _ in stored} == {3}
    assert all(360 <= shape[1] <= 640 and 1.19 < shape[1] / shape[0] < 1.51 for _, shape, _, _ in stored)


@pytest.mark.parametrize("split, i", [("train", 0), ("train", 479), ("test", 7), ("test", 49)])
def test_the_command_draws_the_stored_charts_again(split, i):
    stored = np.asarray(Image.open(STORED / split / f"{charts.name(split, i)}.png"), float)
    drawn = np.asarray(charts.draw(charts.spec(split, i)), float)
    assert stored.shape == drawn.shape
    assert abs(stored - drawn).mean() < 2  # another matplotlib may move an edge by a pixel


def test_with_the_matplotlib_and_pillow_of_data_readme_the_stored_files_come_again_byte_for_byte(tmp_path):
    import matplotlib
    import PIL

    drawn_by, packed_by = matplotlib.__version__.split("."), PIL.__version__.split(".")
    here = f"matplotlib {'.'.join(drawn_by[:2])} and Pillow {packed_by[0]}"
    if here not in (DATA / "README.md").read_text():
        pytest.skip(f"the stored charts were made by other versions than {here}")
    charts.main([str(tmp_path), "--train", "3", "--test", "3"])
    made = sorted(tmp_path.glob("*/*.png"))
    assert len(made) == 6
    for file in made:
        assert file.read_bytes() == (STORED / file.parent.name / file.name).read_bytes(), file.name


def test_the_splits_have_different_streams():
    train = [charts.truth("train", i) for i in range(40)]
    test = [charts.truth("test", i) for i in range(40)]
    assert sum(a["values"] == b["values"] for a, b in zip(train, test, strict=True)) <= 2


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="splits 'train' and 'test', not 'val'"):
        charts.spec("val", 0)


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
    for kind, percent in charts.KIND_SHARES.items():
        assert abs(kinds[kind] / 30 - percent) < 3, kind
    assert 0.56 < np.mean([spec["colours"][0] in charts.RARE_PAINTS for spec in specs]) < 0.64
    assert 0.55 < np.mean([spec["title"] in charts.TITLE_WORDS for spec in specs]) < 0.65
    assert 0.42 < np.mean([spec["limits"] == (0, 10) for spec in specs if spec["kind"] != "pie"]) < 0.58
    for spec in specs:
        rows = spec["values"] if spec["kind"] in charts.TWO_SERIES else [spec["values"]]
        assert 3 <= sum(map(len, rows)) <= 8
        assert all(spec["limits"] is None or 1 <= value <= 9 for row in rows for value in row)


def test_each_colour_is_nearest_to_the_name_it_stands_under():
    from matplotlib.colors import to_rgb
    from skimage.color import deltaE_ciede2000, rgb2lab

    names = list(charts.PAINTS)
    anchors = rgb2lab(np.array([[to_rgb(name)] for name in names]))[:, 0]
    for name, row in charts.PAINTS.items():
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
    truths = json.loads((tmp_path / "truth.json").read_text())
    assert list(truths) == ["train-0000", "train-0001", "test-0000"]


def test_two_equal_pictures_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "draw", lambda spec: Image.new("RGB", (40, 30)))
    with pytest.raises(RuntimeError, match="/train-0001 has the pixels of .*/train-0000; give another"):
        charts.write(tmp_path, {"train": 2})


# ----------------------------------------------------------------------------------------------------- truths

@pytest.mark.parametrize("split", COUNTS)
def test_the_stored_truths_are_those_of_the_stored_charts(split):
    made = {charts.name(split, i): charts.truth(split, i) for i in range(COUNTS[split])}
    assert load_truths(split) == json.loads(json.dumps(made))
    assert {file.stem for file in (STORED / split).iterdir()} == set(made)


def test_the_truths_are_small():
    assert TRUTHS.stat().st_size < 1e6


def test_reading_images_never_opens_the_truths_beside_them(tmp_path):
    folder, opened = tmp_path / "charts", []
    shutil.copytree(STORED / "test", folder / "test", ignore=lambda _, names: sorted(names)[3:])
    shutil.copy(TRUTHS, folder)
    sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
    rows = list(load_images(folder / "test"))
    seen = list(opened)  # a hook stays for good
    assert [set(row) for row in rows] == [{"id", "image", "language"}] * 3
    assert any("test-0001" in name for name in seen) and not any("truth" in name for name in seen)


def test_nothing_but_what_measures_knows_of_the_truths():
    """No other file of the package names them: not training, not the reward, not what reads images."""
    package = Path(REPOSITORY / "rrvf_lab")
    knowing = {str(file.relative_to(package)) for file in package.rglob("*.py")
               if any(word in file.read_text() for word in ("truth.json", "load_truths", "nano.fields"))}
    assert knowing == {"nano/fields.py", "nano/__init__.py", "diagnose/fields.py"}
