"""Where a path points, what a file from elsewhere says, and writing a file whole or not at all.

Left out: locks. Two processes that write one file each write it whole; the last one wins.
"""

from __future__ import annotations

import codecs
import json
import os
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def found(path) -> Path:
    """A path as given where that exists, else inside the repository, so that notebooks can name data/ from
    anywhere.

    Example: `found("data/charts/test")`.
    """
    given = Path(path).expanduser()
    return given if given.exists() else REPOSITORY / given


def text_of(data: bytes, errors: str = "strict") -> str:
    """The text of a file, whatever editor wrote it: UTF-8, or UTF-16 with its mark; marks (BOM) left out,
    every line ended by "\\n".

    Example: `text_of(b"\\xef\\xbb\\xbfa\\r\\nb") == "a\\nb"`.
    """
    coding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(coding, errors).replace("\r\n", "\n").replace("\r", "\n")


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a JSON lines file, blank ones too: cut at "\\n" alone, as texts may hold other line ends.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    return data.split(b"\n" if b"\n" in data else b"\r")


def json_lines(path) -> tuple[list[tuple[int, dict]], list[str]]:
    """(the objects of a JSON lines file with their line numbers, a problem for each line that holds none).

    Blank lines and marks (BOM) are passed over. A last line that was cut short is named as that.

    Example: `rows, problems = json_lines("data/rollouts/nano.jsonl")`.
    """
    rows, problems, data = [], [], Path(path).read_bytes()
    lines = lines_of(data)
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix(codecs.BOM_UTF8).strip()
        if not line:
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            cut = number == len(lines) and line[:1] == b"{"
            why = "cut short, the end of the file is missing" if cut else getattr(error, "msg", error)
            problems.append(f"line {number}: no JSON ({why})")
        else:
            if isinstance(row, dict):
                rows.append((number, row))
            else:
                problems.append(f"line {number}: no JSON object but {str(row):.40}")
    return rows, problems


def write_whole(path, data: bytes | str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a half. Raises OSError on a full
    disk.

    Example: `write_whole("runs/demo/log.jsonl", "{}\\n")`.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        temporary.write_bytes(data if isinstance(data, bytes) else data.encode())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # on a full disk even its half is in the way
        raise
