"""Compacter: Kronecker products and the rule that a model shares."""

import copy

import pytest
import torch
from corpus import PYTHON
from torch import nn

PHMLinear = PYTHON["compacter"]["PHMLinear"]
CompacterAdapter = PYTHON["compacter"]["CompacterAdapter"]
share_phm_rule = PYTHON["compacter"]["share_phm_rule"]


@pytest.mark.parametrize(("n", "rank"), [(1, 1), (2, 3), (4, 1)])
def test_weight_is_a_sum_of_kronecker_products(n: int, rank: int) -> None:
    layer = PHMLinear(8, 12, n=n, rank=rank, rule_std=1.0)
    expected = sum(torch.kron(layer.phm_rule[i], layer.left[i] @ layer.right[i]) for i in range(n))
    x = torch.randn(3, 8)
    torch.testing.assert_close(layer(x), x @ expected + layer.bias, rtol=1e-4, atol=1e-5)


def test_each_term_has_rank_at_most_n_times_rank() -> None:
    layer = PHMLinear(32, 32, n=4, rank=1, rule_std=1.0).double()
    term = torch.kron(layer.phm_rule[0], layer.left[0] @ layer.right[0])
    assert torch.linalg.matrix_rank(term) == 4


def test_a_model_shares_one_rule() -> None:
    model = nn.ModuleList(CompacterAdapter(64) for _ in range(3))
    alone = sum(part.numel() for part in model.parameters())
    rule = share_phm_rule(model)
    layers = [module for module in model.modules() if isinstance(module, PHMLinear)]
    assert len(layers) == 6 and all(layer.phm_rule is rule for layer in layers)
    assert sum(part.numel() for part in model.parameters()) == alone - 2 * 4**3
    sum(adapter(torch.randn(2, 64)).sum() for adapter in model).backward()
    assert rule.grad is not None
    twin = copy.deepcopy(model)
    assert (
        len({id(layer.phm_rule) for layer in twin.modules() if isinstance(layer, PHMLinear)}) == 1
    )


def test_models_that_cannot_share() -> None:
    assert share_phm_rule(nn.Linear(2, 2)) is None  # a configuration may build none
    with pytest.raises(ValueError, match="same n"):
        share_phm_rule(nn.ModuleList([CompacterAdapter(16, n=2), CompacterAdapter(16, n=4)]))


def test_size_in_t5_base() -> None:
    """2,376 for each adapter of width 768, beside the shared rule."""
    adapter = CompacterAdapter(768)
    assert sum(part.numel() for part in adapter.parameters()) - 4**3 == 2_376
    assert adapter.down.out_features == 24


def test_distance_from_identity_is_of_the_square_of_the_rule() -> None:
    x = torch.randn(4, 64).double()
    far = []
    for std in (1e-4, 1e-3):
        torch.manual_seed(0)
        adapter = CompacterAdapter(64, reduction=4, rule_std=std).double()
        far.append((adapter(x) - x).norm().item())
    assert far[0] < 1e-5 * x.norm()
    assert far[1] / far[0] == pytest.approx(100, rel=0.05)
    nn.init.zeros_(adapter.down.phm_rule)
    assert torch.equal(adapter(x), x)


def test_a_narrow_bottleneck_is_still_a_multiple_of_n() -> None:
    assert CompacterAdapter(64, reduction=32).down.out_features == 4
    assert CompacterAdapter(96, reduction=10, n=2).down.out_features == 8
