from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DeepPrompt(nn.Module):
    """Prompts of a ViT, new ones for each block: the modules that PVP trains first (2304.13639).

    [cls; P_i; patches] goes into block i: prompts are put in before the first and replaced before
    each later one, as in deep visual prompt tuning; PVP (Song et al., 2023) pre-trains them before
    the downstream task. Call it on the tokens with the number of the block, and `strip` at the end.

    Args:
        depth: blocks of the model; 1 for prompts that go in once.
        num_prompts: prompts of each block.
        dim: width of the tokens.
    """

    def __init__(
        self,
        depth: int,
        num_prompts: int,
        dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        for name, value in (("depth", depth), ("num_prompts", num_prompts), ("dim", dim)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        super().__init__()
        self.prompts = nn.Parameter(
            torch.empty(depth, num_prompts, dim, device=device, dtype=dtype)
        )
        bound = (6 / (num_prompts + dim)) ** 0.5  # xavier, of each block's prompts
        nn.init.uniform_(self.prompts, -bound, bound)

    def forward(self, x: Tensor, block: int) -> Tensor:
        # (B, 1 + N, d) before the first block, (B, 1 + P + N, d) after it
        prompts = self.prompts[block].to(x.dtype).expand(len(x), -1, -1)
        rest = x[:, 1:] if block == 0 else self.strip(x)[:, 1:]
        return torch.cat([x[:, :1], prompts, rest], dim=1)

    def strip(self, x: Tensor) -> Tensor:  # (B, 1 + P + N, d) -> (B, 1 + N, d)
        """Drop the prompts after the last block."""
        return torch.cat([x[:, :1], x[:, 1 + self.prompts.shape[1] :]], dim=1)


def pretrain_peft(
    model: nn.Module,
    peft_params: "Iterable[nn.Parameter]",
    loader: "Iterable[tuple[Tensor, Tensor]]",
    *,
    lr: float = 1e-3,
    loss: "Callable[[Tensor, Tensor], Tensor]" = F.cross_entropy,
) -> float:
    """Stage 1: train `peft_params`, and a head among them, on upstream data; all else is frozen.

    Goes over `loader` once and gives the mean loss. Gradients of other parameters are not made.
    """
    chosen = list(peft_params)
    if not chosen:
        raise ValueError("peft_params must hold at least one parameter")
    wanted = set(chosen)
    trained = {part: part.requires_grad for part in model.parameters()}
    for part in trained:
        part.requires_grad_(part in wanted)
    optimizer = torch.optim.AdamW(chosen, lr=lr)
    losses: list[float] = []
    try:
        for inputs, targets in loader:
            optimizer.zero_grad(set_to_none=True)
            value = loss(model(inputs), targets)
            value.backward()
            optimizer.step()
            losses.append(value.item())
    finally:
        for part, before in trained.items():
            part.requires_grad_(before)
    return sum(losses) / max(1, len(losses))


def save_peft(
    model: nn.Module, names: "tuple[str, ...]" = ("prompts", "lora_")
) -> "dict[str, Tensor]":
    """Copies of the tensors of `model` that have one of `names` in their name."""
    state = model.state_dict().items()
    found = {key: value.clone() for key, value in state if any(name in key for name in names)}
    if not found:
        raise ValueError(f"names must occur in the parameters of the model, got {names}")
    return found


@torch.no_grad()
def load_peft(
    model: nn.Module,
    state: "Mapping[str, Tensor]",
    *,
    head: str = "head",
    reset_head: bool = True,
    resize: str = "mean",
) -> None:
    """Stage 2: start from pre-trained tensors, with a fresh head.

    With `resize` "mean", prompts of another number all start from the mean of the pre-trained ones
    of their block; with "error" another number is refused.
    """
    if resize not in ("mean", "error"):
        raise ValueError(f"resize must be mean or error, got {resize}")
    own = model.state_dict()
    for key, value in state.items():
        if key not in own:
            raise ValueError(f"state has {key}, which the model has not")
        if own[key].shape != value.shape:
            fits = own[key].shape[:-2] == value.shape[:-2] and own[key].shape[-1] == value.shape[-1]
            if resize == "error" or not fits:
                found, wanted = tuple(value.shape), tuple(own[key].shape)
                raise ValueError(f"state has {key} of shape {found}, the model of {wanted}")
            value = value.mean(-2, keepdim=True).expand_as(own[key])
        own[key].copy_(value)
    if reset_head:
        for module in model.get_submodule(head).modules():
            reset: Any = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
