import math

import torch
from torch import Tensor, nn


class MTLoRALinear(nn.Linear):
    """`nn.Linear` with a shared and task-specific low-rank updates: MTLoRA (Agiza et al., 2024).

    Shared output: W x + b + scale * B A x (arXiv:2403.20320). With `tasks`, each also has an output
    of its own, and `forward` returns (shared, {task: output}), by `mode`:
    "matrix":   y_t = W x + b + scale * B_t A_t x_t
    "matrixv2": the same plus the shared update
    "addition": y_t as in "matrix"; the shared output is W x + b + LayerNorm(sum_t y_t)
    where x_t is the task's own input, x if it has none. W and b are frozen; B and B_t start at
    zero, so all outputs but the shared one of "addition" start as those of the base.

    Args:
        rank: inner dimension of the shared update, 1 to min(in_features, out_features).
        task_rank: inner dimension of each task's update, in the same range.
        scale: plain factor of all updates; it is not divided by the rank.
        dropout: on the shared input of the updates, never on a task's own input.
        tasks: names of the tasks; none in layers that only share.
        mode: how the outputs are made, see above.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 64,
        task_rank: int = 4,
        scale: float = 4.0,
        dropout: float = 0.05,
        tasks: "tuple[str, ...]" = (),
        mode: str = "matrix",
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        if tasks and not 1 <= task_rank <= largest:
            raise ValueError(f"task_rank must be between 1 and {largest}, got {task_rank}")
        if mode not in ("matrix", "matrixv2", "addition"):
            raise ValueError(f'mode must be "matrix", "matrixv2" or "addition", got "{mode}"')
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = scale
        self.dropout = nn.Dropout(dropout)
        self.tasks = tuple(tasks)
        self.mode = mode
        self.norm: nn.LayerNorm | None = None
        new = self.weight
        if tasks and mode == "addition":
            self.norm = nn.LayerNorm(out_features, device=new.device, dtype=new.dtype)
        else:
            self.lora_A = nn.Parameter(new.new_empty(rank, in_features))  # (r, in)
            self.lora_B = nn.Parameter(new.new_zeros(out_features, rank))  # (out, r)
            nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.task_A = nn.ParameterDict()
        self.task_B = nn.ParameterDict()
        for task in tasks:
            self.task_A[task] = nn.Parameter(new.new_empty(task_rank, in_features))
            self.task_B[task] = nn.Parameter(new.new_zeros(out_features, task_rank))
            nn.init.kaiming_uniform_(self.task_A[task], a=math.sqrt(5))

    def forward(
        self, x: Tensor, task_inputs: "dict[str, Tensor] | None" = None
    ) -> "Tensor | tuple[Tensor, dict[str, Tensor]]":  # (..., in) -> (..., out), one for each task
        base = super().forward(x)
        dropped = self.dropout(x)
        outputs: dict[str, Tensor] = {}
        for task in self.tasks:
            own = (task_inputs or {}).get(task, dropped)
            # y_t = W x + b + scale B_t A_t x_t: W sees the shared input
            outputs[task] = base + self.scale * (own @ self.task_A[task].T @ self.task_B[task].T)
        if self.norm is not None:
            return base + self.norm(torch.stack(list(outputs.values())).sum(0)), outputs
        update = self.scale * (dropped @ self.lora_A.T @ self.lora_B.T)
        if self.mode == "matrixv2":
            outputs = {task: output + update for task, output in outputs.items()}
        return (base + update, outputs) if self.tasks else base + update

    def merged_weight(self) -> Tensor:  # (out, in)
        """What a layer without tasks multiplies by, for code that computes with its weight."""
        if self.tasks:
            raise ValueError("tasks must be empty: outputs of several tasks are no single layer")
        return self.weight + self.scale * self.lora_B @ self.lora_A

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the shared update folded in; only for a layer without tasks."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
