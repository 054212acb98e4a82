"""Light-PEFT: masks, scores, and removing what they point at."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

names = PYTHON["light-peft"]
EarlyPruneMasks, LoRAImportance = names["EarlyPruneMasks"], names["LoRAImportance"]
LoRALinear = PYTHON["lora"]["LoRALinear"]


def lora(inner: int = 6, outer: int = 5, rank: int = 3) -> nn.Linear:
    torch.manual_seed(0)
    layer = LoRALinear(inner, outer, rank=rank).double()
    layer.lora_B.data.normal_()
    return layer


X = torch.randn(4, 6, generator=torch.Generator().manual_seed(1)).double()


def attention(parts: nn.ModuleDict, x: Tensor, masks: nn.Module | None, heads: int) -> Tensor:
    def split(value: Tensor) -> Tensor:
        return value.view(*x.shape[:2], heads, -1).transpose(1, 2)

    query, key, value = (split(parts[name](x)) for name in ("query", "key", "value"))
    weights = (query @ key.transpose(-1, -2)).softmax(-1)
    if masks is not None:
        weights = masks.attention(weights)
    return parts["output"]((weights @ value).transpose(1, 2).flatten(2))


def test_masks_start_at_one() -> None:
    masks = EarlyPruneMasks(3, 8)
    weights, hidden = torch.rand(2, 3, 4, 4), torch.randn(2, 4, 8)
    assert torch.equal(masks.attention(weights), weights)
    assert torch.equal(masks.feed_forward(hidden), hidden)
    assert float(masks.penalty(0.5)) == 0.5 * (3 + 8)
    with pytest.raises(ValueError, match="neurons must be at least 1"):
        EarlyPruneMasks(3, 0)


def test_a_masked_head_can_be_removed() -> None:
    torch.manual_seed(0)
    parts = nn.ModuleDict({name: lora(6, 6) for name in ("query", "key", "value", "output")})
    masks, x = EarlyPruneMasks(3, 8).double(), torch.randn(2, 4, 6).double()
    masks.head_mask.data[1] = 0
    expected = attention(parts, x, masks, 3)
    readers = [parts[name] for name in ("query", "key", "value")]
    names["prune_attention_heads_"](readers, parts["output"], [0, 2], 2)
    torch.testing.assert_close(attention(parts, x, None, 2), expected)
    assert parts["query"].weight.shape == (4, 6) and parts["output"].lora_A.shape == (3, 4)


def test_masked_neurons_can_be_removed() -> None:
    up, down = lora(6, 8), lora(8, 5)
    masks = EarlyPruneMasks(1, 8).double()
    masks.neuron_mask.data[[2, 7]] = 0
    expected = down(masks.feed_forward(up(X).relu()))
    (keep,) = names["keep_above"]([masks.neuron_mask.abs()], 0.25)
    names["prune_neurons_"](up, down, keep)
    torch.testing.assert_close(down(up(X).relu()), expected)
    assert (up.out_features, down.in_features) == (6, 6)
    assert not up.weight.requires_grad and up.lora_B.requires_grad


def test_removed_ranks_are_as_good_as_zero() -> None:
    layer, other = lora(), lora()
    other.lora_A.data[1] = 0
    names["prune_lora_ranks_"](layer, [0, 2])
    torch.testing.assert_close(layer(X), other(X))
    assert sum(part.numel() for part in layer.parameters() if part.requires_grad) == 2 * 11


def test_scores_by_hand() -> None:
    layer = lora()
    importance = LoRAImportance(layer)
    modules, ranks = [], []
    for x in (X, X.flip(0) * 2):
        layer.zero_grad()
        output = layer(x)
        output.square().sum().backward()
        base = x @ layer.weight.T + layer.bias
        modules.append(((output - base).norm(dim=1) / base.norm(dim=1)).mean())
        A, B = layer.lora_A, layer.lora_B
        ranks.append((A * A.grad).mean(1).abs() + (B * B.grad).mean(0).abs())
        importance.step()
    assert importance.module == pytest.approx(float(sum(modules) / 2))
    torch.testing.assert_close(importance.ranks.double(), sum(ranks) / 2, rtol=1e-5, atol=0)
    importance.close()
    layer(X)
    assert importance.passes == 0


def test_scores_need_gradients() -> None:
    with pytest.raises(ValueError, match="layer must have gradients"):
        LoRAImportance(lora()).step()


def test_one_quantile_for_all_groups() -> None:
    groups = [torch.tensor([0.1, 0.9, 0.3]), torch.tensor([0.2, 0.8])]
    assert names["keep_above"](groups, 0.6) == [[1], [1]]
    assert names["keep_above"](groups, 0.0) == [[0, 1, 2], [0, 1]]
    assert names["keep_above"]([torch.ones(4)], 0.5) == [[2, 3]]
    with pytest.raises(ValueError, match="prune must be"):
        names["keep_above"](groups, 1.0)


def test_a_masked_projection_is_a_mask_on_the_heads_it_reads() -> None:
    torch.manual_seed(0)
    parts = nn.ModuleDict({name: nn.Linear(8, 8) for name in ("query", "key", "value", "output")})
    x = torch.randn(2, 5, 8)
    masks = EarlyPruneMasks(4, 8)
    masks.head_mask.data.uniform_()
    expected = attention(parts, x, masks, 4)
    masked = names["PruneMaskedLinear"](8, 8, group=2)
    masked.load_state_dict(parts["output"].state_dict(), strict=False)
    masked.prune_mask.data.copy_(masks.head_mask)
    parts["output"] = masked
    torch.testing.assert_close(attention(parts, x, None, 4), expected)


def test_the_penalty_counts_all_masks_of_a_model() -> None:
    model = nn.Sequential(names["PruneMaskedLinear"](6, 2), EarlyPruneMasks(3, 8))
    model[0].prune_mask.data.fill_(-2.0)
    assert float(names["mask_penalty"](model, weight=0.5)) == 0.5 * (12 + 3 + 8)
    with pytest.raises(ValueError, match="model must hold masks"):
        names["mask_penalty"](nn.Linear(2, 2))
