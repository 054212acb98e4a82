"""Persona-Plug: one token out of a history."""

import pytest
import torch
from corpus import PYTHON, SHARED

PersonaPlug = PYTHON["persona-plug"]["PersonaPlug"]
insert_persona = PYTHON["persona-plug"]["insert_persona"]


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    return torch.randn(2, 6), torch.randn(2, 4, 6), mask


def test_size_is_that_of_two_projections_and_a_token() -> None:
    plug = PersonaPlug(768, 4096, "meta")
    expected = 2 * (768 * 4096 + 4096 + 4096**2 + 4096) + 768
    assert sum(part.numel() for part in plug.parameters()) == expected


def test_weights_are_a_softmax_over_real_history() -> None:
    query, history, mask = example()
    weights = PersonaPlug(6, 8).weights(query, history, mask.bool())
    torch.testing.assert_close(weights.sum(1), torch.ones(2))
    assert weights[1, 2:].abs().max() == 0
    expected = (history[0] @ query[0]).softmax(0)
    torch.testing.assert_close(weights[0], expected)


def test_order_and_padding_of_the_history_do_not_matter() -> None:
    query, history, mask = example()
    plug = PersonaPlug(6, 8)
    persona = plug(query, history, mask)
    torch.testing.assert_close(plug(query, history.flip(1), mask.flip(1)), persona)
    history[1, 2:] = 9
    torch.testing.assert_close(plug(query, history, mask), persona)


def test_one_piece_of_history_is_its_projection() -> None:
    query, history, _ = example()
    plug = PersonaPlug(6, 8, scale=3.0)
    torch.testing.assert_close(plug(query, history[:, :1]), 3 * plug.project(history[:, 0]))


def test_no_history_gives_zeros() -> None:
    query, history, _ = example()
    persona = PersonaPlug(6, 8)(query, history, torch.zeros(2, 4))
    assert torch.equal(persona, torch.zeros(2, 8))


def test_only_placeholders_change() -> None:
    embeds, ids = torch.randn(2, 5, 8), torch.tensor([[9, 1, 2, 3, 4], [1, 2, 9, 3, 9]])
    query, history, mask = example()
    plug = PersonaPlug(6, 8)
    persona = plug(query, history, mask)
    changed = insert_persona(embeds, ids, persona, 9)
    assert torch.equal(changed[ids != 9], embeds[ids != 9])
    assert torch.equal(changed[ids == 9], persona[[0, 1, 1]])
    plug.instruction_scale = 0.5
    token = plug.instruction_token()
    torch.testing.assert_close(token, 0.5 * plug.project_instruction(plug.instruction))
    assert torch.equal(insert_persona(embeds, ids, token, 9)[1, 4], token)
    with pytest.raises(ValueError, match="placeholder_id 7 is not in input_ids"):
        insert_persona(embeds, ids, persona, 7)


def test_trains_the_plug_and_the_encoder_of_the_input() -> None:
    query, history, mask = example()
    plug = PersonaPlug(6, 8)
    query.requires_grad_()
    embeds, ids = torch.randn(2, 5, 8), torch.tensor([[9, 8, 2, 3, 4], [9, 8, 1, 3, 2]])
    filled = insert_persona(embeds, ids, plug(query, history, mask), 9)
    insert_persona(filled, ids, plug.instruction_token(), 8).square().sum().backward()
    assert query.grad.abs().sum() > 0
    assert all(part.grad.abs().sum() > 0 for part in plug.parameters())


def test_instruction_and_persona_stand_before_the_input() -> None:
    query, history, mask = example()
    plug = PersonaPlug(6, 8)
    tokens = plug.tokens(query, history, mask)
    assert torch.equal(tokens[1, 0], plug.instruction_token())
    assert torch.equal(tokens[:, 1], plug(query, history, mask))
    x = torch.randn(2, 5, 8)
    longer = SHARED["with_prefix"](x, tokens)
    assert torch.equal(longer[:, :2], tokens) and torch.equal(longer[:, 2:], x)
    assert torch.equal(SHARED["strip_prefix"](longer, tokens), x)
    assert SHARED["with_prefix"](x, None) is SHARED["strip_prefix"](x, None) is x
