import torch
from shared.lora_factors import lora_factors
from torch import Tensor, nn


@torch.no_grad()
def precondition_lora_gradients(model: nn.Module, epsilon: float = 0.01) -> None:
    """Riemannian preconditioner for LoRA (Zhang and Pilanci, 2024, arXiv:2402.02347).

    g_A becomes (B^T B + epsilon I)^+ g_A and g_B becomes g_B (A A^T + epsilon I)^+. Call it after
    each backward pass and before gradients are clipped, with SGD or Adam.
    """
    for factors in lora_factors(model):
        a, b = factors.a.float(), factors.b.float()  # (r, in), (out, r)
        if factors.a.grad is not None:
            factors.a.grad.copy_(damped_inverse(b.T @ b, epsilon) @ factors.a.grad.float())
        if factors.b.grad is not None:
            factors.b.grad.copy_(factors.b.grad.float() @ damped_inverse(a @ a.T, epsilon))


def damped_inverse(gram: Tensor, epsilon: float) -> Tensor:  # (r, r) -> (r, r)
    """(G + epsilon I)^+"""
    damped = gram + epsilon * torch.eye(len(gram), device=gram.device)
    return torch.linalg.pinv(damped, hermitian=True)
