"""Train the small GPT on several tasks at once: each example is of one task."""

from collections.abc import Mapping, Sequence

import torch
from gpt import GPT, GPTConfig
from torch import Tensor
from torch.nn import functional as F

# A (rank, in), B (out, rank) and the scale of a LoRA that was trained for one task
Factors = tuple[Tensor, Tensor, float]
VOCABULARY = 16


def examples(size: int, length: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs and targets (size, length), and the task of each: to count up, down or by three."""
    generator = torch.Generator().manual_seed(seed)
    task_ids = torch.randint(3, (size,), generator=generator)
    steps = torch.tensor([1, -1, 3])[task_ids]
    starts = torch.randint(VOCABULARY, (size,), generator=generator)
    tokens = (starts[:, None] + steps[:, None] * torch.arange(length + 1)) % VOCABULARY
    return tokens[:, :-1], tokens[:, 1:], task_ids


def train(
    loras: Mapping[str, Sequence[Factors]], steps: int = 100, width: int = 64
) -> tuple[list[float], Tensor]:
    """The loss at each step, and how many examples each task had.

    The model starts with the mean of the tasks' LoRAs, which are given by layer.
    """
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=VOCABULARY, block_size=32, n_layer=2, n_head=4, n_embd=width)
    model = GPT(config)
    for name, factors in loras.items():
        weight = model.get_parameter(f"{name}.weight")
        weight.data += sum(scale * B @ A for A, B, scale in factors) / len(factors)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses: list[float] = []
    seen = torch.zeros(3, dtype=torch.long)
    for step in range(steps):
        inputs, targets, task_ids = examples(12, config.block_size, step)
        logits, _ = model(inputs)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seen += task_ids.bincount(minlength=3)
    return losses, seen


if __name__ == "__main__":
    losses, seen = train({})
    print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}, examples of each task: {seen.tolist()}")
