"""Benchmarks from disk and the hub's cache: what a row holds, what a broken copy says, what the policy sees.

Left out: the real data sets and the hub itself; data/benchmarks holds a few of our own items in their form.
"""
import dataclasses
import json
import random
import re
import shutil
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.benchmarks import load_benchmark
from rrvf_lab.benchmarks.load import BENCHMARKS
from rrvf_lab.judge import Verdict
from rrvf_lab.leaves.files import REPOSITORY
from rrvf_lab.play import play
from rrvf_lab.render import Rendering, shared
from rrvf_lab.talk import write_turn

SAMPLES = REPOSITORY / "data/benchmarks"
# name, folder, split, ids in their order
ALL = [("chartmimic", "chartmimic", "600", ["bar_1", "bar_2", "bar_10", "line_1"]),
       ("plot2code", "plot2code", "python_matplotlib", [f"ground_truth_image_{i}" for i in range(3)]),
       ("plot2code", "plot2code", "python_plotly", ["ground_truth_image_0"]),
       ("design2code", "design2code", "test", ["7", "12", "105"]),
       ("design2code", "design2code-hf", "test", ["00000-00000", "00000-00001", "00000-00002"]),
       ("websight", "websight", "heldout", ["00070-00001", "00070-00003"]),
       ("websight", "websight", "train", ["00070-00000", "00070-00002"])]
pytestmark = pytest.mark.filterwarnings("ignore:.*numbers on it do not compare.*:UserWarning")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Neither reads nor leaves anything in the user's caches."""
    import datasets.config
    import huggingface_hub.constants

    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", home / "downloads")
    monkeypatch.setattr(datasets.config, "EXTRACTED_DATASETS_PATH", home / "downloads/extracted")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(home / "hub"))
    return home


@pytest.fixture
def copied(tmp_path):
    """A copy of a sample's folder, to be broken."""
    return lambda name: Path(shutil.copytree(SAMPLES / name, tmp_path / name))


def sample(name, folder, split=None):
    return load_benchmark(name, SAMPLES / folder, split)


def replace_line(file, number, line):
    lines = file.read_text().splitlines()
    lines[number - 1] = line
    file.write_text("\n".join(lines))


# ----------------------------------------------------------------------------------------- what a row holds

@pytest.mark.parametrize("name, folder, split, ids", ALL)
def test_rows_have_a_picture_a_language_and_what_evaluation_needs(name, folder, split, ids):
    rows = sample(name, folder, split)
    assert rows.column_names[:5] == ["id", "image", "language", "reference", "kind"]
    assert list(rows["id"]) == ids
    assert {picture.mode for picture in rows["image"]} == {"RGB"} and min(rows[0]["image"].size) > 200
    assert all(rows["reference"]) and all(rows["kind"])


IN_SANDBOX = [case for case in ALL if case[2] in ("600", "python_matplotlib")]


@pytest.mark.parametrize("name, folder, split, ids", IN_SANDBOX)
def test_the_reference_draws_the_picture(name, folder, split, ids):
    for row in sample(name, folder, split):
        drawn = shared().render(row["reference"], row["language"]).image
        assert drawn.size == row["image"].size
        assert abs(np.asarray(drawn, float) - np.asarray(row["image"])).mean() < 2


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("name, folder, split, ids", [case for case in ALL if case not in IN_SANDBOX])
def test_the_reference_draws_the_picture_in_chromium(name, folder, split, ids):
    test_the_reference_draws_the_picture(name, folder, split, ids)


def test_kinds_are_chart_types_gallery_sections_and_pages():
    assert list(sample("chartmimic", "chartmimic")["kind"]) == ["bar", "bar", "bar", "line"]
    sections = list(sample("plot2code", "plot2code")["kind"])
    assert sections[:2] == ["lines_bars_and_markers", "pie_and_polar_charts"]
    assert sample("plot2code", "plot2code", "python_plotly")[0]["kind"] == "bar-charts"


def test_languages_are_those_of_the_reference():
    assert [sample(name, folder, split)[0]["language"] for name, folder, split, _ in ALL] == [
        "matplotlib", "matplotlib", "plotly", "html", "html", "html", "html"]


def test_both_forms_of_design2code_hold_the_same_pages():
    raw, packed = sample("design2code", "design2code"), sample("design2code", "design2code-hf")
    assert list(raw["reference"]) == list(packed["reference"])
    assert all(np.array_equal(a, b) for a, b in zip(raw["image"], packed["image"], strict=True))


# ------------------------------------------------------------------------------------------------- held out

def test_held_out_and_train_rows_share_none_and_leave_none():
    held, train = (sample("websight", "websight", split) for split in ("heldout", "train"))
    assert sorted([*held["id"], *train["id"]]) == [f"00070-{i:05d}" for i in range(4)]


def test_the_record_holds_what_its_rule_draws():
    record = json.loads((SAMPLES / "websight-heldout.json").read_text())["v0.1"]
    assert record["rows"] == sorted(random.Random(2403).sample(range(11000), 500))
    assert BENCHMARKS["websight"].files.endswith(f"/{record['shard']}-*.parquet")


def test_the_shipped_record_is_used_where_the_copy_has_none(copied):
    folder = copied("websight")
    (folder / "heldout.json").unlink()
    with pytest.raises(ValueError, match=r"websight-heldout.json holds out row \d+, but train-.* has 4 "):
        load_benchmark("websight", folder)


@pytest.mark.parametrize("text", ['{"v0.2": {}}', "[]", "{oops", '{"v0.1": {"rows": [1]}}'])
def test_a_record_without_the_version_says_its_form(text, copied):
    ((folder := copied("websight")) / "heldout.json").write_text(text)
    with pytest.raises(ValueError, match=r'not record the held-out rows of v0.1; its form is {"v0.1": {"sh'):
        load_benchmark("websight", folder)


def test_rows_of_other_files_are_all_for_training(copied):
    file, = (folder := copied("websight")).glob("data/*.parquet")
    shutil.copy(file, file.with_name("train-00002-of-00071-abc.parquet"))
    assert list(load_benchmark("websight", folder, "train")["id"]) == [
        *[f"00002-{i:05d}" for i in range(4)], "00070-00000", "00070-00002"]
    assert len(load_benchmark("websight", folder)) == 2


# ------------------------------------------------------------------------ the policy sees the picture alone

class Spy:
    """Calls the tool, then answers; keeps every conversation it was shown."""

    def __init__(self):
        self.shown = []

    def write(self, conversations):
        self.shown += [list(talk) for talk in conversations]
        return [write_turn("a", "x = 1") if len(talk) == 2 else write_turn("b", answer="turn 1")
                for talk in conversations]


def half(target, image):
    return Verdict(0.5, "Colour differs.")


class Pen:
    def render(self, code, language="matplotlib", size=None):
        return Rendering(Image.new("RGB", (40, 30), "teal"))


@pytest.mark.parametrize("name, folder, split, ids", ALL)
def test_nothing_but_the_picture_and_the_language_reaches_policy_and_record(name, folder, split, ids):
    row, spy = sample(name, folder, split)[0], Spy()
    telling = max(re.findall(r"[\w .,=()-]+", row["reference"]), key=len)  # survives quoting and escapes
    secrets = {"reference": telling, "kind": row["kind"], "id": row["id"]} | (
        {"instruction": row["instruction"]} if "instruction" in row else {})
    rollout = play(spy, row, max_turns=2, renderer=Pen(), judge=half)
    assert len(spy.shown) == 2
    said = " ".join(part["text"] for talk in spy.shown for message in talk for part in message["content"]
                    if part["type"] == "text")
    assert not [what for what, secret in secrets.items() if secret in said]
    pictures = [part["image"] for part in spy.shown[0][1]["content"] if part["type"] == "image"]
    assert len(pictures) == 1 and pictures[0] is row["image"]
    assert telling not in repr(dataclasses.asdict(rollout) | {"target": None})


# --------------------------------------------------------------------------------------- missing and broken

@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_that_is_not_here_is_one_line_with_size_and_command(name):
    for path, what in ((None, "hub's cache"), ("no/such/folder", "no folder 'no/such/folder'")):
        with pytest.raises(FileNotFoundError) as caught:
            load_benchmark(name, path)
        said = str(caught.value)
        assert "\n" not in said and what in said and BENCHMARKS[name].size in said
        assert f"hf download {BENCHMARKS[name].repository} --repo-type dataset" in said


GAPS = [("chartmimic", "chartmimic", "direct_600", "no direct_600/*.py in"),
        ("plot2code", "plot2code", "data/python_matplotlib/test/metadata.jsonl", "no data/python_matplotl"),
        ("design2code", "design2code-hf", "data", "no data/train-*-of-00001.parquet in"),
        ("websight", "websight", "data", "no data/train-00070-of-00071-*.parquet in")]


@pytest.mark.parametrize("name, folder, lost, said", GAPS)
def test_a_lost_file_is_named_with_the_command_that_gets_it(name, folder, lost, said, copied):
    where = copied(folder)
    shutil.rmtree(where / lost) if (where / lost).is_dir() else (where / lost).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_benchmark(name, where)
    assert said in str(caught.value) and "hf download" in str(caught.value) and "\n" not in str(caught.value)


def cut_half(file):
    file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])


@pytest.mark.parametrize("line, said", [('{"file_name": "a.png"}', "line 2: no 'url'"),
                                        ("{oops", "line 2: no JSON"), ("[1]", "line 2: no JSON object")])
def test_a_bad_line_of_metadata_is_named_by_file_and_number(line, said, copied):
    where = copied("plot2code")
    replace_line(where / "data/python_matplotlib/test/metadata.jsonl", 2, line)
    with pytest.warns(UserWarning, match="left out 1, kept 2") as caught:
        rows = load_benchmark("plot2code", where)
    assert said in str(caught[0].message) and "metadata.jsonl" in str(caught[0].message)
    assert list(rows["id"]) == ["ground_truth_image_0", "ground_truth_image_2"]


@pytest.mark.parametrize("name, folder", [("websight", "websight"), ("design2code", "design2code-hf")])
def test_a_parquet_file_cut_short_is_named(name, folder, copied):
    file, = (where := copied(folder)).glob("data/*.parquet")
    cut_half(file)
    with pytest.raises(ValueError) as caught:
        load_benchmark(name, where)
    assert file.name in str(caught.value) and "download it again" in str(caught.value)


def test_a_parquet_file_of_something_else_is_refused_by_its_columns(tmp_path):
    from datasets import Dataset

    (tmp_path / "data").mkdir()
    Dataset.from_dict({"page": ["a"]}).to_parquet(tmp_path / "data/train-00000-of-00001.parquet")
    with pytest.raises(ValueError, match="has the columns page; image and text are needed"):
        load_benchmark("design2code", tmp_path)


# ------------------------------------------------------------------------------ trees from other machines

def left_out(name, folder, split=None):
    """(the ids that were read, what the one warning says of the others)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = load_benchmark(name, folder, split)
    said = [str(w.message) for w in caught if "left out" in str(w.message)]
    assert len(said) <= 1 and all("\n" not in line for line in said)
    return list(rows["id"]), "".join(said)


def litter(folder):
    """What macOS and Windows leave in every folder."""
    for here in [folder, *filter(Path.is_dir, list(folder.rglob("*")))]:
        for file in [file for file in here.iterdir() if file.is_file()]:
            (here / f"._{file.name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        \xff\xfe")
        (here / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (here / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
        (here / "desktop.ini").write_bytes(b"[x]")
    (folder / "__MACOSX").mkdir()


@pytest.mark.parametrize("name, folder, split, ids", ALL)
def test_what_a_system_leaves_in_folders_is_no_item(name, folder, split, ids, copied):
    litter(where := copied(folder))
    assert left_out(name, where, split) == (ids, "")


EDITED = {"a mark": lambda text: b"\xef\xbb\xbf" + text, "windows": lambda text: text.replace(b"\n", b"\r\n"),
          "old mac": lambda text: text.replace(b"\n", b"\r"),
          "utf-16": lambda text: text.decode().encode("utf-16"), "no last line end": bytes.rstrip}


@pytest.mark.parametrize("how", EDITED)
@pytest.mark.parametrize("name, folder, pattern", [
    ("chartmimic", "chartmimic", "*/*.py"), ("design2code", "design2code", "*.html"),
    ("plot2code", "plot2code", "data/*/test/metadata.jsonl"), ("websight", "websight", "heldout.json")])
def test_texts_are_read_whatever_editor_saved_them(name, folder, pattern, how, copied):
    for file in list((where := copied(folder)).glob(pattern)):
        file.write_bytes(EDITED[how](file.read_bytes()))
    ids, said = left_out(name, where)
    theirs, ours = load_benchmark(name, where), sample(name, folder)
    assert ids == list(ours["id"]) and said == ""
    assert [code.rstrip() for code in theirs["reference"]] == [code.rstrip() for code in ours["reference"]]


def test_a_line_separator_inside_a_reference_ends_no_line(copied):
    file = (where := copied("plot2code")) / "data/python_matplotlib/test/metadata.jsonl"
    rows = [json.loads(line) for line in file.read_text().split("\n") if line]
    rows[1]["code"] += "# one\u2028two\u2029three\x85four"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in rows), "utf-8")
    assert left_out("plot2code", where) == ([row["file_name"][:-4] for row in rows], "")
    assert load_benchmark("plot2code", where)[1]["reference"] == rows[1]["code"]


def lfs_pointer(file):
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


LOST = {  # what is done to a file, and what is said of its item
    "gone": (Path.unlink, "no {} beside it"),
    "empty": (lambda file: file.write_bytes(b""), "empty file (0 bytes)"),
    "cut": (cut_half, "cannot be decoded"),
    "text": (lambda file: file.write_text("<html>404"), "not an image"),
    "a pointer": (lfs_pointer, "git lfs pull"),
    "too small": (lambda file: Image.new("RGB", (1, 1)).save(file), "1 x 1 pixels"),
    "a folder": (lambda file: (file.unlink(), file.mkdir()), ""),
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("name, folder, file, item, left", [
    ("chartmimic", "chartmimic", "direct_600/bar_10.png", "bar_10.py", ["bar_1", "bar_2", "line_1"]),
    ("design2code", "design2code", "12.png", "12.html", ["7", "105"]),
    ("plot2code", "plot2code", "data/python_matplotlib/test/ground_truth_image_1.png",
     "metadata.jsonl, line 2", ["ground_truth_image_0", "ground_truth_image_2"])])
def test_an_item_whose_picture_is_of_no_use_is_left_out_by_name(name, folder, file, item, left, how, copied):
    spoil, why = LOST[how]
    spoil((where := copied(folder)) / file)
    ids, said = left_out(name, where)
    assert ids == left and said.count(f"{item}: ") == 1 and why.format(Path(file).name) in said


@pytest.mark.parametrize("name, folder, file, item", [
    ("chartmimic", "chartmimic", "direct_600/bar_10.py", "bar_10.png: no bar_10.py beside it"),
    ("design2code", "design2code", "12.html", "12.png: no 12.html beside it")])
def test_a_picture_without_its_program_is_named(name, folder, file, item, copied):
    ((where := copied(folder)) / file).unlink()
    assert left_out(name, where)[1].endswith(f"left out 1, kept {3 if name == 'chartmimic' else 2}. {item}")


@pytest.mark.parametrize("text", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_a_program_without_a_word_is_left_out_by_name(text, copied):
    ((where := copied("chartmimic")) / "direct_600/bar_2.py").write_bytes(text)
    ids, said = left_out("chartmimic", where)
    assert "bar_2" not in ids and "bar_2.py: its code is empty" in said


def test_a_last_line_that_was_cut_is_named_as_that(copied):
    file = (where := copied("plot2code")) / "data/python_matplotlib/test/metadata.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    ids, said = left_out("plot2code", where)
    assert len(ids) == 2 and "metadata.jsonl, line 3: no JSON (cut short" in said


def test_an_item_that_stands_twice_is_taken_once(copied):
    file = (where := copied("plot2code")) / "data/python_matplotlib/test/metadata.jsonl"
    file.write_text(file.read_text() + file.read_text().splitlines()[0])
    ids, said = left_out("plot2code", where)
    assert len(ids) == 3 and "line 4: a second item 'ground_truth_image_0'" in said


@pytest.mark.parametrize("image, text, why", [
    (None, "<p>", "no picture"), ({"bytes": b"", "path": None}, "<p>", "no picture"),
    ({"bytes": b"GIF89a", "path": None}, "<p>", "not an image"),
    ({"bytes": b"oops", "path": None}, "<p>", "not an image"), ("good", None, "its code is empty"),
    ("good", " ", "its code is empty")])
def test_a_row_of_no_use_in_a_parquet_file_is_left_out_by_name(image, text, why, tmp_path):
    from datasets import Dataset

    (tmp_path / "data").mkdir()
    good = {"bytes": (SAMPLES / "design2code/7.png").read_bytes(), "path": None}
    rows = [{"image": good, "text": "<p>a"}, {"image": good if image == "good" else image, "text": text}]
    Dataset.from_list(rows).to_parquet(tmp_path / "data/train-00000-of-00001.parquet")
    ids, said = left_out("design2code", tmp_path)
    assert ids == ["00000-00000"] and f"00000-00001: {why}" in said


def test_a_benchmark_of_which_nothing_is_left_is_an_error_that_names_its_items(copied):
    for file in (where := copied("design2code")).glob("*.png"):
        file.unlink()
    with pytest.raises(ValueError, match="left out 3, kept 0. 7.html: no 7.png.* hf download"):
        load_benchmark("design2code", where)


def test_six_hundred_items_are_read_in_the_order_of_their_numbers(tmp_path):
    (folder := tmp_path / "direct_600").mkdir()
    Image.new("RGB", (32, 24)).save(folder / "bar_1.png")
    for i in range(600):
        (folder / f"bar_{i + 1}.py").write_text("plt.bar([1], [2])")
        if i:
            (folder / f"bar_{i + 1}.png").hardlink_to(folder / "bar_1.png")
    ids, said = left_out("chartmimic", tmp_path)
    assert ids == [f"bar_{i + 1}" for i in range(600)] and said == ""


def test_fewer_items_than_the_benchmark_has_are_a_warning():
    with pytest.warns(UserWarning, match="holds 4 items, the benchmark 600"):
        sample("chartmimic", "chartmimic")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample("websight", "websight", "train")


@pytest.mark.parametrize("name, split, said", [
    ("chart-mimic", None, "there are chartmimic, plot2code"),
    ("chartmimic", "700", "there are 600, 1800"),
    ("plot2code", "r_plotly", "python_matplotlib, python_plotly")])
def test_unknown_names_and_splits_are_refused_with_those_there_are(name, split, said):
    with pytest.raises(ValueError, match=said):
        load_benchmark(name, SAMPLES / "chartmimic", split)


def test_a_relative_path_is_found_from_the_notebooks_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert len(load_benchmark("chartmimic", "data/benchmarks/chartmimic")) == 4


# ------------------------------------------------------------------------------------------ the hub's cache

@pytest.fixture
def in_hub_cache(own_cache):
    """Puts files where `hf download` leaves them, for a repository."""
    def put(repository, fill):
        home = own_cache / "hub" / f"datasets--{repository.replace('/', '--')}"
        snapshot = home / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        (home / "refs").mkdir()
        (home / "refs/main").write_text("0" * 40)
        fill(snapshot)
    return put


@pytest.mark.parametrize("name, folder", [("plot2code", "plot2code"), ("design2code", "design2code-hf"),
                                          ("websight", "websight")])
def test_what_hf_download_left_in_the_cache_is_read_without_a_path(name, folder, in_hub_cache):
    in_hub_cache(BENCHMARKS[name].repository,
                 lambda home: shutil.copytree(SAMPLES / folder, home, dirs_exist_ok=True))
    cached, here = load_benchmark(name), sample(name, folder)
    assert list(cached["id"]) == list(here["id"]) and list(cached["reference"]) == list(here["reference"])


def test_chartmimics_archive_is_unpacked_beside_the_cache(in_hub_cache):
    def fill(home):
        with tarfile.open(home / "dataset-iclr.tar.gz", "w:gz") as archive:
            archive.add(SAMPLES / "chartmimic/direct_600", "direct_600")

    in_hub_cache("ChartMimic/ChartMimic", fill)
    assert list(load_benchmark("chartmimic")["id"]) == ["bar_1", "bar_2", "bar_10", "line_1"]
