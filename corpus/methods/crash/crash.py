import copy
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn


def linear_cka(X: Tensor, Y: Tensor) -> Tensor:  # (n, d1), (n, d2) -> ()
    """How alike two sets of hidden states are, from 0 to 1, as CRaSh (arXiv:2310.15477) compares.

    |Xc^T Yc|^2 / (|Xc^T Xc| |Yc^T Yc|) in Frobenius norms, Xc with columns of mean zero; rotating
    or scaling X changes nothing (Zhang et al., 2023). Rows are examples, or tokens.
    """
    if len(X) != len(Y):
        raise ValueError(f"Y must have a row for each of {len(X)} rows of X, got {len(Y)}")
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    norms = torch.linalg.matrix_norm(Xc.T @ Xc) * torch.linalg.matrix_norm(Yc.T @ Yc)
    smallest = torch.finfo(norms.dtype).tiny  # states that are all alike have no norm
    return torch.linalg.matrix_norm(Xc.T @ Yc).square() / norms.clamp_min(smallest)


def cluster_adjacent_layers(hiddens: "Sequence[Tensor]", n_clusters: int) -> "list[list[int]]":
    """Runs of layers with like hidden states: CRaSh (Zhang et al., 2023, arXiv:2310.15477).

    Starts with a cluster for each layer and joins the two neighbours whose bordering layers are
    most alike by `linear_cka`, until `n_clusters` are left. `hiddens` holds what each layer gives,
    (n, d); keep the middle of each cluster, `cluster[len(cluster) // 2]`.
    """
    if not 1 <= n_clusters <= len(hiddens):
        raise ValueError(f"n_clusters must be between 1 and {len(hiddens)}, got {n_clusters}")
    clusters = [[index] for index in range(len(hiddens))]
    while len(clusters) > n_clusters:
        alike = [
            float(linear_cka(hiddens[left[-1]], hiddens[right[0]]))
            for left, right in zip(clusters, clusters[1:])
        ]
        best = alike.index(max(alike))
        clusters[best : best + 2] = [clusters[best] + clusters[best + 1]]
    return clusters


def build_shared_emulator(
    layers: nn.ModuleList,
    keep: "Collection[int]",
    trainable: "Collection[int]",
    *,
    share_trainable: bool = True,
) -> nn.ModuleList:
    """As many layers as before out of few: CRaSh (Zhang et al., 2023, arXiv:2310.15477).

    The layers `keep` and `trainable` stay in their places; every other place takes the nearest of
    them, the right one of two equally near. A frozen layer is used again as it is; a trainable one
    is copied and the copy frozen, or never used again without `share_trainable`. Only the layers
    `trainable` train, and they can go back into the whole model.
    """
    chosen = sorted({*keep, *trainable})
    for name, places in (("keep", keep), ("trainable", trainable)):
        if not all(0 <= place < len(layers) for place in places):
            raise ValueError(f"{name} must be between 0 and {len(layers) - 1}, got {list(places)}")
    offered = [place for place in chosen if share_trainable or place not in trainable]
    if not offered:
        raise ValueError("keep must name at least one layer to share")
    layers.requires_grad_(False)
    for place in trainable:
        layers[place].requires_grad_(True)
    emulator: list[nn.Module] = []
    for place in range(len(layers)):
        if place in chosen:
            emulator.append(layers[place])
            continue
        # reversed: of two equally near, the right one
        nearest = min(reversed(offered), key=lambda other: abs(other - place))
        layer = layers[nearest]
        if nearest in trainable:
            layer = copy.deepcopy(layer).requires_grad_(False)
        emulator.append(layer)
    return nn.ModuleList(emulator)
