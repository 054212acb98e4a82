"""A vision–language model: an image becomes tokens that a language model reads before the text."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) * q.size(-1) ** -0.5
        if self.causal:
            future = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(future, float("-inf"))
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads, causal)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, hidden_states: Tensor) -> Tensor:
        residual = hidden_states
        hidden_states = residual + self.attn(self.norm1(hidden_states))
        residual = hidden_states
        hidden_states = residual + self.mlp(self.norm2(hidden_states))
        return hidden_states


class ImageEncoder(nn.Module):
    def __init__(self, size: int, patch: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.position = nn.Parameter(torch.randn((size // patch) ** 2, dim) * 0.02)
        self.layers = nn.ModuleList([Block(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, pixel_values: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, patches, dim)
        hidden_states = self.patches(pixel_values).flatten(2).transpose(1, 2) + self.position
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        return self.norm(hidden_states)


class Decoder(nn.Module):
    """Reads embeddings, so that what it is given need not be words."""

    def __init__(self, vocab_size: int, length: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab_size, dim)
        self.position = nn.Embedding(length, dim)
        self.layers = nn.ModuleList([Block(dim, heads, causal=True) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.lm_head = nn.Linear(dim, vocab_size, bias=False)

    def forward(self, inputs_embeds: Tensor) -> Tensor:
        places = torch.arange(inputs_embeds.size(1), device=inputs_embeds.device)
        hidden_states = inputs_embeds + self.position(places)
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        return self.lm_head(self.norm(hidden_states))


class Captioner(nn.Module):
    def __init__(
        self,
        vocab_size: int = 32_000,
        image_size: int = 224,
        patch_size: int = 16,
        vision_dim: int = 384,
        text_dim: int = 512,
        depth: int = 8,
        heads: int = 8,
        max_len: int = 512,
    ) -> None:
        super().__init__()
        self.vision = ImageEncoder(image_size, patch_size, vision_dim, depth, heads)
        self.projector = nn.Sequential(
            nn.Linear(vision_dim, text_dim), nn.GELU(), nn.Linear(text_dim, text_dim)
        )
        self.decoder = Decoder(vocab_size, max_len, text_dim, depth, heads)

    def forward(
        self, pixel_values: Tensor, input_ids: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        image_embeds = self.projector(self.vision(pixel_values))
        text_embeds = self.decoder.embed_tokens(input_ids)
        inputs_embeds = torch.cat([image_embeds, text_embeds], dim=1)
        logits = self.decoder(inputs_embeds)[:, image_embeds.size(1) :]  # (B, T, vocab)
        if labels is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), labels.flatten())

    @torch.no_grad()
    def caption(self, pixel_values: Tensor, input_ids: Tensor, max_new_tokens: int) -> Tensor:
        for _ in range(max_new_tokens):
            logits, _ = self(pixel_values, input_ids)
            next_token = logits[:, -1].argmax(dim=-1, keepdim=True)
            input_ids = torch.cat([input_ids, next_token], dim=1)
        return input_ids
