"""Makes the embedded models of data/nano from nothing: supervision on synthetic charts, no reinforcement yet.

    python data/nano/make.py                # data/nano/{nano-base,nano}, on two CPU cores
    python data/nano/make.py --check        # only measures what is there

Phase by phase the model learns to read plain charts (`narrow`), charts in any look (`look`), to obey a
judge's words where there is nothing to see (`obey`), and to do both, over three turns (`follow`, `finish`;
see `following`). RRVF takes it from there with raw images alone; no raw image of data/charts is ever seen
here. `nano-base` is `nano` after one short phase more (`lot`), in which the whole look of a program is drawn
by lot: it reads and listens, and what a chart looks like is what raw images can teach it.

What makes two million parameters read on a CPU: white paper is zero in the pixel normalisation; Muon on
the matrices; the scales of the initial weights; never the same chart twice. What makes them follow: one token
for each entry of a list, numbers last, a scratch line for sums, words without pictures first, and fresh
embeddings for the tokens of which reading made no use.

Left out: words. They are learnt where they always stand at one place (`narrow`), and lost where they do not.
Several seeds and a choice among them: what the first seed gives is what ships.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import listening
import numpy as np
import torch
from following import Following
from lessons import Phase, sample, spoken, turn_of
from measure import check
from parts import EMBEDDING, build_model, build_processor
from PIL import Image
from tqdm.auto import tqdm

from rrvf_lab.nano.distinct import encode_each_once
from rrvf_lab.policy import load_policy
from rrvf_lab.talk import opening

RECIPES = {  # batches in each phase
    "nano": {"narrow": 500, "look": 3000, "obey": 800, "follow": 1000, "finish": 900},
    "nano-base": {"narrow": 500, "look": 3000, "obey": 800, "follow": 1000, "finish": 900, "lot": 250},
}
PHASES = {
    "narrow": Phase({"narrow": 1.0}, loose=0.0, peak=1.0, stream=0),
    "look": Phase({"first": 1.0}, loose=0.25, peak=1.0, stream=1),
    "obey": Phase({"first": 0.1, "told": 0.001, "words": 0.529, "sums": 0.37},
                  loose=0.25, peak=1.0, stream=5),
    "follow": Phase({"first": 0.36, "told": 0.1, "shown": 0.22, "words": 0.22, "sums": 0.1},
                    loose=0.25, peak=0.7, stream=3),
    "finish": Phase({"first": 0.3, "told": 0.14, "shown": 0.2, "words": 0.26, "sums": 0.1},
                    loose=0.25, peak=0.7, stream=4),
    "lot": Phase({"first": 0.5, "told": 0.12, "shown": 0.16, "words": 0.16, "sums": 0.06},
                 loose=0.25, peak=0.5, stream=2, early=True),
}


def cold_start(recipe: str, out: Path, seed: int = 0) -> None:
    """Train one checkpoint from nothing, phase after phase, and save it with its processor.

    A finished phase is kept beside `out` under the names of the phases so far: an interrupted cold start goes
    on where it stopped, and phases that two recipes share are trained once.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the second core draws the charts
    processor = build_processor()
    model = build_model(processor.tokenizer)
    size = sum(p.numel() for p in model.parameters())
    print(f"{recipe}: {size / 1e6:.2f} M parameters, seed {seed}", flush=True)
    seconds, done, listens = 0.0, f"seed-{seed}", False
    encode_each_once(model)  # many of the pictures that follow a draft are the same
    for phase, batches in RECIPES[recipe].items():
        done += f"-{phase}-{batches}"
        saved = out.parent / "phases" / f"{done}.pt"
        if saved.exists():
            state = torch.load(saved)
            model.load_state_dict(state["model"])
        else:
            saved.parent.mkdir(parents=True, exist_ok=True)
            if "told" in PHASES[phase].mix and not listens:
                _hear(model, processor)
            took = _train(model, processor, phase, batches, seed, saved.with_suffix(".part"))
            state = {"model": model.state_dict(), "seconds": took}
            torch.save(state, saved)
        seconds += state["seconds"]
        listens = listens or "told" in PHASES[phase].mix
    model.eval().save_pretrained(out)
    processor.save_pretrained(out)
    print(f"{recipe}: {seconds / 60:.1f} minutes, saved to {out}", flush=True)


def _hear(model, processor):
    """Fresh embeddings for the tokens that no first turn has, before the first phase in which a judge speaks.

    Pushed down as outputs through all of reading, they have run into one direction (norm 6.2, of which 6.17
    in common): tied to it, a `+3` is then no other input than a `-7`, and no sum is learnt.
    """
    rng = np.random.default_rng(0)
    turns = [spoken(turn_of(sample(rng))) for _ in range(4000)]
    messages = opening(Image.new("RGB", (8, 6)), "matplotlib", 3) + turns
    said = processor.tokenizer(processor.apply_chat_template(messages, tokenize=False))["input_ids"]
    rows = model.get_input_embeddings().weight
    unheard = torch.ones(len(rows), dtype=torch.bool)
    unheard[said] = False
    with torch.no_grad():
        rows[unheard] = torch.randn(int(unheard.sum()), rows.shape[1]) * EMBEDDING


def _train(model, processor, name, batches, seed, part) -> float:
    """One phase; returns its seconds. Its state is kept in the file `part` as it goes, and it goes on from
    there."""
    losses, phase, done, before = [], PHASES[name], 0, 0.0
    optimizers = _optimizers(model)

    def rate(step):  # warm up, hold, decay over the second half
        return phase.peak * min(1.0, (step + 1) / 40, max(0.05, 2 * (batches - step) / batches))

    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, rate) for optimizer in optimizers]
    if part.exists():
        done, before = _load_part(part, model, optimizers, schedules)
    stream = Following(processor, phase, batches, seed=[seed, phase.stream], start=done)
    started = time.time() - before
    loader = torch.utils.data.DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=8)
    bar = tqdm(loader, total=batches, initial=done, desc=name, mininterval=10)
    for step, batch in enumerate(bar, done + 1):
        loss = _loss(model.train(), **batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if step % 100 == 0 or step == batches:
            took = time.time() - started
            print(f"  {name} batch {step:5d}  loss {np.mean(losses[-100:]):.3f}  {took:.0f} s", flush=True)
            if step < batches:
                _save_part(part, model, optimizers, schedules, step, took)
    part.unlink(missing_ok=True)
    return time.time() - started


def _loss(model, labels, **batch):
    """What the model itself would say, with words predicted only where they are supervised: faster."""
    hidden, wanted = model.model(**batch).last_hidden_state[:, :-1], labels[:, 1:]
    where = wanted != -100
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[where]), wanted[where])


def _save_part(part, model, optimizers, schedules, step, took):
    state = {"model": model.state_dict(), "step": step, "seconds": took,
             "others": [one.state_dict() for one in (*optimizers, *schedules)]}
    torch.save(state, part.with_suffix(".new"))
    part.with_suffix(".new").replace(part)


def _load_part(part, model, optimizers, schedules):
    state = torch.load(part)
    model.load_state_dict(state["model"])
    for one, kept in zip((*optimizers, *schedules), state["others"], strict=True):
        one.load_state_dict(kept)
    return state["step"], state["seconds"]


def _optimizers(model):
    """Muon for the matrices, also the patch embedding (written as a convolution); AdamW for the rest."""
    matrices, others = [], []
    for name, p in model.named_parameters():
        matrix = p.ndim == 5 or (p.ndim == 2 and "embed" not in name)
        (matrices if matrix else others).append(p)
    return [Muon(matrices, lr=0.02), torch.optim.AdamW(others, lr=2e-3, betas=(0.9, 0.95), weight_decay=0.0)]


class Muon(torch.optim.Optimizer):
    """Momentum whose step is orthogonalised by five Newton-Schulz iterations (Jordan et al., 2024), in fp32.

    `torch.optim.Muon` computes in bf16, which is many times slower than fp32 on ordinary CPUs.
    """

    def __init__(self, params, lr=0.02, momentum=0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("buffer", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                gradient = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                high, wide = gradient.shape
                step = _orthogonal(gradient).reshape(p.shape)
                p.add_(step, alpha=-group["lr"] * max(1, high / wide) ** 0.5)


def _orthogonal(gradient):
    tall = gradient.shape[0] > gradient.shape[1]
    x = gradient.T if tall else gradient
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if tall else x


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent,
                        help="folder that gets one sub-folder per checkpoint")
    parser.add_argument("--only", choices=list(RECIPES), help="make one checkpoint instead of both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="only measure what is there")
    args = parser.parse_args(argv)
    started = time.time()
    for recipe in [args.only] if args.only else list(RECIPES):
        if not args.check:
            cold_start(recipe, args.out / recipe, seed=args.seed)
        policy = load_policy(str(args.out / recipe))
        print(f"{recipe}, its own charts: " + ", ".join(f"{k} {v:.3g}" for k, v in check(policy).items()),
              flush=True)
        listening.report(str(args.out / recipe))
    if not args.check:  # an interrupted cold start still needs them
        shutil.rmtree(args.out / "phases", ignore_errors=True)
    print(f"done in {(time.time() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
