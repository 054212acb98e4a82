import torch
from torch import Tensor, nn


class VBLoRALinear(nn.Linear):
    """`nn.Linear` plus LoRA from a bank of vectors: VB-LoRA (Li et al., 2024, arXiv:2405.15179).

    h = W x + b + B A x with W and b frozen. Rows of A and columns of B are cut in pieces, and each
    piece is a mixture of the `topk` vectors of the bank whose logits are highest. Bank and logits
    start random, so the output changes a little from the start; `weight` and `bias` keep their
    names, so the checkpoint of the layer it replaces loads.

    `share_vector_bank` gives all layers of a model one bank, which the paper is about.

    Args:
        rank: inner dimension r of the update.
        num_vectors: vectors in the bank.
        vector_length: length of a vector, a divisor of in_features and out_features.
        topk: vectors mixed for a piece.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 4,
        num_vectors: int = 256,
        vector_length: int = 64,
        topk: int = 2,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        if vector_length < 1 or in_features % vector_length or out_features % vector_length:
            sizes = f"{in_features} and {out_features}"
            raise ValueError(f"vector_length must be a divisor of {sizes}, got {vector_length}")
        if num_vectors < 1:
            raise ValueError(f"num_vectors must be at least 1, got {num_vectors}")
        if not 1 <= topk <= num_vectors:
            raise ValueError(f"topk must be between 1 and {num_vectors}, got {topk}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.topk = topk
        new = self.weight.new_empty
        self.vector_bank = nn.Parameter(new(num_vectors, vector_length))  # (h, l)
        # one logit for each vector and each piece of A, (r, in / l, h), and of B, (out / l, r, h)
        self.logits_A = nn.Parameter(new(rank, in_features // vector_length, num_vectors))
        self.logits_B = nn.Parameter(new(out_features // vector_length, rank, num_vectors))
        nn.init.uniform_(self.vector_bank, -0.02, 0.02)
        nn.init.normal_(self.logits_A, std=0.1)
        nn.init.normal_(self.logits_B, std=0.1)

    def pieces(self, logits: Tensor) -> Tensor:  # (..., h) -> (..., l)
        """Mixtures of the vectors with the highest logits, weighted by their softmax."""
        highest, chosen = logits.topk(self.topk, dim=-1)  # (..., K)
        weights = highest.softmax(dim=-1)[..., None]  # (..., K, 1)
        return (weights * self.vector_bank[chosen]).sum(dim=-2)

    def factors(self) -> "tuple[Tensor, Tensor]":
        """A (r, in) and B (out, r)."""
        a = self.pieces(self.logits_A).flatten(1)
        b = self.pieces(self.logits_B).transpose(1, 2).flatten(0, 1)
        return a, b

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W x + b + B A x, as two thin products
        a, b = self.factors()
        return super().forward(x) + x @ a.T @ b.T

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        a, b = self.factors()
        return self.weight + b @ a

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in: W + B A."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


def share_vector_bank(model: nn.Module) -> "nn.Parameter | None":
    """Make all VB-LoRA layers of `model` use one bank, and return it; None where it has none.

    Call it after building the model and before the optimiser; again after `to_empty`, which parts
    what was shared. The documentation of PEFT advises a tenth of the logits' rate for the bank.
    """
    layers = [module for module in model.modules() if isinstance(module, VBLoRALinear)]
    if not layers:  # a configuration may build none
        return None
    bank = layers[0].vector_bank
    for layer in layers:
        if layer.vector_bank.shape != bank.shape:
            raise ValueError("model must have banks of one size in all its VBLoRALinear layers")
        layer.vector_bank = bank
    return bank
