"""Draws the charts that nobody is ever trained on: `python tests/benchmarks/elsewhere.py data/elsewhere`.

Forty of another generator than data/charts/make.py's (the judge benchmark's: other kinds, styles, palettes)
and forty that plotly draws, as PNG files. `rrvf_lab.claims` measures on them.

Left out: how policies do on them.
"""
import random
import sys
from pathlib import Path

import bench_judge

import rrvf_lab as rl


def draw(output, n=40):
    """`n` charts of each kind as output/charts/*.png and output/plotly/*.png."""
    rng = random.Random(bench_judge.SEED)
    pictures = [bench_judge.draw(bench_judge.spec(rng)) for _ in range(n)]
    rng = random.Random(bench_judge.SEED)
    programs = [bench_judge.plotly_program(bench_judge.plotly_spec(rng)) for _ in range(n)]
    with rl.Renderer() as renderer:
        drawn = [one.image for one in renderer.map(programs, "plotly")]
    for name, some in (("charts", pictures), ("plotly", drawn)):
        there = Path(output) / name
        there.mkdir(parents=True, exist_ok=True)
        for i, picture in enumerate(some):
            if picture is not None:
                picture.convert("RGB").quantize(128).save(there / f"{name}-{i:03d}.png", optimize=True)


if __name__ == "__main__":
    draw(sys.argv[1])
