from torch import Tensor, nn


def plain_conv(
    layer: nn.modules.conv._ConvNd, weight: Tensor
) -> "nn.Conv1d | nn.Conv2d | nn.Conv3d":
    """The convolution that `layer` is without its adapter, with another `weight`."""
    names = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    same = {name: getattr(layer, name) for name in names}
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[weight.dim() - 3]
    plain = kind(layer.in_channels, layer.out_channels, bias=layer.bias is not None, **same)
    plain.to(weight).load_state_dict({**layer.state_dict(), "weight": weight}, strict=False)
    return plain
