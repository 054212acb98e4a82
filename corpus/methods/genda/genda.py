import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AttributeAdaptor(nn.Module):
    """Edits the latent of a frozen generator: GenDA (Yang et al., 2021, arXiv:2111.09876).

    A(z) = a ⊙ z + b with a = 1 and b = 0 at the start, so the generator starts as it was. The
    authors have not released code: that the edit is linear with this start is a reconstruction.

    Args:
        latent_dim: size of the latent.
    """

    def __init__(
        self,
        latent_dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
        super().__init__()
        self.weight = nn.Parameter(torch.ones(latent_dim, device=device, dtype=dtype))  # a
        self.bias = nn.Parameter(torch.zeros(latent_dim, device=device, dtype=dtype))  # b

    def forward(self, z: Tensor) -> Tensor:  # (..., latent_dim) -> (..., latent_dim)
        return self.weight * z + self.bias


class AttributeClassifier(nn.Module):
    """Head on the frozen discriminator's features that knows the reference: GenDA (2111.09876).

    Two linear layers over features (B, feat_dim), or (B, feat_dim, H, W) averaged over positions.
    The depth of the head is a reconstruction.
    """

    def __init__(
        self,
        feat_dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        if feat_dim < 1:
            raise ValueError(f"feat_dim must be at least 1, got {feat_dim}")
        super().__init__()
        self.hidden = nn.Linear(feat_dim, feat_dim, device=device, dtype=dtype)
        self.out = nn.Linear(feat_dim, 1, device=device, dtype=dtype)

    def forward(self, features: Tensor) -> Tensor:  # -> logits (B,)
        pooled = features.flatten(2).mean(2) if features.dim() > 2 else features
        return self.out(F.leaky_relu(self.hidden(pooled), 0.2))[..., 0]


def truncate_latent(z: Tensor, z_mean: Tensor, beta: float) -> Tensor:
    """z' = beta z + (1 - beta) mean: a narrower distribution, for training samples only."""
    if not 0 <= beta <= 1:
        raise ValueError(f"beta must be between 0 and 1, got {beta}")
    return beta * z + (1 - beta) * z_mean


def genda_losses(real_logits: Tensor, fake_logits: Tensor) -> "tuple[Tensor, Tensor]":
    """Losses of the classifier and of the adaptor: the non-saturating GAN losses.

    Step the classifier on logits of `G(A(z')).detach()`, the adaptor on logits with a graph.
    """
    # -log phi(real) - log(1 - phi(fake)) and -log phi(fake)
    classifier = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    return classifier, F.softplus(-fake_logits).mean()
