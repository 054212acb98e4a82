"""PAT: the mask's schedule, its penalty, and folding everything away."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

names = PYTHON["pat"]
SharedChannelMask = names["SharedChannelMask"]
HybridSparsificationModule = names["HybridSparsificationModule"]
share_channel_mask, step_masks_ = names["share_channel_mask"], names["step_masks_"]
pat_penalty, fold_hsm_ = names["pat_penalty"], names["fold_hsm_"]


def at(step: int, logits: list[float], total_steps: int = 100) -> tuple[nn.Module, Tensor]:
    mask = SharedChannelMask(len(logits), total_steps=total_steps).double()
    mask.logits.data.copy_(torch.tensor(logits))
    mask.steps.fill_(step)
    return mask, mask()


def test_starts_at_exactly_one() -> None:
    mask = SharedChannelMask(5)
    assert torch.equal(mask(), torch.ones(5))
    assert torch.equal(mask.eval()(), torch.ones(5))


@pytest.mark.parametrize(("step", "temperature", "left"), [(10, 2.0, 0.4), (50, 6.6438, 0.0)])
def test_schedule_by_hand(step: int, temperature: float, left: float) -> None:
    """1 / (1 - ln t / ln T): at t = 10 of T = 100 it is 2."""
    _, s = at(step, [0.3, -0.2])
    expected = torch.sigmoid(temperature * torch.tensor([0.3, -0.2]).double()) + left
    torch.testing.assert_close(s, expected, rtol=0, atol=1e-5)


def test_frozen_after_four_fifths() -> None:
    _, before = at(80, [0.3, -0.2])
    mask, after = at(95, [0.3, -0.2])
    torch.testing.assert_close(after, before)
    mask().sum().backward()
    assert mask.logits.grad is None or not mask.logits.grad.any()


def test_hard_in_eval() -> None:
    mask, _ = at(10, [0.3, -0.2, 0.0])
    s = mask.eval()()
    assert s.tolist() == [1, 0, 1] and mask.kept() == [0, 2]
    s.sum().backward()
    assert mask.logits.grad.abs().min() > 0


def test_penalty_by_hand() -> None:
    mask, _ = at(0, [1.0, 0.25, -0.5, -2.0])
    expected = 10 * 1 / 1 + (0.25 + 0.0625) / 2 + (0 + 2.25) / 2
    penalty = mask.penalty(1)
    assert float(penalty) == pytest.approx(expected)
    penalty.backward()
    # each logit pushes the count down by 10, straight through, beside its own pull
    pulls = torch.tensor([2 * 0.5 / 2, 2 * -0.25 / 2, 0.0, 2 * -1.5 / 2]).double()
    torch.testing.assert_close(mask.logits.grad, 10 + pulls)


def test_penalty_is_finite_where_a_group_is_empty() -> None:
    mask, _ = at(0, [0.0, 0.0])
    mask.penalty(1).backward()
    assert torch.isfinite(mask.penalty(1)) and torch.isfinite(mask.logits.grad).all()


def test_identity_loss() -> None:
    module = HybridSparsificationModule(6, rank=3)
    assert float(module.identity_loss()) > 0
    nn.init.orthogonal_(module.down)
    assert float(module.identity_loss()) == pytest.approx(0, abs=1e-12)


def test_a_model_has_one_mask_and_counts_once() -> None:
    model = nn.ModuleList(HybridSparsificationModule(6, rank=2) for _ in range(3))
    mask = share_channel_mask(model, total_steps=50)
    assert all(part.mask is mask for part in model) and mask.total_steps == 50
    step_masks_(model)
    assert int(mask.steps) == 1
    expected = mask.penalty(4) + sum(part.identity_loss() for part in model)
    torch.testing.assert_close(pat_penalty(model, 0.7), expected)
    with pytest.raises(ValueError, match="model has no Hybrid"):
        share_channel_mask(nn.Linear(2, 2))


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float = 0.01) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)


class Block(nn.Module):
    """One token mixer and a head, with everything a stream needs."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 8)
        self.norm_1, self.norm_2 = RMSNorm(8), RMSNorm(8)
        self.up, self.down = nn.Linear(8, 12), nn.Linear(12, 8)
        self.head = nn.Linear(8, 7, bias=False)
        self.embed_hsm = HybridSparsificationModule(8, rank=3)
        self.down_hsm = HybridSparsificationModule(8, rank=3)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed_hsm(self.embed(ids))
        x = x + self.down_hsm(self.down(self.up(self.norm_1(x)).relu()))
        return self.head(self.norm_2(x))


def test_folded_model_is_narrower_and_the_same() -> None:
    torch.manual_seed(0)
    model = Block().double().eval()
    mask = share_channel_mask(model)
    for module in (model.embed_hsm, model.down_hsm):
        for part in (module.up, module.scale):
            part.data += 0.3 * torch.randn_like(part)
    mask.logits.data[[1, 4, 5]] = -1
    ids = torch.arange(7)
    expected = model(ids)
    keep = mask.kept()
    fold_hsm_(model.embed, [model.up], model.norm_1, model.embed_hsm, keep)
    fold_hsm_(model.down, [model.head], model.norm_2, model.down_hsm, keep)
    model.embed_hsm = model.down_hsm = nn.Identity()
    torch.testing.assert_close(model(ids), expected)
    assert model.embed.weight.shape == (7, 5) and model.head.weight.shape == (7, 5)
    assert (model.down.out_features, model.up.in_features) == (5, 5)


def test_layer_norm_cannot_be_folded() -> None:
    module = HybridSparsificationModule(8, rank=3)
    with pytest.raises(ValueError, match="norm must be an RMSNorm"):
        fold_hsm_(nn.Linear(4, 8), [], nn.LayerNorm(8), module, [0])


def test_count_in_llama_2() -> None:
    """65 modules of width 4096 and the mask: 106.8M."""
    module = HybridSparsificationModule(4096, device="meta")
    own = sum(part.numel() for part in module.parameters()) - 4096
    assert own == 1_642_496
    assert 65 * own + 4096 == pytest.approx(106.8e6, rel=1e-3)
