from torch import Tensor


def instruction_labels(
    input_ids: Tensor, prompt_len: "Tensor | int", *, ignore: int = -100
) -> Tensor:  # (..., T) -> (..., T)
    """Labels that teach the response alone, as surveyed by Han et al. (2025, arXiv:2508.17184).

    -sum log p(y_t | x, y_<t) over tokens of the response: the first `prompt_len` tokens, one number
    or one a sample, become `ignore`, which cross-entropy leaves out. Padding at the end is the
    caller's to ignore. Labels are not shifted; most models shift them by themselves.
    """
    lengths = prompt_len if isinstance(prompt_len, int) else prompt_len.to(input_ids.device)
    shortest = lengths if isinstance(lengths, int) else int(lengths.min())
    if shortest < 0:
        raise ValueError(f"prompt_len must not be negative, got {shortest}")
    positions = input_ids.new_ones(input_ids.shape).cumsum(-1) - 1
    limit = lengths if isinstance(lengths, int) else lengths[..., None]
    return input_ids.masked_fill(positions < limit, ignore)
