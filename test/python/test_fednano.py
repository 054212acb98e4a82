"""FedNano: the adapter, Fisher information and merges."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

NanoAdapter = PYTHON["fednano"]["NanoAdapter"]
nano_state = PYTHON["fednano"]["nano_state"]
fisher_diag = PYTHON["fednano"]["fisher_diag"]
fedavg = PYTHON["fednano"]["fedavg"]
fisher_merge = PYTHON["fednano"]["fisher_merge"]


def tensors(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(3, 4, generator=generator) for name in ("up", "down")}


def test_two_adapters_of_a_language_model() -> None:
    adapter = NanoAdapter(4096, "meta")
    assert 2 * sum(part.numel() for part in adapter.parameters()) == 1_048_576


def test_clients_send_the_adapter_alone() -> None:
    model = nn.Sequential(nn.Embedding(9, 8).requires_grad_(False), NanoAdapter(8, rank=2))
    model.append(nn.Linear(8, 9).requires_grad_(False))
    model(torch.tensor([[1, 2]])).sum().backward()
    assert model[2].weight.grad is None and model[1].nano_up.grad.abs().sum() > 0
    state = nano_state(model)
    assert set(state) == {"1.nano_down", "1.nano_up"}
    state["1.nano_up"] += 1
    assert model[1].nano_up.abs().max() == 0
    assert model.load_state_dict(state, strict=False).unexpected_keys == []


def test_fisher_information_of_a_softmax() -> None:
    """Of the bias of a softmax regression: the mean of (p - onehot(y))^2."""
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    x, y = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 1])
    loader = [(x[:4], y[:4]), (x[4:], y[4:])]
    fisher = fisher_diag(model, loader, dict(model.named_parameters()))
    residual = model(x).softmax(-1).detach() - torch.eye(3)[y]
    torch.testing.assert_close(fisher["bias"], residual.square().mean(0))
    expected = (residual[:, :, None] * x[:, None]).square().mean(0)
    torch.testing.assert_close(fisher["weight"], expected)
    assert model.bias.grad is None


def test_average_by_number_of_examples() -> None:
    a, b = tensors(0), tensors(1)
    torch.testing.assert_close(fedavg([a, b])["up"], (a["up"] + b["up"]) / 2)
    torch.testing.assert_close(fedavg([a, b], [3, 1])["up"], 0.75 * a["up"] + 0.25 * b["up"])
    with pytest.raises(ValueError, match="weights must be one for each of the 2 states"):
        fedavg([a, b], [1])


def test_equal_information_gives_the_mean() -> None:
    states = [tensors(seed) for seed in range(3)]
    fisher = tensors(7)
    merged, mean = fisher_merge(states, [fisher] * 3), fedavg(states)
    for name, value in merged.items():
        torch.testing.assert_close(value, mean[name])
    none = {name: torch.zeros(3, 4) for name in fisher}
    torch.testing.assert_close(fisher_merge(states, [none] * 3)["up"], mean["up"])


def test_merge_lies_between_and_follows_who_knows() -> None:
    states = [tensors(seed) for seed in range(3)]
    fishers = [tensors(seed) for seed in range(10, 13)]
    fishers[0]["up"][0] = 0
    merged = fisher_merge(states, fishers)["up"]
    stacked = torch.stack([state["up"] for state in states])
    assert ((merged >= stacked.amin(0) - 1e-6) & (merged <= stacked.amax(0) + 1e-6)).all()
    states[0]["up"][0] += 100
    torch.testing.assert_close(fisher_merge(states, fishers)["up"][0], merged[0], rtol=0, atol=1e-4)
    same = fisher_merge([states[1]] * 3, fishers)
    torch.testing.assert_close(same["up"], states[1]["up"])
    expected = sum(
        fisher["down"] * state["down"] for fisher, state in zip(fishers, states, strict=True)
    )
    expected = expected / sum(fisher["down"] for fisher in fishers)
    torch.testing.assert_close(fisher_merge(states, fishers)["down"], expected)
