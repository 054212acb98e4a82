"""Snippets as an editor reads them: tab stops replaced by what they first hold."""

import re


def expanded(source: str) -> str:
    """The text that an editor shows before anybody types. ValueError for what no editor reads."""
    text, end, held = sequence(source, 0, {}, inside=False)
    assert end == len(source)
    while "\0" in text:  # a stop may hold another
        text = re.sub("\0(\\d+)\0", lambda stop: held.get(stop[1], ""), text)
    return text


def sequence(
    source: str, at: int, held: dict[str, str], inside: bool
) -> tuple[str, int, dict[str, str]]:
    """Text up to the end, or to the brace that closes a stop, with \\0number\\0 for each stop."""
    text = ""
    while at < len(source) and not (inside and source[at] == "}"):
        if source[at] == "\\":
            if source[at + 1 : at + 2] not in ("\\", "$", "}"):
                text += "\\"  # editors keep a backslash before anything else
                at += 1
                continue
            text += source[at + 1]
            at += 2
        elif source[at] == "$":
            part, at = stop(source, at, held)
            text += part
        else:
            text += source[at]
            at += 1
    return text, at, held


def stop(source: str, at: int, held: dict[str, str]) -> tuple[str, int]:
    """A stop that starts at `at`, and where it ends."""
    bare = re.compile(r"\$(?:(\d+)|\{(\d+)\})").match(source, at)
    if bare:
        number = bare[1] or bare[2]
        return f"\0{number}\0", bare.end()
    choice = re.compile(r"\$\{(\d+)\|((?:[^\\|,}]|\\.)+)(?:,(?:[^\\|]|\\.)*)?\|\}").match(
        source, at
    )
    if choice:
        held.setdefault(choice[1], re.sub(r"\\(.)", r"\1", choice[2]))
        return f"\0{choice[1]}\0", choice.end()
    valued = re.compile(r"\$\{(\d+):").match(source, at)
    if not valued:
        raise ValueError(f"a lone $ at {at}: {source[at : at + 20]!r}")
    value, end, _ = sequence(source, valued.end(), held, inside=True)
    if source[end : end + 1] != "}":
        raise ValueError(f"stop {valued[1]} is not closed: {source[at : at + 40]!r}")
    if held.setdefault(valued[1], value) != value:
        raise ValueError(f"stop {valued[1]} holds {held[valued[1]]!r} and {value!r}")
    return f"\0{valued[1]}\0", end + 1
