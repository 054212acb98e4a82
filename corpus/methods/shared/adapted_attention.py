import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AdaptedAttention(nn.MultiheadAttention):
    """`nn.MultiheadAttention` that computes with `adapted(name, W)` in place of each weight W.

    Of its four projections "q", "k", "v" and "out" none is a layer that is called: the attention
    reads their weights. The parameters keep their names, so checkpoints load.
    """

    def _reset_parameters(self) -> None:
        self._qkv_same_embed_dim = self.in_proj_weight is not None
        super()._reset_parameters()
        # Fast paths of this class and of nn.TransformerEncoder(Layer) would read W; they ask this.
        self._qkv_same_embed_dim = False

    def adapted(self, name: str, weight: Tensor) -> Tensor:  # (out, in) -> (out, in)
        """The weight to compute with."""
        raise NotImplementedError

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: "Tensor | None" = None,
        need_weights: bool = True,
        attn_mask: "Tensor | None" = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,  # a hint: the mask itself says the same
    ) -> "tuple[Tensor, Tensor | None]":
        weight = {name: self.adapted(name, w) for name, w in projection_weights(self).items()}
        swap = self.batch_first and query.dim() == 3
        if swap:  # (B, T, d) -> (T, B, d)
            query, key, value = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
        output, attention = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            None,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            weight["out"],
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=True,
            q_proj_weight=weight["q"],
            k_proj_weight=weight["k"],
            v_proj_weight=weight["v"],
            average_attn_weights=average_attn_weights,
        )
        return output.transpose(0, 1) if swap else output, attention

    @torch.no_grad()
    def merged(self) -> nn.MultiheadAttention:
        """A plain layer with the adapted weights in it."""
        layer = nn.MultiheadAttention(
            self.embed_dim,
            self.num_heads,
            self.dropout,
            self.in_proj_bias is not None,
            self.bias_k is not None,
            self.add_zero_attn,
            self.kdim,
            self.vdim,
            self.batch_first,
        )
        layer = layer.to(self.out_proj.weight).train(self.training)
        layer.load_state_dict(self.state_dict(), strict=False)
        for name, weight in projection_weights(layer).items():
            weight.copy_(self.adapted(name, weight))
        return layer


def projection_weights(layer: nn.MultiheadAttention) -> "dict[str, Tensor]":
    """The weights of query, key, value and output, each (out, in)."""
    if layer.in_proj_weight is None:
        q, k, v = layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight
    else:
        q, k, v = layer.in_proj_weight.chunk(3)
    return {"q": q, "k": k, "v": v, "out": layer.out_proj.weight}
