import torch
from shared.lora_factors import lora_factors
from torch import nn


def freeze_lora_a(model: nn.Module) -> None:
    """Freeze the first factor of every LoRA layer: LoRA-FA (Zhang et al., 2023, arXiv:2308.03303).

    A keeps its random start, so the backward pass needs A x and not x. Call it before the optimiser
    is built.
    """
    for factors in lora_factors(model):
        factors.a.requires_grad_(False)


@torch.no_grad()
def correct_lora_fa_gradients(model: nn.Module, damping: float = 1e-8) -> None:
    """Make the step of B the best approximation of full fine-tuning: LoRA-FA (arXiv:2308.03303).

    g_B becomes g_B (A A^T + damping I)^+ / s^2 with s the scale of the layer. Call it after each
    backward pass and before gradients are clipped.
    """
    for factors in lora_factors(model):
        grad = factors.b.grad
        if grad is not None:
            a = factors.a.float()  # (r, in)
            gram = a @ a.T + damping * torch.eye(len(a), device=a.device)  # (r, r)
            corrected = grad.float() @ torch.linalg.pinv(gram, hermitian=True)
            grad.copy_(corrected / factors.scale**2)
