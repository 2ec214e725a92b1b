"""Rollouts as one parquet file with the pictures inside: what the hub shows, and what `datasets`, pandas and
other tools read.

    load_rollouts("runs/demo").to_parquet("demo.parquet")
    datasets.load_dataset("parquet", data_files="demo.parquet", split="train")[0]["turns"]

A row is a rollout. Pictures are the stored PNG bytes, undecoded; numbers that nobody gave are NaN or null.

Left out: reading them back as `Rollout`s, for which the recorded folder is there.
"""

from __future__ import annotations

import json
from pathlib import Path

AT_ONCE = 200  # rollouts in memory, and in a row group


def features():
    """The columns, as `datasets.Features`."""
    from datasets import Features, Image, List, Value

    text, number, whole = Value("string"), Value("float64"), Value("int64")
    turn = {"action": text, "thought": text, "code": text, "text": text, "error": text, "picture": Image(),
            "render_error": text, "flags": List(text), "score": number, "feedback": text,
            "unscored_because": text}
    return Features({
        "id": text, "language": text, "step": whole, "group": whole, "advantage": number, "target": Image(),
        "turns": List(turn), "answer": text, "final_turn": whole,  # from 0; null where no code is final
        "vision": number, "format": number, "tool": number, "reward": number, "info": text})


def write_parquet(rows, folder, path) -> Path:
    """Write stored rollouts (rows of the JSON-lines files in `folder`) to one file; returns its path."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema, path = features().arrow_schema, Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with ParquetWriter(path, schema) as writer:
        for start in range(0, len(rows), AT_ONCE):
            some = [_flat(row, folder) for row in rows[start:start + AT_ONCE]]
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
    return path


def _flat(row, folder):
    reward, info = row["reward"] or {}, dict(row["info"])
    return {"id": row["id"], "language": row["language"], "target": _picture(row["target"], folder),
            "turns": [_turn(turn, folder) for turn in row["turns"]], "answer": row["answer"],
            "final_turn": row["choice"], "reward": reward.get("total"),
            **{part: reward.get(part) for part in ("vision", "format", "tool")},
            **{name: info.pop(name, None) for name in ("step", "group", "advantage")},
            "info": json.dumps(info)}


def _turn(turn, folder):
    rendering, verdict = turn.get("rendering") or {}, turn.get("verdict") or {}
    return {name: turn[name] for name in ("action", "thought", "code", "text", "error")} | {
        "picture": _picture(rendering.get("image"), folder), "render_error": rendering.get("error"),
        "flags": list(rendering.get("flags", ())), "score": verdict.get("score"),
        "feedback": verdict.get("feedback"), "unscored_because": verdict.get("reason")}


def _picture(name, folder):
    if name is None:
        return None
    return {"bytes": (Path(folder) / "images" / f"{name}.png").read_bytes(), "path": f"{name}.png"}
