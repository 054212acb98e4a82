"""S²FT: slices, and moving coupled channels."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

S2RowLinear = PYTHON["s2ft"]["S2RowLinear"]
S2ColumnLinear = PYTHON["s2ft"]["S2ColumnLinear"]
permute_ffn_ = PYTHON["s2ft"]["permute_ffn_"]
convert_ffn_to_s2 = PYTHON["s2ft"]["convert_ffn_to_s2"]


class FeedForward(nn.Module):
    def __init__(self, gated: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.up_proj = nn.Linear(6, 10)
        if gated:
            self.gate_proj = nn.Linear(6, 10, bias=False)
        self.down_proj = nn.Linear(10, 6)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.up_proj(x)
        gate = self.gate_proj(x) if hasattr(self, "gate_proj") else hidden
        return self.down_proj(F.silu(gate) * hidden)


def test_the_change_is_in_the_slice_alone() -> None:
    for kind, part in ((S2RowLinear, (slice(None), slice(2, 5))), (S2ColumnLinear, slice(2, 5))):
        layer = kind(8, 7, start=2, channels=3)
        layer.s2.data.normal_()
        change = layer.merged().weight - layer.weight
        torch.testing.assert_close(change[part], layer.s2.data, rtol=0, atol=1e-6)
        change[part] = 0
        assert change.abs().max() == 0


@pytest.mark.parametrize("kind", [S2RowLinear, S2ColumnLinear])
def test_gradient_is_the_slice_of_the_whole(kind: type[nn.Linear]) -> None:
    torch.manual_seed(0)
    layer = kind(8, 7, start=1, channels=4)
    layer.weight.requires_grad_(True)
    layer(torch.randn(3, 8)).square().sum().backward()
    whole = layer.weight.grad
    expected = whole[:, 1:5] if kind is S2RowLinear else whole[1:5]
    torch.testing.assert_close(layer.s2.grad, expected)


def test_disjoint_slices_add_up() -> None:
    torch.manual_seed(0)
    base = nn.Linear(8, 7)
    x = torch.randn(3, 8)
    first, second = S2RowLinear.from_linear(base, 0, 3), S2RowLinear.from_linear(base, 3, 8)
    for layer in (first, second):
        layer.s2.data.normal_()
    both = S2RowLinear.from_linear(base, 0, 8)
    both.s2.data = torch.cat([first.s2, second.s2], dim=1).data
    torch.testing.assert_close(both(x), first(x) + second(x) - base(x))


@pytest.mark.parametrize("gated", [True, False])
def test_moving_channels_leaves_the_function(gated: bool) -> None:
    block = FeedForward(gated).double()
    x = torch.randn(4, 6).double()
    before, weight = block(x), block.down_proj.weight.clone()
    layer = convert_ffn_to_s2(block, [7, 2])
    assert block.down_proj is layer and layer.s2.shape == (6, 2)
    torch.testing.assert_close(block(x), before)
    assert torch.equal(layer.weight[:, :2], weight[:, [7, 2]])
    assert not layer.weight.requires_grad
    block(x).sum().backward()
    assert layer.s2.grad is not None and layer.weight.grad is None


def test_shares_the_weight() -> None:
    base = nn.Linear(8, 7)
    for kind in (S2RowLinear, S2ColumnLinear):
        layer = kind.from_linear(base, 1, 3)
        assert layer.weight is base.weight and layer.bias is base.bias
        assert [name for name, part in layer.named_parameters() if part.requires_grad] == ["s2"]


def test_count_in_llama_3() -> None:
    """3 % of the inner channels of LLaMA-3-8B, 32 blocks: 56.4M."""
    layer = S2RowLinear(14336, 4096, False, "meta", channels=int(0.03 * 14336))
    assert 32 * layer.s2.numel() == pytest.approx(56.4e6, rel=2e-3)


def test_refusals() -> None:
    block = FeedForward()
    with pytest.raises(ValueError, match="order must hold each of 0 to 9 once"):
        permute_ffn_(block.up_proj, None, block.down_proj, [0] * 10)
    with pytest.raises(ValueError, match="chosen must name some of 0 to 9"):
        convert_ffn_to_s2(block, [10])
    with pytest.raises(ValueError, match=r"block must have nn\.Linear layers up and down_proj"):
        convert_ffn_to_s2(block, [1], up="up")
