"""One evaluation on disk, whole at every moment: what is played is kept, what is missing can be played alone.

Left out: two processes that write one recording.
"""

from __future__ import annotations

import glob
import json
import threading

from PIL import Image

from ..leaves.files import lines_of, write_whole
from ..leaves.pictures import rgb
from ..rollout import Rollout
from .store import Recorder, Rollouts


class Recording:
    """`name`.jsonl, and while the evaluation is under way `name`~000000.jsonl, ... with a batch in each.

    Files are written whole or not at all, so `load_rollouts` can read the folder at any time. What a failing
    disk or a copy cut short left behind (half a line, half a picture) is passed over, and its items count as
    undone.

    Example: `Recording("runs/e", "before", resume=True).done({"test-0001"})`.
    """

    def __init__(self, folder, name: str, resume: bool):
        self.recorder, self.name, self.parts, self._lock = Recorder(folder), name, 0, threading.Lock()
        self.folder, self.path = self.recorder.folder, self.recorder.folder / f"{name}.jsonl"
        if resume:
            self.join([])
        else:
            for path in self._files():
                path.unlink()

    def done(self, ids) -> dict[str, Rollout]:
        """The recorded rollouts of these ids."""
        found = {}
        for id, line in self._lines().items():
            if id in ids:
                try:
                    found[id] = Rollouts([json.loads(line)], self.folder)[0]
                except (OSError, KeyError, TypeError, ValueError):
                    self._forget(id)
        return found

    def check(self, rollout: Rollout, image, max_turns: int) -> None:
        """What is resumed must be this evaluation: two folders may use the same ids. ValueError where it is
        not."""
        image, target, turns = rgb(image), rollout.target, rollout.info.get("max_turns", max_turns)
        if (image.size, image.tobytes()) != (target.size, target.tobytes()):
            other = f"a picture of {target.size[0]} x {target.size[1]} pixels that is not the item's"
        elif turns != max_turns:
            other = f"max_turns={turns}, not {max_turns}"
        else:
            return
        raise ValueError(
            f"cannot resume: {self.path} has {rollout.id!r} with {other}; give another name or record "
            "folder, or resume=False to replace it"
        )

    def add(self, rollouts) -> None:
        """Record a batch."""
        with self._lock:
            self.recorder.write(f"{self.name}~{self.parts:06d}", rollouts)
            self.parts += 1

    def join(self, ids) -> None:
        """All parts into one file, in the order of `ids`; killed before the parts are gone, it is done again.
        """
        files = self._files()
        if files and (len(files) > 1 or files[0] != self.path or ids):
            lines = self._lines()
            self._write({id: lines[id] for id in [*ids, *lines] if id in lines})
        for path in files:
            if path != self.path:
                path.unlink()

    def update(self, rollouts) -> None:
        """Write these rollouts' `info` again."""
        lines = self._lines()
        for rollout in rollouts:
            lines[rollout.id] = json.dumps(json.loads(lines[rollout.id]) | {"info": rollout.info}).encode()
        self._write(lines)

    def _files(self):
        parts = sorted(self.folder.glob(f"{glob.escape(self.name)}~[0-9]*.jsonl"))
        return [self.path] * self.path.exists() + parts

    def _lines(self):
        """{id: line} of what can be read."""
        lines = {}
        for path in self._files():
            for line in lines_of(path.read_bytes()):
                try:
                    lines.setdefault(json.loads(line)["id"], line)
                except (ValueError, TypeError, KeyError):
                    continue
        return lines

    def _forget(self, id):
        """Take out an item that cannot be read, and its broken pictures, which would be taken for good ones.
        """
        lines = self._lines()
        row = json.loads(lines.pop(id))
        drawn = [(turn.get("rendering") or {}).get("image") for turn in row.get("turns", [])]
        for name in [row.get("target"), *drawn]:
            path = self.folder / "images" / f"{name}.png"
            try:
                with Image.open(path) as image:
                    image.load()
            except (OSError, SyntaxError):
                path.unlink(missing_ok=True)
        self._write(lines)

    def _write(self, lines):
        write_whole(self.path, b"".join(line + b"\n" for line in lines.values()))
