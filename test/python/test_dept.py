"""DePT: a short prompt, and a change of the embeddings by position."""

import pytest
import torch
from corpus import PYTHON

DecomposedPrompt = PYTHON["dept"]["DecomposedPrompt"]
SoftPrompt = PYTHON["prompt-tuning"]["SoftPrompt"]


def test_starts_as_prompt_tuning() -> None:
    module, plain = DecomposedPrompt(8, prompt_len=3, rank=2, max_len=6), SoftPrompt(8, tokens=3)
    rows = torch.randn(3, 8)
    module.init_from(rows)
    plain.prompt.data.copy_(rows)
    x = torch.randn(2, 5, 8)
    assert torch.equal(module(x), plain(x))
    assert torch.equal(module.strip(module(x)), x)


def test_without_a_prompt_starts_as_the_base() -> None:
    x = torch.randn(2, 5, 8)
    assert torch.equal(DecomposedPrompt(8, prompt_len=0)(x), x)


def test_adds_the_scaled_product_by_position() -> None:
    module = DecomposedPrompt(8, prompt_len=1, rank=4, max_len=6, alpha=8.0)
    module.lora_B.data.normal_()
    x = torch.randn(2, 3, 8)
    change = module(x)[:, 1:] - x
    for position in range(3):
        expected = 4.0 * module.lora_A[position] @ module.lora_B  # 8 / sqrt(4)
        torch.testing.assert_close(change[0, position], expected)
        torch.testing.assert_close(change[1, position], expected)


def test_only_b_learns_at_first() -> None:
    module = DecomposedPrompt(8, prompt_len=2, rank=3, max_len=5)
    module(torch.randn(2, 5, 8)).square().sum().backward()
    assert module.lora_A.grad.abs().sum() == 0
    assert module.lora_B.grad.abs().sum() > 0


@pytest.mark.parametrize(("prompt_len", "rank"), [(40, 45), (60, 30)])
def test_budget_of_a_prompt_of_100_on_t5_base(prompt_len: int, rank: int) -> None:
    module = DecomposedPrompt(768, prompt_len=prompt_len, rank=rank, max_len=256)
    assert sum(part.numel() for part in module.parameters()) == 76_800 == 100 * 768


def test_two_learning_rates() -> None:
    module = DecomposedPrompt(8, prompt_len=2)
    optimiser = torch.optim.AdamW(module.param_groups(lr_prompt=0.4, lr_lowrank=5e-3))
    assert [group["lr"] for group in optimiser.param_groups] == [0.4, 5e-3]
    held = [part for group in optimiser.param_groups for part in group["params"]]
    assert {id(part) for part in held} == {id(part) for part in module.parameters()}


def test_masks_and_lengths() -> None:
    module = DecomposedPrompt(8, prompt_len=2, max_len=4)
    mask = torch.tensor([[1, 1, 0]])
    assert module.extend_mask(mask).tolist() == [[1, 1, 1, 1, 0]]
    with pytest.raises(ValueError, match="x must have at most max_len = 4 tokens, got 5"):
        module(torch.randn(1, 5, 8))
