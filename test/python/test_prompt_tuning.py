"""Soft prompts: in front of the tokens, and gone after the blocks."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

SoftPrompt = PYTHON["prompt-tuning"]["SoftPrompt"]


def test_stands_before_the_tokens_and_is_dropped() -> None:
    prompt = SoftPrompt(8, tokens=3)
    x = torch.randn(2, 5, 8)
    longer = prompt(x)
    assert longer.shape == (2, 8, 8)
    assert torch.equal(longer[0, :3], prompt.prompt) and torch.equal(longer[1, :3], prompt.prompt)
    assert torch.equal(prompt.strip(longer), x)


def test_copies_rows_of_a_vocabulary() -> None:
    vocabulary = nn.Embedding(20, 8).weight
    prompt = SoftPrompt(8, tokens=5)
    prompt.init_from(vocabulary, [4, 7])
    assert torch.equal(prompt.prompt, vocabulary[[4, 7, 4, 7, 4]])
    prompt.init_from(vocabulary, range(10, 20))
    assert torch.equal(prompt.prompt, vocabulary[10:15])
    prompt.init_from(vocabulary)
    assert all((vocabulary == row).all(dim=1).any() for row in prompt.prompt)
    assert prompt.prompt.requires_grad
    with pytest.raises(ValueError, match="ids must name"):
        prompt.init_from(vocabulary, [])


def test_tokens_of_another_precision_keep_theirs() -> None:
    prompt = SoftPrompt(8, tokens=3)
    longer = prompt(torch.randn(2, 5, 8, dtype=torch.bfloat16))
    assert longer.dtype == torch.bfloat16
    longer.float().sum().backward()
    assert prompt.prompt.grad.dtype == torch.float32
