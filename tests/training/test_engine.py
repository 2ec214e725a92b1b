"""Sampling with vLLM: the tokens and pictures it works on are those that are trained on. The engine here is a
stand-in that treats prompts as vLLM documents it: each image token it meets is replaced by as many as its
picture has features, left to right, one picture after the other."""
import sys
from types import SimpleNamespace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from tiny import STREAMS, few_images
from trl.generation.vllm_generation import VLLMGeneration
from trl.trainer import grpo_trainer

from rrvf_lab.nano.loading import load_processor_of
from rrvf_lab.nano.tokens import batch_of
from rrvf_lab.talk import opening, parse_turn
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig, checks
from rrvf_lab.training import engine as engine_module
from rrvf_lab.training.engine import check_engine, check_processes, mend, one_each, scaled, sharded_by
from rrvf_lab.training.trainer import RRVFTrainer

SIZES = [(640, 480), (300, 900), (1000, 1000), (33, 33), (2000, 60)]


class Engine:
    """vLLM's matching of placeholders, and a completion of three tokens for each prompt."""

    def __init__(self, processor):
        self.images, self.token = load_processor_of(processor, 16384)[0].image_processor, None
        self.token = load_processor_of(processor)[0].image_token_id
        self.seen = []

    def generate(self, prompts, sampling_params=None, use_tqdm=False):
        self.seen = [self.expanded(**prompt) for prompt in prompts]
        step = SimpleNamespace(logprob=-0.5, rank=1, decoded_token="")
        out = SimpleNamespace(token_ids=[5, 6, 2], logprobs=[{5: step}, {6: step}, {2: step}])
        return [SimpleNamespace(prompt_token_ids=ids, outputs=[out]) for ids in self.seen]

    def expanded(self, prompt_token_ids, multi_modal_data=None):
        data = (multi_modal_data or {}).get("image", [])
        pictures = list(data) if isinstance(data, list) else [data]
        out, start = [], 0
        for picture in pictures:
            grid = self.images(images=[picture], return_tensors="pt")["image_grid_thw"]
            place = prompt_token_ids.index(self.token, start)
            out += prompt_token_ids[start:place]
            out += [self.token] * (int(grid.prod()) // self.images.merge_size**2)
            start = place + 1
        return out + prompt_token_ids[start:]


def generation(processor, mode="colocate", processes=1, rank=0, model=None, tensor_parallel=1):
    """TRL's own `VLLMGeneration` around the stand-in, without its start."""
    made = object.__new__(VLLMGeneration)
    made.__dict__.update(
        mode=mode, model=model or torch.nn.Linear(1, 1), processing_class=processor, temperature=1.0,
        top_p=1.0, top_k=0, min_p=None, repetition_penalty=1.0, max_completion_length=8, logprobs=0,
        generation_kwargs={}, structured_outputs_regex=None, enable_sleep_mode=False,
        tensor_parallel_size=tensor_parallel,
        accelerator=SimpleNamespace(num_processes=processes, process_index=rank, is_main_process=rank == 0))
    return made


@pytest.mark.parametrize("family", ["tiny_qwen", "tiny_qwen3"])
def test_the_engine_works_on_the_tokens_that_are_trained_on(family, request, monkeypatch):
    folder = request.getfixturevalue(family)
    processor, _ = load_processor_of(folder, max_image_tokens=300)
    pictures = [Image.effect_noise(size, 60).convert("RGB") for size in SIZES]
    talk = opening(pictures[0], "matplotlib", 3)
    talk[-1]["content"] = [*({"type": "image", "image": one} for one in pictures), *talk[-1]["content"][1:]]
    batch = batch_of(processor, [talk])
    ids = batch["input_ids"][0].tolist()
    made = generation(processor)
    module = sys.modules[VLLMGeneration.__module__]
    monkeypatch.setattr(module, "SamplingParams", SimpleNamespace, raising=False)
    made.llm = Engine(folder)
    VLLMGeneration.generate(made, [ids], [pictures], 1)
    assert made.llm.seen[0] != ids                              # what TRL sends alone is expanded twice
    mend(made, processor, calls=3)
    _, completions, logprobs, _ = made.generate(prompts=[ids], images=[pictures], num_generations=1)
    assert made.llm.seen[0] == ids
    assert completions == [[5, 6, 2]] and logprobs == [[[-0.5]] * 3]


@pytest.mark.parametrize("family", ["tiny_qwen", "tiny_qwen3"])
def test_a_picture_scaled_by_us_is_the_picture_that_the_processor_makes(family, request):
    folder = request.getfixturevalue(family)
    ours, theirs = (load_processor_of(folder, most)[0].image_processor for most in (300, 16384))
    for size in SIZES:
        picture = Image.effect_noise(size, 60).convert("RGB")
        once, again = (images(images=[one], return_tensors="pt") for images, one in
                       ((ours, picture), (theirs, scaled(picture, ours))))
        assert torch.equal(once["image_grid_thw"], again["image_grid_thw"])
        assert torch.equal(once["pixel_values"], again["pixel_values"])


def test_weights_are_sent_with_their_lora_and_stay_as_they_are():
    torch.manual_seed(0)
    model = get_peft_model(torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Linear(64, 8)).bfloat16(),
                           LoraConfig(r=4, target_modules=["0"]))
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.1)
    before = {name: p.clone() for name, p in model.named_parameters()}
    made = generation(SimpleNamespace(image_token_id=7), model=model)
    made.generate = None
    mend(made, made.processing_class, calls=1)
    sent = dict(made._iter_named_params())
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    model.merge_adapter()
    merged = {name.removeprefix("base_model.model.").replace(".base_layer", ""): p
              for name, p in model.named_parameters() if "lora_" not in name}
    assert sent.keys() == merged.keys() == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert all(torch.equal(sent[name], merged[name]) for name in sent)


@pytest.mark.slow
def test_a_step_with_vllm_trains_on_what_the_engine_saw_and_said(tiny_qwen, tmp_path, monkeypatch):
    processor, _ = load_processor_of(tiny_qwen)
    engine, streams = Engine(tiny_qwen), [list(stream) for stream in STREAMS[:4]]
    said, batches = [], []

    def generate(prompts, sampling_params=None, use_tqdm=False):
        seen = [engine.expanded(**prompt) for prompt in prompts]
        texts = [stream.pop(0) for stream in streams]
        streams[:] = [one for one, text in zip(streams, texts, strict=True) if parse_turn(text).calls and one]
        ids = [processor.tokenizer(text + "<|im_end|>")["input_ids"] for text in texts]
        said.extend(tokens + written for tokens, written in zip(seen, ids, strict=True))
        return [SimpleNamespace(prompt_token_ids=tokens, outputs=[SimpleNamespace(
            token_ids=written, logprobs=[{one: SimpleNamespace(logprob=-7.6, rank=1)} for one in written])])
            for tokens, written in zip(seen, ids, strict=True)]

    def begin(**options):
        made = generation(processor, model=options["model"])
        made.llm = SimpleNamespace(generate=generate, llm_engine=SimpleNamespace(
            model_config=SimpleNamespace(max_model_len=options["max_model_length"])))
        made.sync_weights = lambda: said.clear()
        return made

    score = RRVFTrainer._generate_and_score_completions
    monkeypatch.setattr(RRVFTrainer, "_generate_and_score_completions", lambda self, inputs: batches.append(
        score(self, inputs)) or batches[0])
    monkeypatch.setattr(grpo_trainer, "VLLMGeneration", begin)
    monkeypatch.setattr(checks, "check_engine", lambda config: None)
    module = sys.modules[VLLMGeneration.__module__]
    monkeypatch.setattr(module, "SamplingParams", SimpleNamespace, raising=False)
    settings = TrainConfig.load("qwen2.5-vl-7b", model=tiny_qwen, vllm="colocate", steps=1, prompts=1,
                                sample_batch=1, group=4, micro_batch=4, max_turns=2, test_images=None,
                                train_images=str(few_images()), max_new_tokens=150,
                                output=str(tmp_path / "run"))
    trainer = make_trainer(settings)
    trainer.train()
    assert trainer.args.vllm_max_model_length % 64 == 0 and not trainer.args.vllm_enable_sleep_mode
    batch = batches[0]
    for k, mask in enumerate(batch["completion_mask"]):
        whole = batch["prompt_ids"][k][batch["prompt_mask"][k] == 1].tolist()
        whole += batch["completion_ids"][k][mask == 1].tolist()
        assert whole in said                                    # the last turn's prompt and what was written
    assert len(trainer.rollouts) == 4 and trainer.rollouts[0].reward.total > 0


def test_runs_of_image_tokens_become_one_each():
    assert one_each([7, 7, 7], 7) == [7] and one_each([], 7) == []
    assert one_each([1, 7, 7, 2, 2, 7, 3], 7) == [1, 7, 2, 2, 7, 3]


def test_a_vllm_made_for_other_versions_is_refused_with_the_command(monkeypatch):
    config = TrainConfig.load("qwen2.5-vl-7b", vllm="colocate")
    monkeypatch.setattr(engine_module, "requires", lambda name: [
        "torch==2.13.0; extra == 'x'", "transformers<5.18,>=5.0", "numpy"])
    versions = {"vllm": "0.31.0", "transformers": "5.24.0", "torch": "2.13.0"}
    monkeypatch.setattr(engine_module, "version", versions.__getitem__)
    with pytest.raises(ImportError, match="vLLM 0.31.0 needs transformers.*5.18.*5.24.0 is installed: .*pip "
                                          "install 'transformers.*or set vllm=null"):
        check_engine(config)
    versions["transformers"] = "5.17.1"
    check_engine(config)


def test_processes_that_share_weights_are_refused_with_the_reason():
    with pytest.raises(ValueError, match="FSDP over 2 processes: .*sample together.*hang.*--multi_gpu"):
        check_processes(2, "FSDP")
    check_processes(1, "FSDP")
    check_processes(8, None)


@pytest.mark.parametrize(("arguments", "environment", "found"), [
    ({"fsdp": ["full_shard"]}, {}, "FSDP"), ({}, {"ACCELERATE_USE_FSDP": "true"}, "FSDP"),
    ({"deepspeed_plugin": SimpleNamespace(zero_stage=3)}, {}, "DeepSpeed ZeRO-3"),
    ({"deepspeed_plugin": SimpleNamespace(zero_stage=2)}, {}, None), ({}, {}, None)])
def test_what_shares_weights_is_known_from_the_launch(arguments, environment, found, monkeypatch):
    monkeypatch.delenv("ACCELERATE_USE_FSDP", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert sharded_by(SimpleNamespace(**{"fsdp": [], "deepspeed_plugin": None} | arguments)) == found
