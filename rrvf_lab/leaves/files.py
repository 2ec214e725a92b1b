"""Where a path points, and writing a file whole or not at all.

Left out: locks. Two processes that write one file each write it whole; the last one wins.
"""

from __future__ import annotations

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
