import torch
from torch import Tensor, nn


class InContextPrefix(nn.Module):
    """Labelled multimodal examples as prefix tokens: M2IXT (Chen et al., 2023, arXiv:2310.05109).

    Each example becomes s_j = [v_j; t_j; y_j], of its image, instruction and target, and the prefix
    is [s_1; ...; s_k], to be put before a frozen model's embeddings with `prepend_context`. No code
    is released: the encoder (image tokens read by learned queries, then Transformer layers over
    each example) is a reconstruction.

    Args:
        d_model: width of the model's embeddings.
        vision_dim: width of the image features.
        num_tokens_per_image: tokens that stand for an image.
        n_layers: Transformer layers.
        n_heads: attention heads; must divide d_model.
    """

    def __init__(
        self,
        d_model: int,
        vision_dim: int,
        num_tokens_per_image: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        n_layers: int = 2,
        n_heads: int = 8,
    ) -> None:
        if num_tokens_per_image < 1:
            raise ValueError(f"num_tokens_per_image must be at least 1, got {num_tokens_per_image}")
        if n_layers < 1:
            raise ValueError(f"n_layers must be at least 1, got {n_layers}")
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"n_heads must divide d_model {d_model}, got {n_heads}")
        super().__init__()
        self.project = nn.Linear(vision_dim, d_model, device=device, dtype=dtype)
        self.queries = nn.Parameter(
            torch.empty(num_tokens_per_image, d_model, device=device, dtype=dtype)
        )
        # says of each token whether it is of an image, an instruction or a target
        self.kinds = nn.Parameter(torch.empty(3, d_model, device=device, dtype=dtype))
        for parameter in (self.queries, self.kinds):
            nn.init.normal_(parameter, std=0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d_model, n_heads, 4 * d_model, 0.0, "gelu", batch_first=True, norm_first=True,
                device=device, dtype=dtype,
            )
            for _ in range(n_layers)
        )  # fmt: skip

    def forward(self, images: Tensor, instruction: Tensor, target: Tensor) -> Tensor:
        # images (B, k, N, vision), instruction (B, k, T, d), target (B, k, Y, d)
        # -> (B, k (M + T + Y), d) with M tokens for each image
        keys = self.project(images)  # (B, k, N, d)
        scores = self.queries @ keys.transpose(-2, -1) * keys.shape[-1] ** -0.5
        looked = scores.softmax(-1) @ keys  # (B, k, M, d)
        parts = (looked, instruction, target)
        kinds = [part + kind for part, kind in zip(parts, self.kinds)]
        batch, shots = images.shape[:2]
        x = torch.cat(kinds, dim=2).flatten(0, 1)  # (B k, L, d): examples do not see each other
        for layer in self.layers:
            x = layer(x)
        return x.reshape(batch, shots * x.shape[1], x.shape[2])


def prepend_context(
    inputs_embeds: Tensor, attention_mask: "Tensor | None", prefix: "Tensor | None"
) -> "tuple[Tensor, Tensor | None]":
    """[P; X] and a mask (B, P + L) that attends to the prefix; without prefix, what was given."""
    if prefix is None or prefix.shape[1] == 0:
        return inputs_embeds, attention_mask
    if attention_mask is None:
        attention_mask = inputs_embeds.new_ones(inputs_embeds.shape[:2], dtype=torch.long)
    longer = torch.cat([prefix.to(inputs_embeds.dtype), inputs_embeds], dim=1)
    return longer, torch.cat([attention_mask.new_ones(prefix.shape[:2]), attention_mask], dim=1)
