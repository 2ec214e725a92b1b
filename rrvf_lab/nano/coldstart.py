"""The nano model's cold start: supervision on synthetic charts of a narrow distribution, before any reinforcement.

    python -m rrvf_lab.nano            # makes data/nano/{nano,nano-base} again, on two CPU cores

Phase by phase the model learns to read a chart in one line, to read it in other looks, to write the program for its
reading, and to repair a draft from the judge's reply. RRVF takes it from there with raw images alone; no raw image of
data/charts is ever seen here. `nano-base` has the same two phases of reading, then one short mixed one, nearly
all on the narrow charts: it reads better than it writes, and its second turn often breaks what its first one drew.

What makes a million parameters read on a CPU: white paper is zero in the pixel normalisation; Muon on the matrices; the
scales of the initial weights; a first phase of reading without code; the title first; never the same chart twice.

Left out: several seeds and a choice among them. What the first seed gives is what ships.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from . import dialect
from ..environment import opening, reply, write_turn
from ..evaluate import evaluate, ran
from ..judge.pixel import PixelJudge
from .model import HOME, IMAGE_TOKENS, build_model, build_processor
from ..policy import Drafted, load_policy
from ..render.renderer import Rendering

# --------------------------------------------------------------------------------------------------------------------
# One endless stream of charts nobody has seen before, as (images, token ids, which ids are supervised).

class Conversations(torch.utils.data.IterableDataset):
    """Batches of synthetic conversations; `phase` decides the share of each kind of sample (read, code, repair)."""

    def __init__(self, processor, phase, batches, batch_size=16, seed=0):
        self.processor, self.mix, self.batches, self.batch_size, self.seed = processor, MIX[phase], batches, batch_size, seed
        weights = np.array([HARD.get(kind, 1) for kind in dialect.KINDS], float)
        self.kinds = weights / weights.sum()
        self.loose = LOOSE[phase]

    def __iter__(self):
        torch.set_num_threads(1)
        self.rng = np.random.default_rng(self.seed)
        self.painter, self.judge = dialect.Painter(), PixelJudge()
        self.looks = [dialect.Painter(dialect.Look.sample(self.rng)) for _ in range(LOOKS)]
        make = {"read": self._read, "code": self._code, "repair": self._repair}
        for _ in range(self.batches):
            kinds = self.rng.choice(list(self.mix), self.batch_size, p=list(self.mix.values()))
            yield self._collate([make[str(kind)]() for kind in kinds])

    def _sample(self):
        return dialect.sample(self.rng, self.kinds)

    def _paint(self, chart):
        if self.rng.random() >= self.loose:
            return Image.fromarray(self.painter.paint(chart))
        painter = self.looks[self.rng.integers(LOOKS)]
        return loosen(Image.fromarray(painter.paint(chart)), self.rng)

    def _read(self):
        chart = self._sample()
        target = self._paint(chart)
        text = f"<think>{dialect.reading(chart)}</think>\n"
        return [*opening(target, "matplotlib", 2), {"role": "assistant", "content": text}], text

    def _code(self):
        chart = self._sample()
        target = self._paint(chart)
        if self.rng.random() < 0.4:  # a thought about another chart: the code must follow the thought, not the picture
            chart = dialect.sample(self.rng)
            turn = write_turn(dialect.reading(chart), dialect.program(chart))
            return [*opening(target, "matplotlib", 2), {"role": "assistant", "content": turn}], turn.split("</think>")[1]
        turn = write_turn(dialect.reading(chart), dialect.program(chart))
        return [*opening(target, "matplotlib", 2), {"role": "assistant", "content": turn}], turn + "<|im_end|>"

    def _repair(self):
        """A draft, the tool's reply to it, and the turn that should follow."""
        rng, truth = self.rng, self._sample()
        fate = rng.choice(["wrong", "right", "crash"], p=[0.68, 0.20, 0.12])
        draft = dialect.corrupt(truth, rng) if fate == "wrong" else truth
        code = dialect.program(draft)
        target, image, error = self._paint(truth), None, None
        if fate == "crash":
            code, error = _break(code, draft, rng)
        else:
            image = Image.fromarray(self.painter.paint(draft))
        changes = dialect.edits(draft, truth)
        if error is not None or changes is None:
            after = write_turn(dialect.reading(truth), dialect.program(truth))
        elif not changes:
            after = write_turn("Looks right.", answer="turn 1")
        else:
            after = write_turn(f"{changes}. {dialect.reading(truth)}", dialect.program(truth))
        blocks = reply(target, Rendering(image, error, 0.0), self.judge(target, image, error), difference=True,
                       blind=image is not None and rng.random() < 0.1)
        messages = [*opening(target, "matplotlib", 2),
                    {"role": "assistant", "content": write_turn(dialect.reading(draft), code)},
                    {"role": "tool", "name": "render", "content": blocks}, {"role": "assistant", "content": after}]
        return messages, after + "<|im_end|>"

    def _collate(self, samples):
        processor, rows, pixels = self.processor, [], []
        for messages, supervised in samples:
            text = processor.apply_chat_template(messages, tokenize=False)
            # read and swapped-code samples end with the supervised text, not with the template's end of turn
            end = text.rindex(supervised) + len(supervised)
            start = end - len(supervised)
            text = text.replace("<|image_pad|>", "<|image_pad|>" * IMAGE_TOKENS)
            images = [part["image"] for m in messages if not isinstance(m["content"], str) for part in m["content"]
                      if part["type"] == "image"]
            grown = (IMAGE_TOKENS - 1) * len("<|image_pad|>") * len(images)
            prompt = processor.tokenizer(text[:start + grown])["input_ids"]
            answer = processor.tokenizer(text[start + grown:end + grown])["input_ids"]
            rows.append((prompt, answer))
            pixels += images
        length = max(len(a) + len(b) for a, b in rows)
        pad, image = processor.tokenizer.pad_token_id, processor.image_token_id
        ids = torch.full((len(rows), length), pad)
        labels = torch.full((len(rows), length), -100)
        for i, (prompt, answer) in enumerate(rows):
            ids[i, :len(prompt) + len(answer)] = torch.tensor(prompt + answer)
            labels[i, len(prompt):len(prompt) + len(answer)] = torch.tensor(answer)
        batch = dict(processor.image_processor(images=pixels, return_tensors="pt"))
        return batch | {"input_ids": ids, "labels": labels, "attention_mask": (ids != pad).long(),
                        "mm_token_type_ids": (ids == image).long()}


def loosen(image, rng):
    """The same chart, looser: moved and scaled, paler, tinted, blurred, partly hidden. It still shows one chart.

    A model that has seen one exact layout writes no valid reading of any other; this keeps its grammar whole where its
    eyes fail, and is no look at the wider charts that RRVF trains on.
    """
    width, height = image.size
    sx, sy = rng.uniform(0.75, 1.08, 2)
    dx, dy = rng.uniform(-0.08, 0.08, 2) * image.size
    image = image.transform(image.size, Image.Transform.AFFINE, (1 / sx, 0, (width - width / sx) / 2 + dx, 0, 1 / sy,
                            (height - height / sy) / 2 + dy), Image.Resampling.BILINEAR, fillcolor="white")
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.0)))
    if rng.random() < 0.2:
        x, y = rng.uniform(-0.1, 0.8, 2) * image.size
        w, h = rng.uniform(0.1, 0.5, 2) * image.size
        shade = "white" if rng.random() < 0.7 else tuple(map(int, rng.integers(0, 256, 3)))
        image.paste(shade, (int(x), int(y), int(x + w), int(y + h)))
    pixels = np.asarray(image, np.float32)
    paper = rng.uniform(0.93, 1.0, 3) if rng.random() < 0.2 else np.ones(3)
    ink = rng.uniform(0.6, 1.0) * rng.uniform(0.85, 1.15, 3)
    return Image.fromarray(np.clip((255 - (255 - pixels) * ink) * paper, 0, 255).astype(np.uint8))


def _break(code, chart, rng):
    """A program that crashes the way weak ones do (unequal lists), with Python's last line."""
    n = len(chart.series[0])
    names, fewer = dialect.LETTERS[:n], dialect.LETTERS[:n - 1]
    if f"list('{names}')" in code and chart.kind != "group":
        code = code.replace(f"list('{names}')", f"list('{fewer}')")
        if chart.kind == "line":
            return code, f"ValueError: x and y must have same first dimension, but have shapes ({n - 1},) and ({n},)"
        if chart.kind == "area":
            return code, f"ValueError: operands could not be broadcast together with shapes ({n - 1},) ({n},)"
        return code, ("ValueError: shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is between arg 0 "
                      f"with shape ({n - 1},) and arg 1 with shape ({n},).")
    return code.replace("[", "[[", 1), "SyntaxError: '[' was never closed"


class Muon(torch.optim.Optimizer):
    """Momentum whose step is orthogonalised by five Newton-Schulz iterations (Jordan et al., 2024), in fp32.

    `torch.optim.Muon` computes in bf16, which is many times slower than fp32 on ordinary CPUs.
    """

    def __init__(self, params, lr=0.02, momentum=0.95):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("buffer", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                x = g.T if g.shape[0] > g.shape[1] else g
                x = x / (x.norm() + 1e-7)
                for _ in range(5):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                x = x.T if g.shape[0] > g.shape[1] else x
                p.add_(x.reshape(p.shape), alpha=-group["lr"] * max(1, g.shape[0] / g.shape[1]) ** 0.5)


# --------------------------------------------------------------------------------------------------------------------

RECIPES = {  # batches of 16 in each phase
    "nano-base": {"read": 700, "look": 1000, "early": 390},
    "nano": {"read": 700, "look": 1000, "code": 600, "repair": 900},
}
MIX = {"read": {"read": 1.0}, "look": {"read": 1.0}, "code": {"code": 0.75, "read": 0.25},
       "repair": {"repair": 0.75, "code": 0.2, "read": 0.05},
       "early": {"read": 0.2, "code": 0.65, "repair": 0.15}}
PEAK = {"read": 1.0, "look": 1.0, "code": 0.7, "repair": 0.5, "early": 0.7}  # of the learning rates below
# Share of charts in another look, moved, blurred or partly hidden: without it a wider chart breaks the grammar, which is
# what `nano-base` is left to learn from raw images.
LOOSE = {"read": 0.0, "look": 0.7, "code": 0.5, "repair": 0.4, "early": 0.045}
LOOKS = 10
STREAM = {"read": 0, "look": 1, "code": 2, "repair": 3, "early": 5}  # the number of a phase's random stream
HARD = {"scatter": 1.5, "barh": 1.5}  # how much oftener the kinds are drawn that are learnt last


def cold_start(recipe: str, out: Path, seed: int = 0) -> None:
    """Train one checkpoint from nothing, phase after phase, and save it with its processor.

    A finished phase is kept beside `out` under the names of the phases so far: an interrupted cold start goes on where it
    stopped, and phases that two recipes share are trained once.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the second core draws the charts
    processor = build_processor()
    model = build_model(processor.tokenizer)
    print(f"{recipe}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, seed {seed}", flush=True)
    seconds, done = 0.0, f"seed-{seed}"
    for phase, batches in RECIPES[recipe].items():
        done += f"-{phase}-{batches}"
        saved = out.parent / "phases" / f"{done}.pt"
        if saved.exists():
            state = torch.load(saved)
            model.load_state_dict(state["model"])
        else:
            took = _train(model, processor, phase, batches, seed)
            state = {"model": model.state_dict(), "seconds": took}
            saved.parent.mkdir(parents=True, exist_ok=True)
            torch.save(state, saved)
        seconds += state["seconds"]
    model.eval().save_pretrained(out)
    processor.save_pretrained(out)
    print(f"{recipe}: {seconds / 60:.1f} minutes, saved to {out}", flush=True)


def _train(model, processor, phase, batches, seed) -> float:
    from tqdm.auto import tqdm

    started, losses = time.time(), []
    matrices, others = [], []
    for name, p in model.named_parameters():  # the patch embedding is a matrix too, written as a convolution
        (matrices if p.ndim == 5 or (p.ndim == 2 and "embed" not in name) else others).append(p)
    optimizers = [Muon(matrices, lr=0.02), torch.optim.AdamW(others, lr=2e-3, betas=(0.9, 0.95), weight_decay=0.0)]

    def rate(step):  # warm up, hold, decay over the second half
        return PEAK[phase] * min(1.0, (step + 1) / 40, max(0.05, 2 * (batches - step) / batches))

    schedules = [torch.optim.lr_scheduler.LambdaLR(o, rate) for o in optimizers]
    stream = Conversations(processor, phase, batches, seed=[seed, STREAM[phase]])
    loader = torch.utils.data.DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=8)
    for step, batch in enumerate(tqdm(loader, total=batches, desc=phase, mininterval=10), 1):
        loss = model.train()(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if step % 100 == 0 or step == batches:
            print(f"  {phase} batch {step:5d}  loss {np.mean(losses[-100:]):.3f}  {time.time() - started:.0f} s", flush=True)
    return time.time() - started


def held_out(n: int = 200, seed: int = 10**6) -> list[tuple[dialect.Chart, Image.Image]]:
    """Charts of the narrow distribution, with their truth, from a random stream that no cold start uses."""
    rng, painter = np.random.default_rng(seed), dialect.Painter()
    charts = [dialect.sample(rng) for _ in range(n)]
    return [(chart, Image.fromarray(painter.paint(chart))) for chart in charts]


def check(policy, n: int = 200, seed: int = 10**6) -> dict[str, float]:
    """How well a policy reads its own distribution in one turn: accuracy of each field, execution rate, vision score.

    `value` counts single values (of a scatter: places with a point in the chart or in the draft); a wrong number of them
    makes all of a chart's values wrong. n charts, none trained on.
    """
    pairs = held_out(n, seed)
    rollouts = evaluate(policy, [{"image": image, "id": str(i)} for i, (_, image) in enumerate(pairs)], max_turns=1).rollouts
    rows, hits = [], []
    for (truth, _), rollout in zip(pairs, rollouts, strict=True):
        drawn = dialect.parse_program(rollout.code or "")
        row = {f: drawn is not None and getattr(drawn, f) == getattr(truth, f)
               for f in ("title", "xlabel", "ylabel", "kind", "colours", "grid")}
        same = drawn is not None and [len(s) for s in drawn.series] == [len(s) for s in truth.series]
        values = [same and a == b for s, t in zip(truth.series, drawn.series if same else truth.series, strict=True)
                  for a, b in zip(s, t, strict=True) if a or b]
        hits += values
        rows.append(row | {"exact": all(row.values()) and all(values), "exec": ran(rollout), "vision": rollout.reward.vision})
    return {"value": float(np.mean(hits))} | {k: float(np.mean([row[k] for row in rows])) for k in rows[0]} | {"n": n}


def check_repair(policy, n: int = 200, seed: int = 2 * 10**6, own: bool = False) -> dict[str, float]:
    """What the second turn does to wrong drafts, with feedback and blind (blank pictures, no text), on the same drafts.

    Drafts are corrupted truths, or the policy's `own` first turns that ran. Only wrong drafts count. `gain` is turn 2
    minus turn 1, `blind_gain` the same without feedback, `over_blind` their paired difference; each with its `_se`.
    """
    rng, pairs = np.random.default_rng(seed), held_out(n, seed)
    rows = [{"image": image, "id": str(i)} for i, (_, image) in enumerate(pairs)]
    if own:
        drafts = [r.turns[0].text for r in evaluate(policy, rows, max_turns=1).rollouts]
    else:
        drafts = [write_turn(dialect.reading(d), dialect.program(d)) for d in (dialect.corrupt(c, rng) for c, _ in pairs)]
    played = [evaluate(Drafted(drafts, policy), rows, max_turns=2, batch=n, blind=blind).rollouts for blind in (False, True)]
    gains, fixed = ([], []), ([], [])
    for (truth, _), seen, unseen in zip(pairs, *played, strict=True):
        if not seen.turns[0].ran or dialect.parse_program(seen.turns[0].code) == truth:
            continue
        for rollout, gain, fix in zip((seen, unseen), gains, fixed, strict=True):
            gain.append(rollout.reward.vision - rollout.turns[0].score)
            fix.append(dialect.parse_program(rollout.code) == truth)
    gain, blind = map(np.array, gains)
    out = {"n_wrong": len(gain)}
    for name, values in (("gain", gain), ("blind_gain", blind), ("over_blind", gain - blind)):
        out |= {name: float(values.mean()), f"{name}_se": float(values.std(ddof=1) / len(values) ** 0.5)}
    right = [r for (truth, _), r in zip(pairs, played[0], strict=True) if dialect.parse_program(r.turns[0].code or "") == truth]
    return out | {"fixed": float(np.mean(fixed[0])), "fixed_blind": float(np.mean(fixed[1])), "n_right": len(right),
                  "right_kept": float(np.mean([r.code == r.turns[0].code for r in right])) if right else float("nan")}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m rrvf_lab.nano", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=HOME, help="folder that gets one sub-folder per checkpoint")
    parser.add_argument("--only", choices=list(RECIPES), help="make one checkpoint instead of both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="only measure what is there")
    args = parser.parse_args(argv)
    started = time.time()
    for recipe in [args.only] if args.only else list(RECIPES):
        if not args.check:
            cold_start(recipe, args.out / recipe, seed=args.seed)
        policy = load_policy(str(args.out / recipe))
        for name, numbers in (("first turn", check(policy)), ("second turn, corrupted drafts", check_repair(policy)),
                              ("second turn, own drafts", check_repair(policy, n=400, own=True))):
            print(f"{recipe}, {name}: " + ", ".join(f"{k} {v:.3g}" for k, v in numbers.items()), flush=True)
    if not args.check:  # an interrupted cold start still needs them
        shutil.rmtree(args.out / "phases", ignore_errors=True)
    print(f"done in {(time.time() - started) / 60:.1f} minutes")

