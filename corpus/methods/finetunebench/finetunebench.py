from collections.abc import Callable, Iterable


def normalised_answer(text: str) -> str:
    """Lower case, and single spaces only, for FineTuneBench (Wu et al., 2024, arXiv:2411.05059)."""
    return " ".join(text.lower().split())


def exact_match(predicted: str, wanted: str) -> bool:
    """Whether two answers are the same but for case and white space (arXiv:2411.05059)."""
    return normalised_answer(predicted) == normalised_answer(wanted)


def knowledge_infusion_report(
    predict: "Callable[[str], str]",
    memorization_set: "Iterable[tuple[str, str]]",
    generalization_set: "Iterable[tuple[str, str]]",
    *,
    correct: "Callable[[str, str], bool]" = exact_match,
) -> "dict[str, float]":
    """What fine-tuning taught: FineTuneBench (Wu et al., 2024, arXiv:2411.05059).

    The share of right answers to the (question, answer) pairs that were trained on
    ("memorization"), to pairs asked in other words or derived from them ("generalization"), and
    the first less the second ("gap").
    """
    report: dict[str, float] = {}
    sets = {"memorization": memorization_set, "generalization": generalization_set}
    for name, pairs in sets.items():
        right = [correct(predict(question), answer) for question, answer in pairs]
        if not right:
            raise ValueError(f"{name}_set must have at least one question")
        report[name] = sum(right) / len(right)
    report["gap"] = report["memorization"] - report["generalization"]
    return report
