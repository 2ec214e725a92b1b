"""How far does a policy carry over from the charts it was trained on? `python
tests/benchmarks/generalise.py`.

One policy, five kinds of raw images, the same rules, the embedded judge: held-out charts of the generator
it was trained on; matplotlib charts of another generator (`bench_judge`: other kinds, styles, palettes);
charts drawn by plotly; SVG drawings; web pages. It is always asked for matplotlib, the only language the
nano model writes. "own" is the vision score with its 95 % bootstrap interval; "another's" judges each final
picture against the next image instead, what one gets in this domain without looking at the right one;
"seen" is the paired difference.

    --adapter FOLDER    what `python -m rrvf_lab.train` saved; its base is measured beside it, paired by image
    --model nano        the base where there is no adapter;  --n 40  images in each domain;  --turns 2
    --output FOLDER     where rollouts are recorded (runs/generalise); run again it goes on where it was
    --draw FOLDER       only draw the charts of the other generator and plotly's there (data/elsewhere)

Left out: other languages than matplotlib, other judges, and training on more than one domain.
"""
import argparse
import itertools
import json
import os
import random
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bench_judge  # noqa: E402

import rrvf_lab as rl  # noqa: E402
from rrvf_lab.records.statistics import interval  # noqa: E402


def folder(name, n):
    images = rl.load_images(name, language="matplotlib")
    return images.select(range(min(n, len(images))))


def draw(output, n):
    """Charts of another generator than data/charts/make.py's, in matplotlib and in plotly, as PNG files."""
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


DOMAINS = {
    "held-out charts": lambda n: folder("data/charts/test", n),
    "charts, another generator": lambda n: folder("data/elsewhere/charts", n),
    "charts drawn by plotly": lambda n: folder("data/elsewhere/plotly", n),
    "SVG drawings": lambda n: folder("data/drawings/test", n),
    "web pages": lambda n: folder("data/pages/test", n),
}


def line(domain, name, report):
    own, other = [], []
    for a, b in itertools.pairwise([*report.rollouts, report.rollouts[0]]):
        own.append(a.reward.vision)
        other.append(rl.judge(b.target, a.final.rendering.image).score if a.ran else 0.0)
    seen = [a - b for a, b in zip(own, other, strict=True)]
    s, (low, high), (left, right) = report.summary, interval(own), interval(seen)
    print(f"| {domain} | {name} | {s['n']} | {s['exec']:.0%} | {s['vision']:.3f} ({low:.3f} to {high:.3f}) | "
          f"{s['vision_executed']:.3f} | {sum(other) / len(other):.3f} | "
          f"{sum(seen) / len(seen):+.3f} ({left:+.3f} to {right:+.3f}) |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="nano")
    parser.add_argument("--adapter")
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--output", default="runs/generalise")
    parser.add_argument("--draw")
    args = parser.parse_args()
    if args.draw:
        draw(args.draw, args.n)
        return
    model = args.model
    if args.adapter:
        model = json.loads((Path(args.adapter) / "adapter_config.json").read_text())[
            "base_model_name_or_path"
        ]
    policies = {model: None} | ({f"{model} trained": args.adapter} if args.adapter else {})
    print(
        "| images | policy | n | exec | own | own, executed | another's | seen |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    effects = []
    for domain, images_of in DOMAINS.items():
        images, reports = images_of(args.n), []
        for name, adapter in policies.items():
            record = Path(args.output) / domain.replace(" ", "-").replace(",", "")
            policy = rl.load_policy(model, adapter=adapter)
            report = rl.evaluate(
                policy, images, args.turns, record=record, name=name.replace(" ", "-"), resume=True
            )
            line(domain, name, report)
            reports.append(report)
        if len(reports) > 1:
            effects.append((domain, reports[0].compare(reports[1])))
    for domain, found in effects:
        split = found.split()["contribution"]
        print(f"{domain}: {found}; of it crashes repaired {split['crash repaired']:+.3f}, "
              f"quality {split['quality (both ran)']:+.3f}, newly broken {split['newly broken']:+.3f}")


if __name__ == "__main__":
    main()
