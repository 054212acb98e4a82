"""What a tuned model recalls, and what it can use."""

import pytest
from corpus import PYTHON

knowledge_infusion_report = PYTHON["finetunebench"]["knowledge_infusion_report"]
exact_match = PYTHON["finetunebench"]["exact_match"]
KNOWN = {"Who leads?": "Ada  BEET", "Where?": "Rome\n", "When?": "1999"}


def test_recall_without_understanding() -> None:
    trained = [("Who leads?", "ada beet"), ("Where?", "Rome"), ("When?", "1999"), ("Why?", "x")]
    altered = [("Who is the leader?", "Ada Beet"), ("When?", " 1999 ")]
    report = knowledge_infusion_report(lambda each: KNOWN.get(each, "?"), trained, altered)
    assert report == {"memorization": 0.75, "generalization": 0.5, "gap": 0.25}


def test_case_and_white_space_do_not_count() -> None:
    assert exact_match(" New\tYork ", "new york")
    assert not exact_match("New York!", "new york")


def test_a_judge_of_ones_own() -> None:
    pairs = [("Where?", "in Rome"), ("When?", "2001")]
    report = knowledge_infusion_report(
        KNOWN.__getitem__, pairs, pairs, correct=lambda found, wanted: found.strip() in wanted
    )
    assert report == {"memorization": 0.5, "generalization": 0.5, "gap": 0.0}


def test_refuses_empty_sets() -> None:
    with pytest.raises(ValueError, match="generalization_set must have at least one question"):
        knowledge_infusion_report(str, [("a", "b")], [])
