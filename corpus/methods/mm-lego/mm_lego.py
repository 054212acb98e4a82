from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LatentAttention(nn.Module):
    """Cross-attention from a latent to features with its feed-forward network, as in MM-Lego."""

    def __init__(self, dim: int, feat_dim: int, heads: int = 8, head_dim: int = 64) -> None:
        super().__init__()
        inner = heads * head_dim
        self.heads = heads
        self.temperature = 0.5
        self.norm = nn.LayerNorm(dim)
        self.feature_norm = nn.LayerNorm(feat_dim)
        self.query = nn.Linear(dim, inner, bias=False)
        self.key_value = nn.Linear(feat_dim, 2 * inner, bias=False)
        self.out = nn.Linear(inner, dim)
        self.ff_norm = nn.LayerNorm(dim)
        self.ff_in = nn.Linear(dim, 8 * dim)  # value and gate
        self.ff_out = nn.Linear(4 * dim, dim)

    def forward(self, latent: Tensor, features: Tensor) -> Tensor:
        # latent (B, c, d), features (B, n, f) -> (B, c, d)
        def split(tokens: Tensor) -> Tensor:  # (B, n, heads * h) -> (B, heads, n, h)
            return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)

        query = split(self.query(self.norm(latent)))
        key, value = self.key_value(self.feature_norm(features)).chunk(2, dim=-1)
        scores = query @ split(key).transpose(-2, -1) * query.shape[-1] ** -0.5
        read = (scores / self.temperature).softmax(-1) @ split(value)
        latent = latent + F.leaky_relu(self.out(read.transpose(1, 2).flatten(2)))
        value, gate = self.ff_in(self.ff_norm(latent)).chunk(2, dim=-1)
        return latent + self.ff_out(value * F.selu(gate))


class LegoHead(nn.Module):
    """Mean over the channels of a latent, LayerNorm, Linear."""

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.linear = nn.Linear(dim, num_classes)

    def forward(self, latent: Tensor) -> Tensor:  # (B, c, d) -> (B, classes)
        return self.linear(self.norm(latent.mean(1)))


class LegoBlock(nn.Module):
    """Any encoder behind a latent in the frequency domain: MM-Lego (Hemker et al., 2405.19950).

    In each pass the latent is normalised and transformed along its channels; its real part attends
    to the real spectrum of the encoder's features, the imaginary part is carried along, and between
    passes the inverse transform follows. Blocks with latents of one size can be merged whatever
    their encoders are.

    Args:
        encoder: gives features (B, n, feat_dim) or (B, feat_dim).
        feat_dim: width of the features.
        num_classes: size of the output.
        latent: channels and width of the latent.
        depth: passes, each with weights of its own.
    """

    def __init__(
        self,
        encoder: nn.Module,
        feat_dim: int,
        num_classes: int,
        *,
        latent: "tuple[int, int]" = (64, 64),
        depth: int = 2,
    ) -> None:
        if feat_dim < 1:
            raise ValueError(f"feat_dim must be at least 1, got {feat_dim}")
        if min(latent) < 1:
            raise ValueError(f"latent must be two sizes of at least 1, got {latent}")
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        super().__init__()
        self.encoder = encoder
        self.latent = nn.Parameter(torch.randn(*latent))
        self.passes = nn.ModuleList(LatentAttention(latent[1], feat_dim) for _ in range(depth))
        self.head = LegoHead(latent[1], num_classes)

    def spectrum(self, x: Tensor) -> Tensor:  # -> (B, n, feat_dim)
        """Real part of the spectrum of the encoder's features over the tokens."""
        features = self.encoder(x)
        features = features[:, None] if features.dim() == 2 else features
        return torch.fft.fft(features, dim=1).real

    def step(self, index: int, latent: Tensor, spectrum: Tensor) -> Tensor:
        """Pass `index` over a latent (B, c, d), real or complex; gives its complex spectrum."""
        frequency = torch.fft.fft(latent / latent.norm(dim=1, keepdim=True), dim=1)
        return torch.complex(self.passes[index](frequency.real, spectrum), frequency.imag)

    def encode(self, x: Tensor, start: "Tensor | None" = None) -> Tensor:
        """The complex spectrum (B, c, d) after all passes, from the learned latent or `start`."""
        spectrum = self.spectrum(x)
        latent = self.latent.expand(len(spectrum), -1, -1) if start is None else start
        for index in range(len(self.passes) - 1):
            latent = torch.fft.ifft(self.step(index, latent, spectrum), dim=1)
        return self.step(len(self.passes) - 1, latent, spectrum)

    def forward(self, x: Tensor) -> Tensor:  # -> (B, classes)
        return self.head(self.encode(x).real)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """From a at t = 0 to b at t = 1 along the arc of their directions, lengths interpolated.

    The released code leaves lengths alone, so that it does not end at b, and divides by zero where
    a and b are parallel; both are mended here.
    """
    if a.shape != b.shape:
        raise ValueError(f"b must have the shape of a, {tuple(a.shape)}, got {tuple(b.shape)}")
    length_a, length_b = a.norm(), b.norm()
    if length_a == 0 or length_b == 0:
        return torch.lerp(a, b, t)
    unit_a, unit_b = a / length_a, b / length_b
    cosine = (unit_a * unit_b).sum().clamp(-1, 1)
    across = unit_b - cosine * unit_a  # at a right angle to a
    if across.norm() < 1e-6:
        return torch.lerp(a, b, t)
    angle = t * torch.acos(cosine)
    direction = unit_a * torch.cos(angle) + across / across.norm() * torch.sin(angle)
    return torch.lerp(length_a, length_b, t) * direction


def harmonic_merge(a: Tensor, b: Tensor, alpha: float = 0.5) -> Tensor:
    """Complex latents at the mean of their phases, with the harmonic mean of their magnitudes.

    2 alpha (1 - alpha) |a| |b| / (alpha |b| + (1 - alpha) |a|) as released: of equal magnitudes it
    gives half at alpha = 0.5.
    """
    size_a, size_b = a.abs(), b.abs()
    smallest = torch.finfo(size_a.dtype).tiny
    below = (alpha * size_b + (1 - alpha) * size_a).clamp_min(smallest)
    size = 2 * alpha * (1 - alpha) * size_a * size_b / below
    return torch.polar(size, (a.angle() + b.angle()) / 2)


@torch.no_grad()
def merge_heads(blocks: "Sequence[LegoBlock]", alpha: float) -> LegoHead:
    """One head by `slerp`; of more than two blocks each further one has an equal share."""
    linear = blocks[0].head.linear
    head = LegoHead(linear.in_features, linear.out_features).to(linear.weight)
    state = dict(blocks[0].head.state_dict())
    for index, block in enumerate(blocks[1:], start=1):
        share = alpha if len(blocks) == 2 else 1 / (index + 1)
        for name, value in block.head.state_dict().items():
            state[name] = slerp(state[name], value, share)
    head.load_state_dict(state)
    return head


class LegoMerge(nn.Module):
    """Blocks trained apart as one model without training: MM-Lego (Hemker et al., 2405.19950).

    The complex latents are merged, the heads interpolated by `slerp`, and the head reads the real
    part. Only the sizes of the latents must agree.

    Args:
        blocks: two or more; two for harmonic.
        how: harmonic, mean, sum or product of the latents.
        alpha: weight of the harmonic merge and of the interpolation of heads.
    """

    def __init__(
        self, blocks: "Sequence[LegoBlock]", *, how: str = "harmonic", alpha: float = 0.5
    ) -> None:
        ways = ("harmonic", "mean", "sum", "product")
        if how not in ways:
            raise ValueError(f"how must be one of {', '.join(ways)}, got {how}")
        if len(blocks) < 2 or (how == "harmonic" and len(blocks) > 2):
            raise ValueError(f"blocks must be two, or more but for harmonic, got {len(blocks)}")
        if len({block.latent.shape for block in blocks}) > 1:
            raise ValueError("blocks must have latents of one size")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.how = how
        self.alpha = alpha
        self.head = merge_heads(blocks, alpha)

    def forward(self, *inputs: Tensor) -> Tensor:  # one input for each block -> (B, classes)
        pairs = zip(self.blocks, inputs)
        latents = [block.encode(x) for block, x in pairs if isinstance(block, LegoBlock)]
        if self.how == "harmonic":
            merged = harmonic_merge(latents[0], latents[1], self.alpha)
        elif self.how == "product":
            merged = torch.stack(latents).prod(0)
        else:
            merged = torch.stack(latents).sum(0)
            merged = merged / len(latents) if self.how == "mean" else merged
        return self.head(merged.real)


class LegoFuse(nn.Module):
    """Blocks in a chain, to be tuned a little on paired data: MM-Lego (Hemker et al., 2405.19950).

    stack: each block starts from the real spectrum that the one before ends with; weave: single
    passes of all blocks in turn. The heads are merged by `slerp`.

    Args:
        blocks: in the order of the inputs.
        weave: whether passes take turns.
        alpha: weight of the interpolation of heads.
    """

    def __init__(
        self, blocks: "Sequence[LegoBlock]", *, weave: bool = False, alpha: float = 0.5
    ) -> None:
        if not blocks or len({block.latent.shape for block in blocks}) > 1:
            raise ValueError("blocks must be at least one, with latents of one size")
        if weave and len({len(block.passes) for block in blocks}) > 1:
            raise ValueError("blocks must have one depth to be woven")
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.weave = weave
        self.head = merge_heads(blocks, alpha)

    def forward(self, *inputs: Tensor) -> Tensor:  # one input for each block -> (B, classes)
        pairs = zip(self.blocks, inputs)
        paired = [(block, x) for block, x in pairs if isinstance(block, LegoBlock)]
        return self.head(self.woven(paired) if self.weave else self.stacked(paired))

    def stacked(self, paired: "Sequence[tuple[LegoBlock, Tensor]]") -> Tensor:  # (B, c, d)
        latent: Tensor | None = None
        for block, x in paired:
            latent = block.encode(x, latent).real
        assert latent is not None  # there is at least one block
        return latent

    def woven(self, paired: "Sequence[tuple[LegoBlock, Tensor]]") -> Tensor:  # (B, c, d)
        spectra = [(block, block.spectrum(x)) for block, x in paired]
        first, spectrum = spectra[0]
        latent = first.latent.expand(len(spectrum), -1, -1)
        frequency = latent
        for index in range(len(first.passes)):
            for block, spectrum in spectra:
                frequency = block.step(index, latent, spectrum)
                latent = torch.fft.ifft(frequency, dim=1)
        return frequency.real
