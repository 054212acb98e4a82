"""(IA)³: which side is rescaled, and the counts that were published."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

IA3Linear = PYTHON["ia3"]["IA3Linear"]


def trained(model: nn.Module) -> int:
    return sum(part.numel() for part in model.parameters() if part.requires_grad)


def test_output_and_input() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 6)
    for scale_input in (False, True):
        layer = IA3Linear(6, 4, scale_input=scale_input)
        layer.ia3_scale.data.normal_()
        rows: list[Tensor] = []
        for row in x:
            given = row * layer.ia3_scale if scale_input else row
            result = layer.weight @ given + layer.bias
            rows.append(result if scale_input else result * layer.ia3_scale)
        torch.testing.assert_close(layer(x), torch.stack(rows))


def test_input_scaling_leaves_the_bias() -> None:
    layer = IA3Linear(6, 4, scale_input=True)
    layer.ia3_scale.data.zero_()
    torch.testing.assert_close(layer(torch.randn(2, 6)), layer.bias.expand(2, 4))
    torch.testing.assert_close(layer.merged().bias, layer.bias)


def test_counts_in_code_models() -> None:
    """614,400 in CodeLlama-7B (k, v, down) and 645,120 in Qwen2.5-Coder-7B (q, v, down)."""
    for layers, outputs, inner, width, expected in (
        (32, (4096, 4096), 11008, 4096, 614_400),
        (28, (3584, 512), 18944, 3584, 645_120),
    ):
        block = nn.ModuleList(IA3Linear(width, size, device="meta") for size in outputs)
        block.append(IA3Linear(inner, width, device="meta", scale_input=True))
        assert layers * trained(block) == expected


@pytest.mark.parametrize("scale_input", [False, True])
@pytest.mark.parametrize("symbol", ["IA3Conv1d", "IA3Conv2d", "IA3Conv3d"])
def test_a_convolution_with_groups_merges_either_way(symbol: str, scale_input: bool) -> None:
    layer = PYTHON["ia3"][symbol](6, 8, 3, padding=1, groups=2, scale_input=scale_input)
    with torch.no_grad():
        layer.ia3_scale.copy_(
            torch.arange(1.0, layer.ia3_scale.numel() + 1).view_as(layer.ia3_scale)
        )
    x = torch.randn(2, 6, *(4,) * int(symbol[-2]))
    torch.testing.assert_close(layer.merged()(x), layer(x), rtol=0, atol=1e-4)
