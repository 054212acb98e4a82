import torch
from torch import Tensor, nn


class PersonaPlug(nn.Module):
    """A user's history as one token for a frozen language model: PPlug (Liu et al., 2024).

    P = sum_i w_i Proj(h_i) with w = softmax_i(x^T h_i) (arXiv:2409.11901), for the embedding x of
    the input and h_i of what the user did before, from a sentence encoder; a learned instruction
    token goes through a projection of its own. Put both in with `insert_persona`.

    Args:
        enc_dim: width of the sentence embeddings, unit vectors.
        llm_dim: width of the language model's embeddings.
        scale: factor on both tokens, so that they are as long as the model's own embeddings; the
            released code uses 539.9738 for Flan-T5-XXL.
        instruction_scale: further factor on the instruction token, 1 / 7 in the released code.
    """

    def __init__(
        self,
        enc_dim: int,
        llm_dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        scale: float = 1.0,
        instruction_scale: float = 1.0,
    ) -> None:
        if enc_dim < 1:
            raise ValueError(f"enc_dim must be at least 1, got {enc_dim}")
        if llm_dim < 1:
            raise ValueError(f"llm_dim must be at least 1, got {llm_dim}")
        super().__init__()
        self.scale = scale
        self.instruction_scale = instruction_scale

        def projection() -> nn.Sequential:
            return nn.Sequential(
                nn.Linear(enc_dim, llm_dim, device=device, dtype=dtype),
                nn.GELU(),
                nn.Linear(llm_dim, llm_dim, device=device, dtype=dtype),
            )

        self.project = projection()
        self.project_instruction = projection()
        self.instruction = nn.Parameter(torch.rand(enc_dim, device=device, dtype=dtype))

    def weights(self, query: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        """w, (B, n): zero where `mask` is; all zeros for a user without history."""
        scores = (history @ query[..., None])[..., 0]  # (B, n)
        kept = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return kept.softmax(-1) * mask

    def forward(self, query: Tensor, history: Tensor, mask: "Tensor | None" = None) -> Tensor:
        # query (B, e), history (B, n, e), mask (B, n) with 1 where real -> (B, d)
        ones = torch.ones(history.shape[:2], dtype=torch.bool, device=history.device)
        weights = self.weights(query, history, ones if mask is None else mask.bool())
        return self.scale * (weights[..., None] * self.project(history)).sum(1)

    def tokens(self, query: Tensor, history: Tensor, mask: "Tensor | None" = None) -> Tensor:
        """[I; P_u], (B, 2, d): what stands before the tokens of the input."""
        persona = self(query, history, mask)
        return torch.stack([self.instruction_token().expand_as(persona), persona], dim=1)

    def instruction_token(self) -> Tensor:  # (d,)
        """The learned token that says that a persona follows."""
        token = self.project_instruction(self.instruction)
        return self.scale * self.instruction_scale * token


def insert_persona(
    input_embeds: Tensor, input_ids: Tensor, persona: Tensor, placeholder_id: int
) -> Tensor:
    """`input_embeds` (B, L, d) with `persona` (B, d) or (d,) at the placeholders in the ids."""
    here = (input_ids == placeholder_id)[..., None]  # (B, L, 1)
    if not here.any():
        raise ValueError(f"placeholder_id {placeholder_id} is not in input_ids")
    token = persona[..., None, :] if persona.dim() == 2 else persona
    return torch.where(here, token.to(input_embeds.dtype), input_embeds)
