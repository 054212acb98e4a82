"""CRaSh: clusters of like layers, and a model of the old depth out of few."""

import copy
from itertools import chain

import pytest
import torch
from corpus import PYTHON
from torch import nn

linear_cka = PYTHON["crash"]["linear_cka"]
cluster_adjacent_layers = PYTHON["crash"]["cluster_adjacent_layers"]
build_shared_emulator = PYTHON["crash"]["build_shared_emulator"]


def test_cka_is_blind_to_rotation_and_scale() -> None:
    X, Y = torch.randn(30, 6), torch.randn(30, 4)
    rotation = torch.linalg.qr(torch.randn(6, 6)).Q
    assert linear_cka(X, X).item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(linear_cka(3 * X @ rotation + 7, Y), linear_cka(X, Y))
    torch.testing.assert_close(linear_cka(X, Y), linear_cka(Y, X))
    assert 0 < linear_cka(X, Y) < 0.7


def test_cka_by_gram_matrices() -> None:
    X, Y = torch.randn(20, 6), torch.randn(20, 4)
    centre = torch.eye(20) - 1 / 20
    K, L = (centre @ part @ part.T @ centre for part in (X, Y))
    expected = (K * L).sum() / (K.norm() * L.norm())
    torch.testing.assert_close(linear_cka(X, Y), expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="Y must have a row for each of 20 rows"):
        linear_cka(X, Y[1:])


def test_clusters_are_runs_of_like_layers() -> None:
    groups = [torch.randn(40, 5) for _ in range(3)]
    hiddens = [groups[index] + 0.01 * torch.randn(40, 5) for index in (0, 0, 0, 1, 1, 2)]
    assert cluster_adjacent_layers(hiddens, 3) == [[0, 1, 2], [3, 4], [5]]
    for count in range(1, 7):
        clusters = cluster_adjacent_layers(hiddens, count)
        assert len(clusters) == count and [*chain(*clusters)] == list(range(6))
    with pytest.raises(ValueError, match="n_clusters must be between 1 and 6, got 7"):
        cluster_adjacent_layers(hiddens, 7)


def test_clusters_compare_bordering_layers() -> None:
    """0 and 1 join first; then 2, which is more like 1 than 3 but less like 0, goes to them."""
    a, b, c = (torch.randn(60, 8) for _ in range(3))
    hiddens = [a, a + 0.5 * b, b + 0.5 * a, b + c]
    alike = [linear_cka(hiddens[i], hiddens[j]) for i, j in ((0, 1), (1, 2), (2, 3), (0, 2))]
    assert alike == sorted(alike, reverse=True)
    assert cluster_adjacent_layers(hiddens, 2) == [[0, 1, 2], [3]]


def layers(count: int = 9) -> nn.ModuleList:
    torch.manual_seed(2)
    return nn.ModuleList(nn.Linear(4, 4) for _ in range(count))


def test_places_take_the_nearest_kept_layer() -> None:
    whole = layers()
    emulator = build_shared_emulator(whole, keep=[2, 6], trainable=[])
    assert len(emulator) == 9
    taken = [[*whole].index(layer) for layer in emulator]
    assert taken == [2, 2, 2, 2, 6, 6, 6, 6, 6]  # 4 is as near to 2 as to 6: the right one
    assert sum(part.numel() for part in emulator.parameters()) == 2 * 20


def test_only_the_chosen_layers_train() -> None:
    whole = layers()
    emulator = build_shared_emulator(whole, keep=[3, 5], trainable=[0, 8])
    assert all(emulator[place] is whole[place] for place in (0, 3, 5, 8))
    assert emulator[1] is not whole[0] and emulator[4] is whole[5]
    assert torch.equal(emulator[1].weight, whole[0].weight)
    trained = {part for part in emulator.parameters() if part.requires_grad}
    assert trained == {*whole[0].parameters(), *whole[8].parameters()}
    kept = [copy.deepcopy(layer.weight) for layer in emulator]
    x = torch.randn(2, 4)
    for layer in emulator:
        x = torch.tanh(layer(x))
    x.sum().backward()
    torch.optim.SGD(trained, lr=1.0).step()
    moved = [not torch.equal(a.weight, b) for a, b in zip(emulator, kept, strict=True)]
    assert moved == [place in (0, 8) for place in range(9)]


def test_trained_layers_need_not_be_shared() -> None:
    whole = layers()
    emulator = build_shared_emulator(whole, keep=[4], trainable=[0, 8], share_trainable=False)
    assert all(emulator[place] is whole[4] for place in range(1, 8))


def test_the_whole_model_when_all_are_kept() -> None:
    whole = layers()
    emulator = build_shared_emulator(whole, keep=range(9), trainable=[0])
    assert all(a is b for a, b in zip(emulator, whole, strict=True))
    with pytest.raises(ValueError, match="keep must be between 0 and 8"):
        build_shared_emulator(whole, keep=[9], trainable=[])
