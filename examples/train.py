"""Train the small GPT on the characters of a text, in plain PyTorch."""

import torch
from gpt import GPT, GPTConfig
from torch import Tensor

TEXT = "the quick brown fox jumps over the lazy dog. " * 8


def batches(data: Tensor, length: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Windows of the text and the same moved by one character, both (size, length)."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randint(len(data) - length, (size,), generator=generator)
    windows = torch.stack([data[start : start + length + 1] for start in starts])
    return windows[:, :-1], windows[:, 1:]


def train(steps: int = 100, width: int = 64) -> list[float]:
    """The loss at each step."""
    torch.manual_seed(0)
    letters = sorted(set(TEXT))
    data = torch.tensor([letters.index(letter) for letter in TEXT])
    config = GPTConfig(vocab_size=len(letters), block_size=32, n_layer=2, n_head=4, n_embd=width)
    model = GPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses: list[float] = []
    for step in range(steps):
        inputs, targets = batches(data, config.block_size, 8, step)
        _, loss = model(inputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    losses = train()
    print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}")
