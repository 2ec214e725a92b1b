"""The smallest training there is: one image, eight rollouts, and what the policy says given beforehand. The
fixtures reach tests through conftest.py."""
import atexit
import functools
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from rrvf_lab.leaves.files import REPOSITORY
from rrvf_lab.talk import parse_turn, write_turn
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))  # where bench_gpu is

CODE = ("import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3))\n"
        "plt.bar(list('{}'), [3, 5, 2], color='{}')")
GOOD, OTHER, CRASH = CODE.format("ABC", "teal"), CODE.format("ABC", "red"), CODE.format("AB", "red")
STREAMS = [  # of a group: every kind of turn a policy may write
    [write_turn("a", GOOD), write_turn("b", answer="turn 1")],
    [write_turn("a", CRASH), write_turn("b", GOOD)],
    [write_turn("a", GOOD), write_turn("b", answer=OTHER)],
    ["gibberish"],
    [write_turn("a", answer=GOOD)],
    [write_turn("a", GOOD), "<think>never closed"],
    [write_turn("a", GOOD).replace("render", "rm"), write_turn("b", OTHER)],
    [write_turn("a", OTHER) + "<tool_call>{bad}</tool_call>"],
]


def config(folder, **changes):
    """One step of one image with eight rollouts into folder/run."""
    small = {"steps": 1, "prompts": 1, "group": 8, "micro_batch": 8, "max_turns": 2, "save_steps": 1,
             "test_images": None, "preflight": False, "train_images": str(few_images())}
    return TrainConfig.load("demo", output=str(Path(folder) / "run"), **small | changes)


@functools.cache
def few_images():
    """A folder with four of the training images: all of them take longer to load than a step to train."""
    folder = Path(tempfile.mkdtemp(prefix="few-images-"))
    atexit.register(shutil.rmtree, folder)
    for path in sorted((REPOSITORY / "data" / "charts" / "train").glob("*.png"))[:4]:
        shutil.copy(path, folder)
    return folder


def say(monkeypatch, trainer, streams):
    """Let the policy say these turns, a stream for each rollout of the group, in every step."""
    from trl import GRPOTrainer

    tokenizer, waiting = trainer.processing_class.tokenizer, []

    def sample(self, prompt_ids, *args, **kwargs):
        if not waiting:
            waiting.extend(list(stream) for stream in streams)
        texts = [stream.pop(0) for stream in waiting]
        assert len(texts) == len(prompt_ids)
        waiting[:] = [stream for stream, text in zip(waiting, texts, strict=True)
                      if parse_turn(text).calls and stream]
        return [tokenizer(text + "<|im_end|>")["input_ids"] for text in texts], None

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", sample)
    return trainer


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """`scripted(streams, **make_trainer's)`: a trainer whose group of `config` says these streams."""
    def make(streams=STREAMS, judge=None, renderer=None, **changes):
        trainer = make_trainer(config(tmp_path, group=len(streams), micro_batch=len(streams), **changes),
                               renderer, judge)
        return say(monkeypatch, trainer, streams)

    return make


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory):
    """The folder of a tiny Qwen2.5-VL with random weights."""
    from bench_gpu import random_model

    return str(random_model(tmp_path_factory.mktemp("tiny"), "tiny"))


@pytest.fixture(scope="session")
def tiny_qwen3(tmp_path_factory):
    """The folder of a tiny Qwen3-VL with random weights."""
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from rrvf_lab.nano.loading import HOME
    from rrvf_lab.nano.processor import CHAT_TEMPLATE, ImageTextProcessor, load_processor

    tokenizer, folder = load_processor(HOME / "nano").tokenizer, str(tmp_path_factory.mktemp("tiny3"))
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in
           ("image_pad", "video_pad", "vision_start", "vision_end", "im_end", "endoftext")}
    text = dict(vocab_size=2048, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=32768,
                rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6],
                                 "mrope_interleaved": True})
    vision = dict(depth=2, hidden_size=64, intermediate_size=128, num_heads=2, out_hidden_size=128,
                  patch_size=16, deepstack_visual_indexes=[0])
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(Qwen3VLConfig(
        text_config=text, vision_config=vision, image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"], vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"]))
    model.generation_config.update(eos_token_id=ids["im_end"], pad_token_id=ids["endoftext"])
    model.save_pretrained(folder)
    images = Qwen2VLImageProcessorPil(patch_size=16)
    ImageTextProcessor(images, tokenizer, chat_template=CHAT_TEMPLATE).save_pretrained(folder)
    return folder
