import torch
from torch import Tensor, nn


class DecoupledCrossAttention(nn.Module):
    """Cross-attention with a second pair of keys and values: CAMOUFLaGE-Light (Piano et al., 2024).

    Attn(Q, K_text, V_text) + lam * Attn(Q, K_image, V_image), where only `to_k_ip` and `to_v_ip`
    train (arXiv:2403.14790). Written from the abstract and the family of image adapters that it
    names; the authors' code was not read, so this is a reconstruction.

    Args:
        dim: width of the queries and of the output.
        ctx_dim: width of the text tokens and of the attribute tokens.
        heads: attention heads; must divide dim.
        lam: weight of the attribute tokens; 0 gives the base layer.
    """

    def __init__(
        self,
        dim: int,
        ctx_dim: int,
        heads: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        lam: float = 1.0,
    ) -> None:
        if heads < 1 or dim % heads:
            raise ValueError(f"heads must divide dim {dim}, got {heads}")
        super().__init__()
        self.heads = heads
        self.lam = lam

        def linear(in_features: int, bias: bool = False) -> nn.Linear:
            return nn.Linear(in_features, dim, bias, device, dtype)

        # the names of the layers of a U-Net's cross-attention, whose weights load
        self.to_q, self.to_k, self.to_v = linear(dim), linear(ctx_dim), linear(ctx_dim)
        self.to_out = nn.ModuleList([linear(dim, bias=True)])
        self.requires_grad_(False)
        self.to_k_ip, self.to_v_ip = linear(ctx_dim), linear(ctx_dim)

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        def split(tokens: Tensor) -> Tensor:  # (B, n, dim) -> (B, heads, n, dim / heads)
            return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)

        scores = (
            split(query) @ split(key).transpose(-2, -1) * (query.shape[-1] / self.heads) ** -0.5
        )
        return (scores.softmax(-1) @ split(value)).transpose(1, 2).flatten(2)

    def forward(self, x: Tensor, text: Tensor, attributes: "Tensor | None" = None) -> Tensor:
        # x (B, N, dim), text (B, T, ctx), attributes (B, M, ctx) -> (B, N, dim)
        query = self.to_q(x)
        attended = self.attend(query, self.to_k(text), self.to_v(text))
        if attributes is not None:
            key, value = self.to_k_ip(attributes), self.to_v_ip(attributes)
            attended = attended + self.lam * self.attend(query, key, value)
        return self.to_out[0](attended)


class AttributeTokens(nn.Module):
    """An attribute code of each person as tokens for `DecoupledCrossAttention`: linear, LayerNorm.

    A reconstruction, as the paper's abstract does not say how the code is projected.
    """

    def __init__(self, code_dim: int, ctx_dim: int, tokens: int = 4) -> None:
        if tokens < 1:
            raise ValueError(f"tokens must be at least 1, got {tokens}")
        super().__init__()
        self.tokens = tokens
        self.project = nn.Linear(code_dim, tokens * ctx_dim)
        self.norm = nn.LayerNorm(ctx_dim)

    def forward(self, codes: Tensor) -> Tensor:  # (B, people, code) -> (B, people tokens, ctx)
        split = self.project(codes).unflatten(-1, (self.tokens, -1))
        return self.norm(split.flatten(1, 2))


def anonymization_guidance(
    eps_uncond: Tensor, eps_pos: Tensor, eps_id: Tensor, g: float = 7.5, g_a: float = 1.0
) -> Tensor:
    """Guidance to the conditions and away from the identity: CAMOUFLaGE-Base (arXiv:2403.14790).

    eps_uncond + g (eps_pos - eps_uncond) - g_a (eps_id - eps_uncond), where eps_id is the noise
    that a further ControlNet on the original predicts. The form of the sum is a reconstruction;
    with g_a = 0 it is classifier-free guidance.
    """
    return eps_uncond + g * (eps_pos - eps_uncond) - g_a * (eps_id - eps_uncond)
