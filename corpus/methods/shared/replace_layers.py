import inspect
from collections.abc import Collection

import torch
from torch import nn


def replace_layers(
    model: nn.Module,
    targets: "Collection[str]",
    adapter: "type[nn.Module]",
    **hyperparameters: object,
) -> nn.Module:
    """Put an `adapter` in place of every layer of `model` that `targets` name; returns `model`.

    A target is the end of a layer's path: "q_proj", "mlp.0", or "layers" for all of a list. The new
    layers take over sizes, weights, device, dtype and mode; tied weights stay tied. Layers of other
    kinds that bear the name of one that fits stay as they are. Where a layer cannot soundly be
    replaced, or none is named so, a `ValueError` says why and nothing changes.
    """
    targets = (targets,) if isinstance(targets, str) else targets
    base = next(each for each in adapter.__mro__ if each.__module__.startswith("torch.nn."))
    modules = dict(model.named_modules(remove_duplicate=False))
    places: dict[str, nn.Module] = {}
    fitting: set[str] = set()
    others: dict[str, str] = {}
    for path, layer in modules.items():
        short = ".".join(part for part in path.split(".") if not part.isdigit())
        ends = (f".{path}", f".{short}")
        named = [name for name in targets if any(end.endswith(f".{name}") for end in ends)]
        if not named or (next(layer.children(), None) and not isinstance(layer, base)):
            continue
        whole = modules[path.rpartition(".")[0]]
        if isinstance(whole, nn.MultiheadAttention):
            reason = "is read by nn.MultiheadAttention itself, past its forward"
        elif type(layer) is not base:
            reason = f"is a {type(layer).__name__}, not a plain nn.{base.__name__}"
        elif any(vars(layer).get(f"_forward{kind}hooks") for kind in ("_", "_pre_")):
            reason = "has hooks, which would be lost"
        elif "forward" in vars(layer):
            reason = "has a forward of its own, which would be lost"
        else:
            places[path] = layer
            fitting.update(named)
            continue
        if isinstance(layer, base):
            raise ValueError(f"targets: {path} {reason}")
        others.update(dict.fromkeys(named, f"targets: {path} {reason}"))
    for name in others.keys() - fitting:
        raise ValueError(others[name])
    if not places:
        raise ValueError(f"targets: the model has no layer named {' or '.join(targets)}")
    layers = dict.fromkeys(places.values())  # in order, each once
    adapted = {layer: adapt_layer(layer, adapter, hyperparameters) for layer in layers}
    for path, layer in places.items():
        for inner, part in layer.named_modules():
            twin = adapted[layer].get_submodule(inner)
            for name, parameter in part.named_parameters(recurse=False):
                own = getattr(twin, name)
                if torch.equal(own, parameter):  # the tensor itself, so that a tie holds
                    setattr(twin, name, parameter.requires_grad_(own.requires_grad))
        whole, _, name = path.rpartition(".")
        setattr(modules[whole], name, adapted[layer])
    for module in modules.values():
        if not any(isinstance(part, adapter) for part in module.modules()):
            continue
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0  # no fast path, which would read weights alone
        elif isinstance(module, nn.TransformerEncoder):
            for flag in ("enable_nested_tensor", "use_nested_tensor"):  # of torch 1 and 2
                setattr(module, flag, False)
    return model


def adapt_layer(
    layer: nn.Module, adapter: "type[nn.Module]", hyperparameters: "dict[str, object]"
) -> nn.Module:
    """An `adapter` with the sizes, weights, device, dtype and mode of `layer`."""
    names = inspect.signature(type(layer)).parameters
    sizes = {name: getattr(layer, name) for name in names if hasattr(layer, name)}
    if "bias" in sizes:
        sizes["bias"] = sizes["bias"] is not None
    if isinstance(layer, nn.MultiheadAttention):
        bias, appended = layer.in_proj_bias is not None, layer.bias_k is not None
        sizes |= {"bias": bias, "add_bias_kv": appended}
    weight = next(layer.parameters(), torch.empty(0))
    sizes |= {"device": weight.device, "dtype": weight.dtype}
    adapted = adapter(**sizes, **hyperparameters)
    adapted.load_state_dict(layer.state_dict(), strict=False)
    return adapted.train(layer.training)
