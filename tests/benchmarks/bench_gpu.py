"""One GRPO step with the shapes of a real model and random weights: seconds by phase, tokens a second, peak
memory.

    python tests/benchmarks/bench_gpu.py --shapes 7b --four-bit --checkpointing --prompts 8 --turns 3
    python tests/benchmarks/bench_gpu.py --shapes tiny --four-bit --checkpointing   # on a CPU, in seconds

No weights are downloaded: the model is made from its configuration, with the embedded model's tokenizer.
Random weights write no programs, so every turn is sampled in full (`--tokens` each, nothing ends early) and
its text then exchanged for a real program of `--length` tokens: generation, rendering, judging and the update
all do their real work. One step warms up, `--steps` are measured. A JSON row is appended to `--output`, with
`training.memory.estimate` beside the peaks of sampling and of the update.

Left out: real weights, rollouts of uneven length, vLLM, several GPUs.
"""
import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from trl import GRPOTrainer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from rrvf_lab.nano import load_model
from rrvf_lab.nano.loading import HOME
from rrvf_lab.nano.processor import CHAT_TEMPLATE, ImageTextProcessor, load_processor
from rrvf_lab.talk import write_turn
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.budget import token_budget
from rrvf_lab.training.memory import SHAPES, estimate, shapes_of
from rrvf_lab.training.report import PHASES
from rrvf_lab.training.trainer import peak_memory

# "tiny" keeps the proportions of the real ones
SIZES = {"7b": SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"], "3b": SHAPES["Qwen/Qwen2.5-VL-3B-Instruct"],
         "tiny": (dict(vocab_size=2048, hidden_size=128, intermediate_size=512, num_hidden_layers=2,
                       num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32768),
                  dict(depth=2, hidden_size=64, intermediate_size=128, num_heads=2, out_hidden_size=128,
                       fullatt_block_indexes=[1]))}
LINE = "ax.text({}, 0.5, 'a label of the chart', color='teal', fontsize=9, rotation=30)\n"


def random_model(folder, size: str = "tiny"):
    """Save a Qwen2.5-VL with random weights and a processor in `folder`, as a checkpoint of the hub would lie
    there."""
    from transformers import Qwen2_5_VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    tokenizer = load_processor(HOME / "nano").tokenizer
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in
           ("image_pad", "video_pad", "vision_start", "vision_end", "im_end", "endoftext")}
    shapes = shapes_of(*SIZES[size], image_token_id=ids["image_pad"], video_token_id=ids["video_pad"],
                       vision_start_token_id=ids["vision_start"], vision_end_token_id=ids["vision_end"])
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        torch.set_default_dtype(torch.bfloat16 if size != "tiny" else torch.float32)
        model = Qwen2_5_VLForConditionalGeneration(shapes)
        torch.set_default_dtype(torch.float32)
    model.generation_config.update(eos_token_id=ids["im_end"], pad_token_id=ids["endoftext"])
    model.save_pretrained(folder)
    processor = ImageTextProcessor(Qwen2VLImageProcessorPil(), tokenizer, chat_template=CHAT_TEMPLATE)
    processor.save_pretrained(folder)
    return folder


def program(tokenizer, length: int, variant: int) -> str:
    """A turn of at most `length` tokens that draws something different for each variant."""
    code = ("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n"
            f"ax.bar(range(5), [{variant % 7 + 1}, 3, 5, 2, 4])\n")
    turn = write_turn("A bar chart.", code)
    while True:
        code += LINE.format(round(len(code) % 50 / 10, 1))
        longer = write_turn("A bar chart.", code)
        if len(tokenizer(longer)["input_ids"]) >= length:
            return turn
        turn = longer


def scripted(trainer, tokens: int, length: int | None = None):
    """Let the model sample `tokens` for each turn, then say a program of `length` (as many) instead; counts
    what was sampled."""
    tokenizer, state = trainer.processing_class.tokenizer, {"tokens": 0, "calls": 0}
    bounds = {"min_new_tokens": tokens, "max_new_tokens": tokens}
    trainer.generation_kwargs = {**trainer.args.generation_kwargs, **bounds}
    trainer.generation_config.update(**bounds)

    def exchanged(self, prompt_ids, *args, **kwargs):
        ids, logprobs = plain(self, prompt_ids, *args, **kwargs)
        state["tokens"] += sum(map(len, ids))
        state["calls"] += 1
        turns = [program(tokenizer, length or tokens, i + state["calls"]) for i in range(len(ids))]
        return [tokenizer(turn + "<|im_end|>")["input_ids"] for turn in turns], logprobs

    plain = GRPOTrainer._generate_single_turn
    GRPOTrainer._generate_single_turn = exchanged
    return state, lambda: setattr(GRPOTrainer, "_generate_single_turn", plain)


def peaks(trainer):
    """Keep the most memory that sampling and the update each held, in GB, in the dict that is returned."""
    held, plain = {}, trainer._generate_and_score_completions

    def told(phase):
        held[phase] = max(held.get(phase, 0), peak_memory())
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def sampled(inputs):
        told("update" if held else "loading")
        output = plain(inputs)
        told("sampling")
        return output

    trainer._generate_and_score_completions = sampled
    return held, told


def predicted(config):
    """GB that `estimate` expects while sampling and in the update."""
    parts = estimate(config).rows()
    return {phase: sum(value for _, when, value in parts if when in ("always", phase))
            for phase in ("sampling", "update")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--shapes", choices=list(SIZES), default="tiny")
    parser.add_argument("--four-bit", action="store_true")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--prompts", type=int, default=2)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--micro-batch", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=512, help="sampled in each turn")
    parser.add_argument("--length", type=int, help="tokens of the program that takes their place (as many)")
    parser.add_argument("--sample-batch", type=int, default=8)
    parser.add_argument("--weights", type=Path, help="keep the random weights here for the next call")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--output", type=Path, help="append the row to this file")
    return parser.parse_args()


def settings(options, folder):
    """A run over a random model in `folder`, with room for all its turns."""
    model = options.weights or Path(folder) / "model"
    model = str(model if model.exists() else random_model(model, options.shapes))
    config = TrainConfig.load(
        "qwen2.5-vl-7b-qlora", model=model, output=str(Path(folder) / "run"), four_bit=options.four_bit,
        gradient_checkpointing=options.checkpointing, prompts=options.prompts, group=options.group,
        micro_batch=options.micro_batch, max_turns=options.turns, max_new_tokens=options.length,
        sample_batch=options.sample_batch,
        max_completion_length=100_000, steps=1 + options.steps, test_images=None, save_steps=1000,
        warmup_steps=0)
    config.max_completion_length = token_budget(config, load_model(model)[1])["needed"]
    return config


def main():
    options = arguments()
    options.length = options.length or options.tokens
    with tempfile.TemporaryDirectory() as folder:
        config = settings(options, folder)
        trainer = make_trainer(config)
        state, undo = scripted(trainer, options.tokens, options.length)
        held, told = peaks(trainer)
        started = time.perf_counter()
        trainer.train()
        told("update")
        undo()
        rows = [row for row in trainer.state.log_history if "seconds/generate" in row][1:]
        seconds = {p: sum(row[f"seconds/{p}"] for row in rows) / len(rows) for p in PHASES}
        waits = seconds["render"] + seconds["judge"]
        step = sum(row["step_time"] for row in rows) / len(rows)
        row = vars(options) | {
            "output": None, "weights": None,
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            "seconds": {k: round(v, 2) for k, v in seconds.items()}, "step": round(step, 2),
            "render_and_judge_share": round(waits / sum(seconds.values()), 4),
            "sampled_tokens_per_s": round(state["tokens"] / (1 + options.steps) / seconds["generate"]),
            "peak_gb": {phase: round(value, 2) for phase, value in held.items()},
            "predicted_gb": {phase: round(value, 2) for phase, value in predicted(config).items()},
            "exec_rate": rows[-1]["exec_rate"], "turns": rows[-1]["tool_calls"] + 1,
            "minutes": round((time.perf_counter() - started) / 60, 1)}
    print(json.dumps(row))
    if options.output:
        with open(options.output, "a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
