"""Records the runs of notebook 07: one that is sound, and four in which one thing is silently wrong.

    python data/runs/make.py                # all five, about a minute each on two cores: NAME.tar.xz here
    python data/runs/make.py healthy b      # some of them

Whoever wants to solve the notebook's quiz stops reading here: `RUNS` says what is wrong with which.

A run is a real training (six steps, two groups of four) with one of the faults of tests/benchmarks/planted.py
in it. Training charts and renders are 224 pixels wide and have 32 colours, before anything is trained or
judged, so that what is stored is what was seen. A run is packed with the files that reading it needs; its
pictures get a palette, which changes no pixel, and are left to the archive to compress: many are alike.

Left out: weights, checkpoints, evaluations.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from rrvf_lab.leaves.files import REPOSITORY
from rrvf_lab.render import Renderer
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.process import prepare
from rrvf_lab.training.report import report_of, write_report

sys.path.insert(0, str(REPOSITORY / "tests/benchmarks"))
from planted import FAULTS, SMALL, Plant

RUNS = {"healthy": None, "a": "feedback_of_another", "b": "learning_rate_times_30", "c": "temperature_zero",
        "d": "stale_renders"}
HERE = Path(__file__).resolve().parent
SCRATCH = Path("runs/recorded")  # what is trained, before it is packed
CHARTS, WIDTH, COLOURS = 24, 224, 32
KEPT = "config.json", "log.jsonl", "report.json", "rollouts/*.jsonl", "rollouts/images/*.png"


def few_colours(image):
    return image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")


def small_charts() -> Path:
    """The first training charts, small and with few colours."""
    folder = SCRATCH / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((REPOSITORY / "data/charts/train").glob("*.png"))[:CHARTS]:
        with Image.open(path) as image:
            size = WIDTH, round(image.height * WIDTH / image.width)
            few_colours(image.convert("RGB").resize(size, Image.Resampling.LANCZOS)).save(folder / path.name)
    return folder


def record(name: str, charts: Path) -> Path:
    """Train one run with its fault; returns its folder."""
    folder = SCRATCH / name
    shutil.rmtree(folder, ignore_errors=True)
    plant = Plant(folder, SMALL["steps"], np.random.default_rng(7))

    def fewer(original, *args, **kwargs):
        drawn = original(*args, **kwargs)
        return drawn if drawn.image is None else replace(drawn, image=few_colours(drawn.image))

    with plant.patches:
        plant.wrap(Renderer, "render", fewer)
        if RUNS[name]:
            FAULTS[RUNS[name]][0](plant)
        own = {"prompts": 2, "micro_batch": 8, "train_images": str(charts), "language": "matplotlib"}
        config = TrainConfig.load("demo", output=str(folder), **SMALL | own | plant.changes)
        prepare(config)
        trainer = make_trainer(config, judge=plant.judge)
        if plant.after:
            plant.after(trainer)
        trainer.train()
    write_report(folder, report_of(config, trainer.state, folder / "adapter"))
    return folder


def pack(folder: Path) -> Path:
    """The files of a run that reading it needs, as data/runs/NAME.tar.xz."""
    for path in (folder / "rollouts/images").glob("*.png"):
        with Image.open(path) as image:
            pixels = image.convert("RGB")
        small = pixels.quantize(256, dither=Image.Dither.NONE)
        same = small.convert("RGB").tobytes() == pixels.tobytes()
        (small if same else pixels).save(path, compress_level=0)
    packed = HERE / f"{folder.name}.tar.xz"
    with tarfile.open(packed, "w:xz", preset=9) as file:
        for path in sorted(path for pattern in KEPT for path in folder.glob(pattern)):
            file.add(path, path.relative_to(folder), filter=_anonymous)
    return packed


def _anonymous(member):
    """Neither who made a file nor when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(RUNS)}")
    names = parser.parse_args().names or list(RUNS)
    charts = small_charts()
    for name in names:
        packed = pack(record(name, charts))
        print(f"{packed}: {packed.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
