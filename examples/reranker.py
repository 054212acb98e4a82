"""A retrieval re-ranker: query and passage are encoded apart, and a small head scores the pair."""

import math

import torch
from torch import Tensor, nn


class SelfAttention(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.dense = nn.Linear(hidden_size, hidden_size)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        batch, length, size = hidden.shape

        def split(x: Tensor) -> Tensor:
            return x.view(batch, length, self.num_heads, size // self.num_heads).transpose(1, 2)

        query, key, value = (
            split(self.query(hidden)),
            split(self.key(hidden)),
            split(self.value(hidden)),
        )
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(size // self.num_heads)
        probabilities = torch.softmax(scores.masked_fill(mask, -1e9), dim=-1)
        context = torch.matmul(probabilities, value)
        return self.dense(context.transpose(1, 2).reshape(batch, length, size))


class EncoderBlock(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, intermediate_size: int) -> None:
        super().__init__()
        self.attention = SelfAttention(hidden_size, num_heads)
        self.attention_norm = nn.LayerNorm(hidden_size)
        self.intermediate = nn.Linear(hidden_size, intermediate_size)
        self.act = nn.GELU()
        self.output = nn.Linear(intermediate_size, hidden_size)
        self.output_norm = nn.LayerNorm(hidden_size)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        hidden = self.attention_norm(hidden + self.attention(hidden, mask))
        return self.output_norm(hidden + self.output(self.act(self.intermediate(hidden))))


class TextEncoder(nn.Module):
    """The mean of the last hidden states over what is not padding, (B, hidden)."""

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        num_layers: int,
        num_heads: int,
        max_length: int,
        pad_id: int = 0,
    ) -> None:
        super().__init__()
        self.pad_id = pad_id
        self.word_embeddings = nn.Embedding(vocab_size, hidden_size, padding_idx=pad_id)
        self.position_embeddings = nn.Embedding(max_length, hidden_size)
        self.norm = nn.LayerNorm(hidden_size)
        self.layer = nn.ModuleList(
            [EncoderBlock(hidden_size, num_heads, 4 * hidden_size) for _ in range(num_layers)]
        )

    def forward(self, ids: Tensor) -> Tensor:
        mask = ids == self.pad_id
        positions = torch.arange(ids.size(1), device=ids.device)
        hidden = self.norm(self.word_embeddings(ids) + self.position_embeddings(positions))
        for layer in self.layer:
            hidden = layer(hidden, mask[:, None, None, :])
        kept = (~mask).unsqueeze(-1).to(hidden.dtype)
        return (hidden * kept).sum(1) / kept.sum(1).clamp(min=1)


class ReRanker(nn.Module):
    def __init__(
        self,
        vocab_size: int = 30522,
        hidden_size: int = 384,
        num_layers: int = 6,
        num_heads: int = 6,
        max_length: int = 512,
    ) -> None:
        super().__init__()
        self.encoder = TextEncoder(vocab_size, hidden_size, num_layers, num_heads, max_length)
        self.score = nn.Sequential(
            nn.Linear(4 * hidden_size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, 1)
        )

    def forward(self, queries: Tensor, passages: Tensor) -> Tensor:
        """How well each passage answers its query: (B, Q), (B, P) -> (B,)"""
        q, p = self.encoder(queries), self.encoder(passages)
        pair = torch.cat([q, p, (q - p).abs(), q * p], dim=-1)
        return self.score(pair).squeeze(-1)
