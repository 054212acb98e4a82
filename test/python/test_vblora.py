"""VB-LoRA: pieces come from the bank, and the bank is one."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

VBLoRALinear = PYTHON["vblora"]["VBLoRALinear"]
share_vector_bank = PYTHON["vblora"]["share_vector_bank"]


def test_a_piece_of_one_vector_is_that_vector() -> None:
    layer = VBLoRALinear(8, 12, rank=2, num_vectors=5, vector_length=4, topk=1)
    a, b = layer.factors()
    chosen = layer.logits_A.argmax(dim=-1)  # (2, 2)
    assert torch.equal(a[1, 4:], layer.vector_bank[chosen[1, 1]])
    chosen = layer.logits_B.argmax(dim=-1)  # (3, 2)
    assert torch.equal(b[8:, 1], layer.vector_bank[chosen[2, 1]])


def test_only_chosen_logits_learn() -> None:
    layer = VBLoRALinear(8, 8, rank=2, num_vectors=5, vector_length=4, topk=2)
    layer(torch.randn(3, 8)).square().sum().backward()
    assert (layer.logits_A.grad != 0).sum(dim=-1).max() == 2


def test_layers_share_one_bank() -> None:
    shape = {"num_vectors": 5, "vector_length": 4}
    model = nn.Sequential(VBLoRALinear(8, 12, **shape), VBLoRALinear(12, 8, **shape))
    bank = share_vector_bank(model)
    assert [layer.vector_bank is bank for layer in model] == [True, True]
    model.append(VBLoRALinear(8, 8, num_vectors=6, vector_length=4))
    with pytest.raises(ValueError, match="model must have banks of one size"):
        share_vector_bank(model)
