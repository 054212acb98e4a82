from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MeteoRALinear(nn.Linear):
    """`nn.Linear` with many trained LoRAs and a gate: MeteoRA (Xu et al., 2024, arXiv:2405.13053).

    h = W x + b + sum_j w_j * scale_j * B_j A_j x over the `top_k` LoRAs that the gate scores
    highest for this token, with w = softmax(gate scores / temperature) over those. Everything but
    the gate is frozen. `add_loras_` puts such layers into a model.

    Args:
        ranks: rank of each LoRA.
        top_k: LoRAs used for each token, 1 to their number.
        temperature: of the softmax, above 0.
        dropout: on the input of the LoRAs only, in [0, 1).
    """

    ranks: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        ranks: "Sequence[int]",
        top_k: int = 2,
        temperature: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        if not ranks or min(ranks) < 1:
            raise ValueError(f"ranks must hold a rank of at least 1 for each LoRA, got {ranks}")
        if not 1 <= top_k <= len(ranks):
            raise ValueError(f"top_k must be between 1 and {len(ranks)}, got {top_k}")
        if temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {temperature}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.top_k, self.temperature = top_k, temperature
        self.dropout = nn.Dropout(dropout)
        total, new = sum(ranks), self.weight
        self.lora_A = nn.Parameter(new.new_zeros(total, in_features))  # (R, in), one after another
        self.lora_B = nn.Parameter(new.new_zeros(out_features, total))  # (out, R), with the scales
        self.register_buffer("ranks", torch.tensor(list(ranks), device=new.device))
        self.requires_grad_(False)
        self.gate = nn.Parameter(new.new_empty(len(ranks), in_features))  # (n, in)
        nn.init.normal_(self.gate)
        self.gate_logits: Tensor | None = None  # of the last forward pass in training

    @classmethod
    @torch.no_grad()
    def from_linear(
        cls,
        base: nn.Linear,
        loras: "Sequence[tuple[Tensor, Tensor, float]]",
        top_k: int = 2,
        temperature: float = 1.0,
        dropout: float = 0.0,
    ) -> "MeteoRALinear":
        """`base` with its LoRAs, each A (rank, in), B (out, rank) and a scale that goes into B."""
        for index, (A, B, _) in enumerate(loras):
            expected = (A.shape[0], base.in_features), (base.out_features, A.shape[0])
            if (tuple(A.shape), tuple(B.shape)) != expected:
                raise ValueError(
                    f"loras must fit the layer: number {index} has {A.shape}, {B.shape}"
                )
        layer = cls(
            base.in_features,
            base.out_features,
            base.bias is not None,
            base.weight.device,
            base.weight.dtype,
            ranks=[len(A) for A, _, _ in loras],
            top_k=top_k,
            temperature=temperature,
            dropout=dropout,
        )
        layer.load_state_dict(base.state_dict(), strict=False)
        layer.lora_A.copy_(torch.cat([A.to(layer.weight) for A, _, _ in loras]))
        layer.lora_B.copy_(torch.cat([scale * B.to(layer.weight) for _, B, scale in loras], dim=1))
        return layer

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        logits = x @ self.gate.T  # (..., n)
        if self.training:
            self.gate_logits = logits
        best = logits.topk(self.top_k, dim=-1)
        share = (best.values / self.temperature).softmax(-1)  # (..., top_k)
        # w is zero but for the chosen, and holds for every rank of a LoRA
        w = torch.zeros_like(logits).scatter(-1, best.indices, share.to(logits.dtype))
        hidden = self.dropout(x) @ self.lora_A.T  # (..., R)
        size = hidden.shape[-1]
        w = w.repeat_interleave(self.ranks, dim=-1, output_size=size)  # (..., R)
        return super().forward(x) + (w * hidden) @ self.lora_B.T


def add_loras_(
    model: nn.Module, loras: "Mapping[str, Sequence[tuple[Tensor, Tensor, float]]]", top_k: int = 2
) -> "list[nn.Parameter]":
    """Replace the named layers by `MeteoRALinear` and freeze the rest; returns the gates.

    `loras` maps the name of a layer in `model` to its trained LoRAs, in the same order of tasks for
    all layers (MeteoRA, arXiv:2405.13053).
    """
    modules = dict(model.named_modules())
    model.requires_grad_(False)
    gates: list[nn.Parameter] = []
    for name, factors in loras.items():
        base = modules.get(name)
        if not isinstance(base, nn.Linear):
            raise ValueError(f"loras must name nn.Linear layers of the model, got {name}")
        layer = MeteoRALinear.from_linear(base, factors, min(top_k, len(factors)))
        parent, _, attribute = name.rpartition(".")
        setattr(modules[parent], attribute, layer)
        gates.append(layer.gate)
    return gates


def gate_logits(model: nn.Module) -> "list[Tensor]":
    """Gate scores of the last forward pass in training, (B, T, n) for each MeteoRA layer."""
    layers = [part for part in model.modules() if isinstance(part, MeteoRALinear)]
    return [layer.gate_logits for layer in layers if layer.gate_logits is not None]


def gate_supervision_loss(
    gate_logits: "Sequence[Tensor]", task_ids: Tensor, weight: float = 50.0
) -> Tensor:
    """Cross-entropy of the gates with the task of the token that comes next (arXiv:2405.13053).

    Args:
        gate_logits: scores (B, T, n) of each layer.
        task_ids: task of each token (B, T), -100 where none, or of each example (B,).
        weight: weight of this loss beside that of the language model.
    """
    if not gate_logits:
        raise ValueError("gate_logits must hold the scores of at least one layer")
    scores = torch.stack(list(gate_logits))[:, :, :-1]  # (layers, B, T - 1, n)
    if task_ids.dim() == 1:
        task_ids = task_ids[:, None].expand(-1, scores.shape[2] + 1)  # (B, T)
    labels = task_ids[:, 1:].expand(len(gate_logits), -1, -1)
    return weight * F.cross_entropy(scores.flatten(0, 2).float(), labels.flatten())
