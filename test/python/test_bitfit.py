"""BitFit: what trains, and what moves."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

bitfit = PYTHON["bitfit"]["bitfit"]


def model() -> nn.ModuleDict:
    return nn.ModuleDict(
        {
            "attention": nn.MultiheadAttention(8, 2, batch_first=True),
            "norm": nn.LayerNorm(8),
            "bare": nn.Linear(8, 8, bias=False),
            "head": nn.Linear(8, 3),
        }
    )


def test_biases_alone_train() -> None:
    whole = model()
    chosen = bitfit(whole)
    names = {name for name, part in whole.named_parameters() if part.requires_grad}
    assert names == {"attention.in_proj_bias", "attention.out_proj.bias", "norm.bias", "head.bias"}
    assert sum(part.numel() for part in chosen) == 24 + 8 + 8 + 3


def test_named_modules_train_too() -> None:
    whole = model()
    bitfit(whole, "head")
    assert whole["head"].weight.requires_grad and not whole["norm"].weight.requires_grad
    with pytest.raises(ValueError, match="also must name modules"):
        bitfit(whole, "tail")


def test_a_step_moves_biases_alone() -> None:
    torch.manual_seed(0)
    whole = model()
    before = {name: part.clone() for name, part in whole.named_parameters()}
    optimiser = torch.optim.AdamW(bitfit(whole), lr=0.1)
    x = torch.randn(2, 5, 8)
    whole["head"](whole["norm"](whole["attention"](x, x, x)[0])).square().sum().backward()
    optimiser.step()
    for name, part in whole.named_parameters():
        assert torch.equal(part, before[name]) != name.endswith("bias"), name


def test_a_model_without_biases_is_refused() -> None:
    with pytest.raises(ValueError, match="model has no biases"):
        bitfit(nn.Linear(2, 2, bias=False))


def test_share_in_bert_large() -> None:
    """The paper trains well below a thousandth of BERT-large."""
    layer = nn.TransformerEncoderLayer(1024, 16, 4096, device="meta")
    chosen = bitfit(layer)
    assert sum(part.numel() for part in chosen) == 3072 + 1024 + 4096 + 1024 + 2 * 1024
    assert sum(part.numel() for part in chosen) < 1e-3 * sum(p.numel() for p in layer.parameters())
