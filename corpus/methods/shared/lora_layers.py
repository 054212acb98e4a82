from torch import nn


def lora_layers(model: nn.Module) -> list[nn.Module]:
    """Layers of `model` with the factors `lora_A` and `lora_B` as parameters of their own."""
    layers = [
        module
        for module in model.modules()
        if isinstance(getattr(module, "lora_A", None), nn.Parameter)
        and isinstance(getattr(module, "lora_B", None), nn.Parameter)
    ]
    if not layers:
        raise ValueError("model has no layer with lora_A and lora_B: adapt it with LoRA first")
    return layers
