"""A music Transformer: each step of a piece is a pitch, a duration and a velocity."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PITCHES, DURATIONS, VELOCITIES = 128, 64, 32


class RelativeAttention(nn.Module):
    """Causal attention that also sees how far back a note lies."""

    def __init__(self, dim: int, n_heads: int, max_len: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(dim, dim, bias=False)
        self.to_v = nn.Linear(dim, dim, bias=False)
        self.to_out = nn.Linear(dim, dim, bias=False)
        self.distance = nn.Parameter(torch.zeros(n_heads, max_len))

    def forward(self, x: Tensor) -> Tensor:
        steps = torch.arange(x.size(1), device=x.device)
        back = steps[:, None] - steps  # (T, T), negative ahead
        q, k, v = (
            project(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for project in (self.to_q, self.to_k, self.to_v)
        )
        scores = q @ k.transpose(-2, -1) * q.size(-1) ** -0.5 + self.distance[:, back.clamp(min=0)]
        weights = scores.masked_fill(back < 0, float("-inf")).softmax(-1)
        return self.to_out((weights @ v).transpose(1, 2).flatten(2))


class GatedMLP(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(dim, hidden, bias=False)
        self.up_proj = nn.Linear(dim, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class MusicLayer(nn.Module):
    def __init__(self, dim: int, n_heads: int, max_len: int) -> None:
        super().__init__()
        self.attn_norm = nn.LayerNorm(dim)
        self.attn = RelativeAttention(dim, n_heads, max_len)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = GatedMLP(dim, 3 * dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.attn_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class MusicTransformer(nn.Module):
    def __init__(
        self, dim: int = 512, n_layers: int = 8, n_heads: int = 8, max_len: int = 2048
    ) -> None:
        super().__init__()
        self.pitch = nn.Embedding(PITCHES, dim)
        self.duration = nn.Embedding(DURATIONS, dim)
        self.velocity = nn.Embedding(VELOCITIES, dim)
        self.layers = nn.ModuleList([MusicLayer(dim, n_heads, max_len) for _ in range(n_layers)])
        self.norm = nn.LayerNorm(dim)
        self.next_pitch = nn.Linear(dim, PITCHES)
        self.next_duration = nn.Linear(dim, DURATIONS)
        self.next_velocity = nn.Linear(dim, VELOCITIES)

    def forward(self, notes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the note after each: (B, T, 3) -> (B, T, 128), (B, T, 64), (B, T, 32)"""
        pitch, duration, velocity = notes.unbind(-1)
        x = self.pitch(pitch) + self.duration(duration) + self.velocity(velocity)
        for layer in self.layers:
            x = layer(x)
        x = self.norm(x)
        return self.next_pitch(x), self.next_duration(x), self.next_velocity(x)
