from torch import nn


def parameter_names(layer: "type[nn.Module]") -> "set[str]":
    """The names that a layer of PyTorch's own has for its parameters; none for other modules."""
    base = next(c for c in layer.__mro__ if c.__module__.startswith("torch.nn."))
    if issubclass(base, nn.MultiheadAttention):
        inside = {f"{name}_proj_weight" for name in ("in", "q", "k", "v")}
        return inside | {"in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"}
    return set() if base is nn.Module else {"weight", "bias"}
