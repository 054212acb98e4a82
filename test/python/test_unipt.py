"""UniPT: a parallel network over frozen hidden states."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

UniPT = PYTHON["unipt"]["UniPT"]
frozen_features = PYTHON["unipt"]["frozen_features"]


def states(layers: int = 3, width: int = 12, tokens: int = 5) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, tokens, width) for _ in range(layers)]


def test_size_beside_bert_base() -> None:
    side = UniPT([768] * 13, 1024, device="meta")
    inner = 512
    expected = 13 * (768 * inner + 3 * inner) + inner**2 + 3 * inner + inner + 1 + 525_312
    assert sum(part.numel() for part in side.parameters()) == expected == 5_921_281


def test_no_gradient_and_no_graph_in_the_backbone() -> None:
    backbone = nn.ModuleList(nn.Linear(12, 12) for _ in range(3))

    def run(x: Tensor) -> list[Tensor]:
        found = [x]
        for layer in backbone:
            found.append(layer(found[-1]))
        return found

    hidden = frozen_features(run, torch.randn(2, 5, 12))
    assert not any(state.requires_grad for state in hidden)
    side = UniPT([12] * 4, 8)
    output = side(hidden)
    assert output.shape == (2, 5, 8)
    output.square().sum().backward()
    assert all(part.grad is None for part in backbone.parameters())
    for name, parameter in side.named_parameters():
        # a bias of the confidence moves all layers alike
        assert name == "confidence.bias" or parameter.grad.abs().sum() > 0, name


def test_rows_of_the_gathering_sum_to_one_or_zero() -> None:
    side = UniPT([12] * 3, 8)
    anchor, tokens = torch.randn(2, 5, 4), torch.randn(2, 5, 4)
    sums = side.gather(anchor, tokens, torch.ones(2, 5)).sum(-1)
    assert (torch.isclose(sums, torch.ones(())) | (sums == 0)).all()
    assert side.gather(tokens, tokens, torch.ones(2, 5)).sum(-1).min() > 0.99
    assert (side.gather(anchor, -anchor, torch.eye(5).expand(2, 5, 5)[:, 0]) >= 0).all()


def test_confidence_is_a_distribution_over_layers() -> None:
    side = UniPT([12] * 4, 8)
    layers, keep = [torch.randn(2, 5, 4) for _ in range(3)], torch.ones(2, 5)
    confidence = side.confidences(torch.randn(2, 5, 4), layers, keep)
    assert confidence.shape == (2, 3)
    torch.testing.assert_close(confidence.sum(1), torch.ones(2))
    alone = side.confidences(torch.randn(2, 5, 4), layers[:1], keep)
    assert torch.equal(alone, torch.ones(2, 1))


def test_masked_tokens_change_no_other() -> None:
    side = UniPT([12] * 3, 8).eval()
    hidden = states()
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    before = side(hidden, mask)
    for state in hidden:
        state[1, 3:] += 10
    after = side(hidden, mask)
    torch.testing.assert_close(after[0], before[0])
    torch.testing.assert_close(after[1, :3], before[1, :3])
    assert not torch.allclose(side(hidden)[1, :3], before[1, :3])


def test_without_identity_tokens_lose_their_own_value() -> None:
    hidden = states()
    torch.manual_seed(1)
    side = UniPT([12] * 3, 8, identity=True)
    kept = side(hidden)
    side.identity = False
    assert not torch.allclose(side(hidden), kept)


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="hidden_sizes must name two layers"):
        UniPT([12], 8)
    with pytest.raises(ValueError, match="reduction must divide out_dim 8, got 3"):
        UniPT([12, 12], 8, reduction=3)
    with pytest.raises(ValueError, match="hidden_states must be 2, got 3"):
        UniPT([12, 12], 8)(states())
