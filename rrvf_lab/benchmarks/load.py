"""Benchmarks in: ChartMimic, Plot2Code, Design2Code and WebSight become a `datasets.Dataset` each.

They are read as they lie on disk or in the hub's cache. Columns beyond the picture (`reference` code, `kind`,
...) are for evaluation: an episode ignores them, so the policy never sees them. A benchmark with an item
missing or broken is an error, because a mean over fewer items is another number.

Left out: Plot2Code's R plots, Design2Code's hard set, and the figure size that ChartMimic's own prompt tells.
WebSight's and Design2Code's parquet pictures are decoded when they are used, not here.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from ..data import readable, reason
from ..leaves.files import REPOSITORY, found


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

    Raises: ValueError (unknown name or split, a broken item), FileNotFoundError (nothing there, or a part of
        it; names the part, its size and the command that gets it). Fewer items than the benchmark has are a
        UserWarning.

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
    try:
        folder = _cached(source) if path is None else _found(path)
        rows = source.read(folder, split)
    except _Missing as gap:
        raise FileNotFoundError(f"{source.title}: no {gap}; get it ({source.size}): {source.command} ; then "
                                f"load_benchmark({name!r}, 'data/{source.title}')") from None
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


def _chartmimic(folder, split):
    """direct_<split>/<kind>_<n>.py and .png."""
    task = folder / f"direct_{split}"
    programs = sorted(task.glob("*.py"), key=_number)
    if not programs:
        raise _Missing(f"{task.name}/*.py in '{folder}'")
    return _dataset([{"id": program.stem, "image": _picture(program.with_suffix(".png")),
                      "language": "matplotlib", "reference": program.read_text("utf-8", "replace"),
                      "kind": program.stem.rpartition("_")[0]} for program in programs])


def _plot2code(folder, split):
    """data/<split>/test/metadata.jsonl, one line a picture."""
    file = folder / "data" / split / "test" / "metadata.jsonl"
    if not file.exists():
        raise _Missing(f"{file.relative_to(folder)} in '{folder}'")
    language = split.partition("_")[2]
    return _dataset([{"id": Path(row["file_name"]).stem, "image": _picture(file.parent / row["file_name"]),
                      "language": language, "reference": row["code"], "kind": _section(row["url"]),
                      "instruction": row["instruction"]}
                     for row in _lines(file, "file_name", "url", "code", "instruction")])


def _section(url):
    """"pie_and_polar_charts" of matplotlib's gallery, "bar-charts" of plotly's pages."""
    parts = [part for part in url.split("/") if part]
    if "gallery" in parts[:-1]:
        return parts[parts.index("gallery") + 1]
    return parts[-1] if parts else ""


def _design2code(folder, split):
    """<name>.html and <name>.png, or the one parquet file of Design2Code-hf."""
    pages = sorted(folder.glob("*.html"), key=_number)
    if pages:
        return _dataset([{"id": page.stem, "image": _picture(page.with_suffix(".png")), "language": "html",
                          "reference": page.read_text("utf-8", "replace"), "kind": "page"} for page in pages])
    return _parquet(folder, "data/train-*-of-00001.parquet")


def _websight(folder, split):
    """data/train-*.parquet; the held-out rows are those of one file that the record names."""
    from datasets import concatenate_datasets

    shard, held_out = _held_out(folder)
    if split == "heldout":
        rows = _parquet(folder, f"data/{shard}-*.parquet")
        if held_out[-1] >= len(rows):
            raise ValueError(f"{_record(folder)} holds out row {held_out[-1]}, but {shard} has {len(rows)} "
                             "rows")
        return rows.select(held_out)
    parts = []
    for file in sorted(folder.glob("data/train-*.parquet")):
        rows = _parquet(folder, f"data/{file.name}")
        if file.name.startswith(shard):
            rows = rows.select(sorted(set(range(len(rows))) - set(held_out)))
        parts.append(rows)
    if not parts:
        raise _Missing(f"data/train-*.parquet in '{folder}'")
    return concatenate_datasets(parts)


def _held_out(folder):
    """(the file, the numbers of its rows) that are held out."""
    try:
        record = json.loads(_record(folder).read_text("utf-8"))["v0.1"]
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
    rows = rows.cast_column("image", Image(mode="RGB"))
    return rows.select_columns(["id", "image", "language", "reference", "kind"])


def _dataset(rows):
    from datasets import Dataset, Features, Image, Value

    kinds = dict.fromkeys(rows[0], Value("string")) | {"image": Image(mode="RGB")}
    return Dataset.from_list(rows, features=Features(kinds))


def _picture(file):
    if not file.exists():
        raise _Missing(f"{file.name} in '{file.parent}'")
    try:
        return readable(file)
    except Exception as error:
        raise ValueError(f"{file}: {reason(error)}; a benchmark is read whole or not at all, so get that "
                         "file again") from None


def _lines(file, *names):
    """The objects of a JSON lines file, each with these fields."""
    rows = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            {name: row[name] for name in names}
        except (ValueError, TypeError, KeyError) as error:
            what = "no" if isinstance(error, KeyError) else "no JSON object:"
            raise ValueError(f"{file}, line {number}: {what} {error}") from None
        rows.append(row)
    return rows


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
