"""MeteoRA: gates over trained LoRAs."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

MeteoRALinear = PYTHON["meteora"]["MeteoRALinear"]
add_loras_ = PYTHON["meteora"]["add_loras_"]
gate_logits = PYTHON["meteora"]["gate_logits"]
gate_supervision_loss = PYTHON["meteora"]["gate_supervision_loss"]

Lora = tuple[Tensor, Tensor, float]


def loras(ranks: tuple[int, ...] = (2, 3, 1)) -> list[Lora]:
    generator = torch.Generator().manual_seed(1)
    return [
        (
            torch.randn(rank, 6, generator=generator).double(),
            torch.randn(5, rank, generator=generator).double(),
            0.5 + rank,
        )
        for rank in ranks
    ]


def base() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(6, 5).double()


X = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(2)).double()


@pytest.mark.parametrize(("top_k", "temperature"), [(1, 1.0), (2, 0.5), (3, 2.0)])
def test_by_hand_token_by_token(top_k: int, temperature: float) -> None:
    plain, factors = base(), loras()
    layer = MeteoRALinear.from_linear(plain, factors, top_k, temperature)
    for x, y in zip(X.flatten(0, 1), layer(X).flatten(0, 1), strict=True):
        scores = layer.gate @ x
        chosen = scores.argsort(descending=True)[:top_k].tolist()
        shares = torch.softmax(scores[chosen] / temperature, 0)
        assert float(shares.sum()) == pytest.approx(1)
        expected = plain(x)
        for share, j in zip(shares, chosen, strict=True):
            A, B, scale = factors[j]
            expected = expected + share * scale * (B @ (A @ x))
        torch.testing.assert_close(y, expected)


def test_one_lora_is_that_lora() -> None:
    plain, (factors,) = base(), loras((2,))
    layer = MeteoRALinear.from_linear(plain, [factors], 1)
    A, B, scale = factors
    torch.testing.assert_close(layer(X), plain(X) + scale * X @ A.T @ B.T)


def test_zero_factors_give_the_base() -> None:
    plain = base()
    layer = MeteoRALinear(6, 5, ranks=[2, 2]).double()
    layer.load_state_dict(plain.state_dict(), strict=False)
    assert torch.equal(layer(X), plain(X))


def test_order_of_loras_does_not_matter() -> None:
    plain, factors = base(), loras()
    layer = MeteoRALinear.from_linear(plain, factors)
    other = MeteoRALinear.from_linear(plain, [factors[j] for j in (2, 0, 1)])
    other.gate.data = layer.gate.data[[2, 0, 1]]
    torch.testing.assert_close(other(X), layer(X))


def test_the_gates_alone_learn_in_a_model() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(base(), nn.Linear(5, 6).double(), base())
    before = model(X)
    gates = add_loras_(model, {"0": loras(), "2": loras()})
    assert not torch.allclose(model(X), before)
    assert sum(part.numel() for part in gates) == 2 * 3 * 6
    task_ids = torch.tensor([[0, 0, 1, 1], [2, 2, 2, -100]])
    optimiser = torch.optim.Adam(gates, lr=0.1)
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        model(X)
        loss = gate_supervision_loss(gate_logits(model), task_ids)
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]
    trained = {name for name, part in model.named_parameters() if part.grad is not None}
    assert trained == {"0.gate", "2.gate"}


def test_supervision_looks_at_the_next_token() -> None:
    scores = [torch.randn(2, 4, 3) for _ in range(2)]
    task_ids = torch.tensor([[0, 1, 2, 0], [1, 1, -100, 2]])
    each = [
        F.cross_entropy(score[row, t], task_ids[row, t + 1])
        for score in scores
        for row in range(2)
        for t in range(3)
        if task_ids[row, t + 1] >= 0
    ]
    expected = 50 * torch.stack(each).mean()
    torch.testing.assert_close(gate_supervision_loss(scores, task_ids), expected)


def test_count_of_gates_in_llama_3() -> None:
    """28 tasks, seven projections, 32 layers: 34.9M."""
    sizes = [(4096, 4096)] * 2 + [(4096, 1024)] * 2 + [(4096, 14336)] * 2 + [(14336, 4096)]
    total = 0
    for size in sizes:
        layer = MeteoRALinear(*size, False, "meta", ranks=[8] * 28)
        total += sum(part.numel() for part in layer.parameters() if part.requires_grad)
    assert 32 * total == 28 * 32 * 38_912


def test_round_trip_and_refusals() -> None:
    layer = MeteoRALinear.from_linear(base(), loras())
    other = MeteoRALinear(6, 5, ranks=[2, 3, 1]).double()
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(X), layer(X))
    with pytest.raises(ValueError, match="top_k must be between 1 and 3"):
        MeteoRALinear(6, 5, ranks=[2, 3, 1], top_k=4)
    with pytest.raises(ValueError, match="loras must fit the layer: number 0"):
        MeteoRALinear.from_linear(nn.Linear(7, 5), loras())
    with pytest.raises(ValueError, match=r"loras must name nn\.Linear"):
        add_loras_(nn.Sequential(nn.ReLU()), {"0": loras()})


def test_one_task_for_all_tokens_of_an_example() -> None:
    scores = [torch.randn(2, 4, 3) for _ in range(2)]
    tasks = torch.tensor([2, 0])
    by_token = tasks[:, None].expand(2, 4)
    assert gate_supervision_loss(scores, tasks) == gate_supervision_loss(scores, by_token)
