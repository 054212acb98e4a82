"""MoSA: the partition, what an expert trains, and both merges."""

import pytest
import torch
from corpus import PYTHON
from torch import nn
from torch.nn import functional as F

SparseMixtureAdapter = PYTHON["mosa"]["SparseMixtureAdapter"]
symmetric_kl = PYTHON["mosa"]["symmetric_kl"]


def awake(**options: object) -> nn.Module:
    torch.manual_seed(0)
    adapter = SparseMixtureAdapter(16, bottleneck=8, dropout=0.0, **options)
    nn.init.normal_(adapter.up_weight)
    return adapter


@pytest.mark.parametrize("n_experts", [2, 3, 4])
def test_masks_are_disjoint_cover_and_even(n_experts: int) -> None:
    adapter = SparseMixtureAdapter(16, bottleneck=8, n_experts=n_experts)
    for owner in (adapter.down_expert, adapter.up_expert):
        counts = torch.bincount(owner.flatten(), minlength=n_experts)
        assert counts.sum() == 128 and len(counts) == n_experts
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(("share", "split"), [("down", 1), ("up", 1), ("none", 2)])
def test_a_step_trains_one_expert_of_each_split_matrix(share: str, split: int) -> None:
    adapter = awake(share=share).train()
    adapter(torch.randn(4, 3, 16)).square().sum().backward()
    sparse = 0
    for weight, owner in (
        (adapter.down_weight, adapter.down_expert),
        (adapter.up_weight, adapter.up_expert),
    ):
        owners = owner[weight.grad != 0].unique()
        if len(owners) == 1:
            sparse += 1
            assert (weight.grad != 0).sum() == (owner == owners[0]).sum()
        else:
            assert (weight.grad != 0).all()
    assert sparse == split
    assert (adapter.up_bias.grad != 0).all()


def test_entries_of_other_experts_stay_at_their_start() -> None:
    adapter = awake(share="none").train()
    start = adapter.up_weight.detach().clone()
    optimiser = torch.optim.SGD(adapter.parameters(), lr=0.1)
    adapter(torch.randn(4, 3, 16)).square().sum().backward()
    optimiser.step()
    moved = adapter.up_expert[adapter.up_weight != start].unique()
    assert len(moved) == 1


def test_training_is_random_and_evaluation_is_the_plain_adapter() -> None:
    adapter = awake()
    h, x = torch.randn(2, 3, 16), torch.randn(2, 3, 16)
    outputs = {tuple(adapter.train()(h, x).flatten().tolist()) for _ in range(40)}
    assert len(outputs) == 4
    normed = F.layer_norm(x, (16,), adapter.norm.weight, adapter.norm.bias)
    hidden = F.gelu(F.linear(normed, adapter.down_weight, adapter.down_bias))
    expected = h + 0.1 * F.linear(hidden, adapter.up_weight, adapter.up_bias)
    torch.testing.assert_close(adapter.eval()(h, x), expected)


def test_experts_are_the_union_of_their_parts() -> None:
    adapter = awake(share="none")
    torch.manual_seed(1)
    nn.init.normal_(adapter.down_weight)
    copies = [
        adapter.expert(adapter.down_weight, adapter.down_start, adapter.down_expert, index)
        for index in range(4)
    ]
    union = sum((adapter.down_expert == index) * copy for index, copy in enumerate(copies))
    torch.testing.assert_close(union, adapter.down_weight)
    mean = torch.stack(copies).mean(0)
    adapter.merge_("average")
    torch.testing.assert_close(adapter.down_weight, mean)


@pytest.mark.parametrize("how", ["union", "average"])
def test_merged_adapter_is_dense(how: str) -> None:
    adapter = awake()
    h, before = torch.randn(2, 3, 16), adapter.up_weight.detach().clone()
    adapter.merge_(how)
    factor = 1 if how == "union" else 1 / 4
    torch.testing.assert_close(adapter.up_weight, factor * before)
    assert torch.equal(adapter.train()(h), adapter.eval()(h))
    with pytest.raises(ValueError, match="how must be union or average, got sum"):
        adapter.merge_("sum")


def test_symmetric_divergence() -> None:
    p, q = torch.randn(4, 7, requires_grad=True), torch.randn(4, 7, requires_grad=True)
    value = symmetric_kl(p, q)
    kl = F.kl_div(q.log_softmax(-1), p.softmax(-1), reduction="batchmean")
    kl = kl + F.kl_div(p.log_softmax(-1), q.softmax(-1), reduction="batchmean")
    torch.testing.assert_close(value, kl / 2)
    torch.testing.assert_close(symmetric_kl(q, p), value)
    value.backward()
    # d KL(target || input) / d input = softmax(input) - softmax(target), over the batch
    expected = (p.softmax(-1) - q.softmax(-1)).detach() / 2 / 4
    torch.testing.assert_close(p.grad, expected)
    assert symmetric_kl(p, p + 3).abs() < 1e-6


def test_size_in_vit_base() -> None:
    adapter = SparseMixtureAdapter(768, "meta")
    assert sum(part.numel() for part in adapter.parameters()) == 2 * 768 * 64 + 64 + 768 + 2 * 768
