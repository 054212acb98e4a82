import torch
from shared.lora_layers import lora_layers
from torch import Tensor, nn


@torch.no_grad()
def precondition_lora_gradients(model: nn.Module, epsilon: float = 0.01) -> None:
    """Riemannian preconditioner for LoRA (Zhang and Pilanci, 2024, arXiv:2402.02347).

    g_A becomes (B^T B + epsilon I)^+ g_A and g_B becomes g_B (A A^T + epsilon I)^+. Call it after
    each backward pass and before gradients are clipped, with SGD or Adam.
    """
    for layer in lora_layers(model):
        a, b = layer.lora_A.float(), layer.lora_B.float()  # (r, in), (out, r)
        if layer.lora_A.grad is not None:
            layer.lora_A.grad.copy_(damped_inverse(b.T @ b, epsilon) @ layer.lora_A.grad.float())
        if layer.lora_B.grad is not None:
            layer.lora_B.grad.copy_(layer.lora_B.grad.float() @ damped_inverse(a @ a.T, epsilon))


def damped_inverse(gram: Tensor, epsilon: float) -> Tensor:  # (r, r) -> (r, r)
    """(G + epsilon I)^+"""
    damped = gram + epsilon * torch.eye(len(gram), device=gram.device)
    return torch.linalg.pinv(damped, hermitian=True)
