"""Benchmarks in: ChartMimic, Plot2Code, Design2Code and WebSight become a `datasets.Dataset` each.

They are read as they lie on disk or in the hub's cache. Columns beyond the picture (`reference` code, `kind`,
...) are for evaluation: an episode ignores them, so the policy never sees them. Trees from other machines are
read too: marks (BOM), any line ends, macOS's `._` files. An item that is missing or broken is left out by
name and with the reason, in one warning; a mean over fewer items is another number, which is said as well.

Left out: Plot2Code's R plots, Design2Code's hard set, and the figure size that ChartMimic's own prompt tells.
WebSight's and Design2Code's parquet pictures are decoded when they are used; here their headers are read.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from ..leaves.files import REPOSITORY, found, json_lines, text_of
from ..leaves.pictures import reason, stored


def load_benchmark(name, path=None, split=None):
    """Read a benchmark that has reference code.

    Args:
        name: "chartmimic" (v2, direct), "plot2code", "design2code" or "websight" (v0.1).
        path: the folder of a local copy, as the benchmark's own download gives it; small stand-ins in the
            same form are in data/benchmarks. Without it the hub's cache is read, and filled when the hub can
            be reached.
        split: ChartMimic "600" (test-mini, default) or "1800"; Plot2Code "python_matplotlib" (default) or
            "python_plotly"; WebSight, which has none of its own, "heldout" (default; the rows that
            data/benchmarks/websight-heldout.json records, or a heldout.json in `path`) or "train" (all other
            rows).

    Returns: a `datasets.Dataset` with `id`, `image` (RGB), `language`, and for evaluation alone `reference`
        (code) and `kind` (chart type, gallery section, or "page"). "plot2code" adds the `instruction` of its
        conditional task; `play` runs its direct task, the image alone.

    Raises: ValueError (unknown name or split, no item that can be read, a broken parquet file),
        FileNotFoundError (nothing there; names the part, its size and the command that gets it). Items left
        out, and fewer of them than the benchmark has, are a UserWarning each.

    Sources: arXiv 2406.09961 (ChartMimic), 2405.07990 (Plot2Code), 2403.03163 (Design2Code), 2403.09029
        (WebSight).

    Example: `load_benchmark("chartmimic", "data/benchmarks/chartmimic")[0]["kind"]`.
    """
    if name not in BENCHMARKS:
        raise ValueError(f"no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    source = BENCHMARKS[name]
    split = split or next(iter(source.splits))
    if split not in source.splits:
        raise ValueError(f"{name} has no split {split!r}; there are {', '.join(source.splits)}")
    skipped = {}
    try:
        folder = _cached(source) if path is None else _found(path)
        rows = source.read(folder, split, skipped)
    except _Missing as gap:
        raise FileNotFoundError(f"{source.title}: no {gap}; get it ({source.size}): {source.command} ; then "
                                f"load_benchmark({name!r}, 'data/{source.title}')") from None
    if skipped:
        named = "; ".join(f"{item}: {why}" for item, why in skipped.items())
        said = f"{name} {split} in '{folder}': left out {len(skipped)}, kept {len(rows)}. {named}"
        if not len(rows):
            raise ValueError(f"{said}. To get it again: {source.command}")
        warnings.warn(said, stacklevel=2)
    whole = source.splits[split]
    if whole and len(rows) != whole:
        warnings.warn(f"{name} {split} in '{folder}' holds {len(rows)} items, the benchmark {whole}: "
                      "numbers on it do not compare with published ones", stacklevel=2)
    return rows


class _Missing(Exception):
    """A file or folder that a benchmark should have; the text says which and where."""


@dataclass(frozen=True)
class _Benchmark:
    """Where a benchmark comes from: its name, hub repository, files there, their size, the items of each
    split (None: not known), and the reader."""

    title: str
    repository: str
    files: str
    size: str
    splits: dict
    read: object
    then: str = ""  # what is to be done after the download

    @property
    def command(self):
        return (f"hf download {self.repository} --repo-type dataset --include '{self.files}' --local-dir "
                f"data/{self.title}{self.then}")


def _cached(source):
    """The folder of a benchmark's files in the hub's cache, loaded where they are not; an archive is unpacked
    beside it."""
    from datasets import DownloadManager
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(source.repository, repo_type="dataset", allow_patterns=source.files))
    except Exception:  # no network, offline mode, a proxy's page: the command helps with all of them
        raise _Missing(f"{source.files} of {source.repository} in the hub's cache, and the hub does not "
                       "give it now") from None
    archives = sorted(folder.glob("*.tar.gz"))
    return Path(DownloadManager().extract(str(archives[0]))) if archives else folder


def _found(path):
    folder = found(path)
    if not folder.is_dir():
        raise _Missing(f"folder '{path}'")
    return folder


def _chartmimic(folder, split, skipped):
    """direct_<split>/<kind>_<n>.py and .png."""
    task = folder / f"direct_{split}"
    return _dataset([{"id": name, "image": image, "language": "matplotlib", "reference": code,
                      "kind": name.rpartition("_")[0]}
                     for name, code, image in _pairs(task, ".py", folder, skipped)])


def _pairs(task, ending, folder, skipped):
    """(name, code, picture) of each program or page that lies beside its picture, in the order of names."""
    files = {file.name: file for file in sorted(task.glob("*"), key=_number) if file.name[0] != "."}
    programs = [file for file in files.values() if file.suffix == ending]
    if not programs:
        raise _Missing(f"{(task / ('*' + ending)).relative_to(folder)} in '{folder}'")
    pairs = []
    for file in programs:
        try:
            code = _code(text_of(file.read_bytes(), "replace"))
            pairs.append((file.stem, code, stored(_beside(file, ".png"))))
        except Exception as error:  # decoders raise almost anything on broken input
            skipped[file.name] = reason(error)
    alone = [name for name in files if name.endswith(".png") and name[:-4] + ending not in files]
    skipped.update((name, f"no {name[:-4]}{ending} beside it") for name in alone)
    return pairs


def _beside(file, ending):
    picture = file.with_suffix(ending)
    if not picture.exists():
        raise ValueError(f"no {picture.name} beside it")
    return picture


def _code(text):
    if not isinstance(text, str) or not text.strip():
        raise ValueError("its code is empty")
    return text


def _plot2code(folder, split, skipped):
    """data/<split>/test/metadata.jsonl, one line a picture."""
    file = folder / "data" / split / "test" / "metadata.jsonl"
    if not file.exists():
        raise _Missing(f"{file.relative_to(folder)} in '{folder}'")
    found_there, problems = json_lines(file)
    skipped.update((f"{file.name}, {where}", why)
                   for where, _, why in (problem.partition(": ") for problem in problems))
    language, items = split.partition("_")[2], {}
    for number, row in found_there:
        where = f"{file.name}, line {number}"
        try:
            item = _plot(row, file.parent, language)
            if item["id"] in items:
                raise ValueError(f"a second item {item['id']!r}")
            items[item["id"]] = item
        except Exception as error:
            skipped[where] = reason(error)
    return _dataset(list(items.values()))


def _plot(row, folder, language):
    """An item of Plot2Code; ValueError where something of it is missing."""
    for name in ("file_name", "url", "code", "instruction"):
        if name not in row:
            raise ValueError(f"no {name!r}")
    name = Path(str(row["file_name"])).name
    if not (folder / name).is_file():
        raise ValueError(f"no {name} beside it")
    return {"id": Path(name).stem, "image": stored(folder / name), "language": language,
            "reference": _code(row["code"]), "kind": _section(row["url"] or ""),
            "instruction": row["instruction"] or ""}


def _section(url):
    """"pie_and_polar_charts" of matplotlib's gallery, "bar-charts" of plotly's pages."""
    parts = [part for part in url.split("/") if part]
    if "gallery" in parts[:-1]:
        return parts[parts.index("gallery") + 1]
    return parts[-1] if parts else ""


def _design2code(folder, split, skipped):
    """<name>.html and <name>.png, or the one parquet file of Design2Code-hf."""
    if any(page.name[0] != "." for page in folder.glob("*.html")):
        return _dataset([{"id": name, "image": image, "language": "html", "reference": page, "kind": "page"}
                         for name, page, image in _pairs(folder, ".html", folder, skipped)])
    return _usable(_parquet(folder, "data/train-*-of-00001.parquet"), skipped)


def _websight(folder, split, skipped):
    """data/train-*.parquet; the held-out rows are those of one file that the record names."""
    from datasets import concatenate_datasets

    shard, held_out = _held_out(folder)
    if split == "heldout":
        rows = _parquet(folder, f"data/{shard}-*.parquet")
        if held_out[-1] >= len(rows):
            raise ValueError(f"{_record(folder)} holds out row {held_out[-1]}, but {shard} has {len(rows)} "
                             "rows")
        return _usable(rows.select(held_out), skipped)
    parts = []
    for file in sorted(folder.glob("data/train-*.parquet")):
        rows = _parquet(folder, f"data/{file.name}")
        if file.name.startswith(shard):
            rows = rows.select(sorted(set(range(len(rows))) - set(held_out)))
        parts.append(_usable(rows, skipped))
    if not parts:
        raise _Missing(f"data/train-*.parquet in '{folder}'")
    return concatenate_datasets(parts)


def _held_out(folder):
    """(the file, the numbers of its rows) that are held out."""
    try:
        record = json.loads(text_of(_record(folder).read_bytes()))["v0.1"]
        return record["shard"], record["rows"]
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{_record(folder)} does not record the held-out rows of v0.1; its form is "
                         '{"v0.1": {"shard": "train-...", "rows": [0, 1]}}') from None


def _record(folder):
    own = folder / "heldout.json"
    return own if own.exists() else REPOSITORY / "data/benchmarks/websight-heldout.json"


def _parquet(folder, pattern):
    """A file of pictures and pages with the columns of a benchmark; ids are the file's number and the
    row's."""
    import pyarrow.parquet
    from datasets import Dataset, Image

    file = next(iter(sorted(folder.glob(pattern))), None)
    if file is None:
        raise _Missing(f"{pattern} in '{folder}'")
    try:
        columns = pyarrow.parquet.read_schema(file).names
    except Exception as error:
        raise ValueError(f"{file} cannot be read ({reason(error)}); download it again") from None
    if not {"image", "text"} <= set(columns):
        raise ValueError(f"{file} has the columns {', '.join(columns)}; image and text are needed")
    rows = Dataset.from_parquet(str(file), columns=["image", "text"]).rename_column("text", "reference")
    number = file.name.split("-")[1]
    rows = rows.add_column("id", [f"{number}-{i:05d}" for i in range(len(rows))])
    for name, value in (("language", "html"), ("kind", "page")):
        rows = rows.add_column(name, [value] * len(rows))
    rows = rows.cast_column("image", Image(decode=False))
    return rows.select_columns(["id", "image", "language", "reference", "kind"])


def _usable(rows, skipped):
    """The rows of a parquet file that have a page and a picture, each picture plain RGB."""
    from datasets import Image

    kept, changed = [], {}
    for i, row in enumerate(rows):
        try:
            _code(row["reference"])
            data = (row["image"] or {}).get("bytes")
            if not data:
                raise ValueError("no picture")
            plain = stored(data)
        except Exception as error:
            skipped[row["id"]] = reason(error)
            continue
        if plain["bytes"] is not data:
            changed[row["id"]] = plain
        kept.append(i)
    rows = rows if len(kept) == len(rows) else rows.select(kept)
    if changed:
        rows = rows.map(lambda row: {"image": changed.get(row["id"], row["image"])}, features=rows.features,
                        desc="pictures as RGB")
    return rows.cast_column("image", Image(mode="RGB"))


def _dataset(rows):
    from datasets import Dataset, Features, Image, Value

    names = list(rows[0]) if rows else ["id", "image", "language", "reference", "kind"]
    kinds = dict.fromkeys(names, Value("string")) | {"image": Image(mode="RGB")}
    return Dataset.from_dict({name: [row[name] for row in rows] for name in names}, features=Features(kinds))


def _number(file):
    """Order of names by their number: bar_2 before bar_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.stem)]


# sizes as the hub lists these files, or shards like them
BENCHMARKS = {
    "chartmimic": _Benchmark(
        "ChartMimic", "ChartMimic/ChartMimic", "dataset-iclr.tar.gz", "389 MB packed, 4800 items",
        {"600": 600, "1800": 1800}, _chartmimic,
        " && tar xzf data/ChartMimic/dataset-iclr.tar.gz -C data/ChartMimic"),
    "plot2code": _Benchmark(
        "Plot2Code", "TencentARC/Plot2Code", "data/*", "20.5 MB, 368 items",
        {"python_matplotlib": 132, "python_plotly": 150}, _plot2code),
    "design2code": _Benchmark(
        "Design2Code", "SALT-NLP/Design2Code-hf", "data/*.parquet", "77.6 MB, 484 items",
        {"test": 484}, _design2code),
    "websight": _Benchmark(
        "WebSight", "HuggingFaceM4/WebSight", "data/train-00070-of-00071-*.parquet",
        "one of 71 files, about 440 MB", {"heldout": 500, "train": None}, _websight),
}
