"""Encoding each distinct picture once changes what it costs and nothing else."""
import copy
import gc
import weakref

import pytest
import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from rrvf_lab.nano.distinct import encode_each_once

TEXT = dict(vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=1)
ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


def qwen3():
    vision = dict(
        depth=2,
        hidden_size=32,
        intermediate_size=32,
        num_heads=2,
        patch_size=4,
        spatial_merge_size=2,
        temporal_patch_size=1,
        out_hidden_size=32,
        num_position_embeddings=16,
        deepstack_visual_indexes=[0],
    )
    text = TEXT | dict(head_dim=16, rope_parameters=ROPE | {"mrope_interleaved": True})
    return Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(text_config=text, vision_config=vision, image_token_id=60)
    )


def qwen25():
    vision = dict(
        depth=2,
        hidden_size=32,
        intermediate_size=32,
        num_heads=2,
        patch_size=4,
        spatial_merge_size=2,
        temporal_patch_size=1,
        out_hidden_size=32,
        window_size=8,
        fullatt_block_indexes=[1],
    )
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=TEXT | dict(rope_parameters=ROPE),
                                                               vision_config=vision, image_token_id=60))


@pytest.mark.parametrize("make", [qwen3, qwen25])
def test_logits_and_gradients_are_those_of_the_stock_model(make):
    torch.manual_seed(0)
    stock = make().float().eval()
    ours, rows = copy.deepcopy(stock), []
    ours.model.visual.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    encode_each_once(ours)
    tall, wide = torch.randn(32, 48), torch.randn(32, 48)             # 8 x 4 and 4 x 8 patches
    other = tall.flip(0)                                              # the same sum, another picture
    pixels = torch.cat([tall, wide, tall, other, wide, tall])
    grid = torch.tensor([[1, 8, 4], [1, 4, 8], [1, 8, 4], [1, 8, 4], [1, 4, 8], [1, 8, 4]])
    ids = torch.tensor([3, *[60] * 8, 4] * 3).repeat(2, 1)  # three pictures of 8 tokens in each row
    batch = dict(input_ids=ids, pixel_values=pixels, image_grid_thw=grid, mm_token_type_ids=(ids == 60).int())
    results = []
    for model in (stock, ours):
        logits = model(**batch).logits
        logits.square().sum().backward()
        results.append((logits, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-4, atol=1e-5)
    assert results[0][1].keys() == results[1][1].keys() and any("visual" in name for name in results[0][1])
    for name, gradient in results[0][1].items():
        torch.testing.assert_close(gradient, results[1][1][name], rtol=1e-3, atol=1e-4, msg=name)
    assert rows == [3 * 32]


@pytest.mark.parametrize("make", [qwen3, qwen25])
@pytest.mark.parametrize("frozen", [True, False])
def test_nothing_goes_back_through_a_frozen_tower_even_with_checkpointing(make, frozen):
    torch.manual_seed(0)
    model, back = encode_each_once(make().float().train()), []
    model.model.visual.requires_grad_(not frozen)
    model.gradient_checkpointing_enable()
    model.enable_input_require_grads()
    for block in model.model.visual.blocks:
        block.register_full_backward_hook(lambda *_: back.append(1))
    ids = torch.tensor([[3, *[60] * 8, 4]])
    batch = dict(input_ids=ids, pixel_values=torch.randn(32, 48), image_grid_thw=torch.tensor([[1, 8, 4]]),
                 mm_token_type_ids=(ids == 60).int())
    model(**batch).logits.square().sum().backward()
    assert len(back) == (0 if frozen else 2)
    assert all(p.grad is not None for name, p in model.named_parameters() if "layers.0" in name)


@pytest.mark.parametrize("make", [qwen3, qwen25])
def test_a_model_goes_when_its_last_user_goes(make):
    """A circle of references would keep gigabytes until the collector happens to come by."""
    gc.disable()
    try:
        model = encode_each_once(make())
        alive = weakref.ref(model.model)
        del model
        assert alive() is None
    finally:
        gc.enable()
