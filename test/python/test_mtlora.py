"""MTLoRA: what each task sees."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

MTLoRALinear = PYTHON["mtlora"]["MTLoRALinear"]
TASKS = ("depth", "normals")


def layer(**changes: object) -> nn.Linear:
    torch.manual_seed(0)
    made = MTLoRALinear(8, 6, rank=3, task_rank=2, tasks=TASKS, **changes)
    return made.double().eval()


def base(module: nn.Linear, x: Tensor) -> Tensor:
    return x @ module.weight.T + module.bias


X = torch.randn(4, 8, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("mode", ["matrix", "matrixv2"])
def test_every_output_starts_as_the_base(mode: str) -> None:
    module = layer(mode=mode)
    shared, outputs = module(X)
    for output in (shared, *outputs.values()):
        assert torch.equal(output, base(module, X))


def test_addition_starts_with_the_norm_of_the_sum() -> None:
    module = layer(mode="addition")
    shared, outputs = module(X)
    total = nn.functional.layer_norm(2 * base(module, X), (6,))
    torch.testing.assert_close(shared, base(module, X) + total)
    assert all(torch.equal(output, base(module, X)) for output in outputs.values())


def test_a_task_moves_its_own_output_alone() -> None:
    module = layer()
    module.task_B["depth"].data.normal_()
    shared, outputs = module(X)
    assert torch.equal(shared, base(module, X))
    assert torch.equal(outputs["normals"], base(module, X))
    update = 4 * X @ (module.task_B["depth"] @ module.task_A["depth"]).T
    torch.testing.assert_close(outputs["depth"], base(module, X) + update)


@pytest.mark.parametrize(("mode", "moves"), [("matrix", False), ("matrixv2", True)])
def test_the_shared_update_in_the_outputs_of_tasks(mode: str, moves: bool) -> None:
    module = layer(mode=mode)
    module.lora_B.data.normal_()
    shared, outputs = module(X)
    update = 4 * X @ (module.lora_B @ module.lora_A).T
    torch.testing.assert_close(shared, base(module, X) + update)
    for output in outputs.values():
        torch.testing.assert_close(output, base(module, X) + (update if moves else 0))


def test_a_task_s_own_input_meets_its_factors_undropped() -> None:
    module = layer(dropout=0.9).train()
    module.task_B["depth"].data.normal_()
    own = X.flip(0)
    _, outputs = module(X, {"depth": own})
    update = 4 * own @ (module.task_B["depth"] @ module.task_A["depth"]).T
    torch.testing.assert_close(outputs["depth"], base(module, X) + update)


def test_count_and_what_cannot_be() -> None:
    module = layer()
    trained = sum(part.numel() for part in module.parameters() if part.requires_grad)
    assert trained == 3 * 14 + 2 * 2 * 14
    with pytest.raises(ValueError, match="tasks must be empty"):
        module.merged()
    with pytest.raises(ValueError, match="mode must be"):
        layer(mode="sum")
    with pytest.raises(ValueError, match="task_rank must be between 1 and 6"):
        MTLoRALinear(8, 6, rank=2, task_rank=7, tasks=TASKS)


def test_dropout_meets_the_shared_input_of_a_task() -> None:
    module = layer(dropout=1.0).train()
    for part in (module.lora_B, *module.task_B.values()):
        part.data.normal_()
    shared, outputs = module(X)
    for output in (shared, *outputs.values()):
        assert torch.equal(output, base(module, X)), "everything is dropped but for W x"
