"""The table of results, the reasons by their number, and the list of files that are right."""

import re
from collections import Counter
from pathlib import Path

KEPT = Path(__file__).parent / "right.txt"
#: What may not be.
FAULTS = ("wrong", "crash", "timeout")


def kept() -> set[str]:
    return set(KEPT.read_text().split()) if KEPT.exists() else set()


def keep(results: list[dict]) -> None:
    """Files of these results that are right are in the list, the others are not; what was not run stays as it is."""
    right = {result["file"] for result in results if result["kind"] == "right"}
    names = (kept() - {result["file"] for result in results}) | right
    KEPT.write_text("".join(f"{name}\n" for name in sorted(names)))


def short(result: dict) -> str:
    """What came of a file, in a few words."""
    kind = result["kind"]
    if kind == "right":
        return f"right {result['error']:.0e}"
    word = kind.upper() if kind in FAULTS else kind
    return f"{word}: {reason(result)}"


def reason(result: dict) -> str:
    """Operators and how many, where operators are the reason; else the message without names and advice."""
    text = re.sub(r"^infer: (onnx::Model::\w+: )?(/\S+: )?", "", " ".join(result["reason"].split()))
    operators = re.match(r"these operators are not supported: (.*?); the first", text)
    if operators:
        return operators[1]
    text = re.sub(r' "[^"]*" \(opset \d+\)', "", text).split(", so the axis")[0]
    return re.sub(r"\[[\d, ]+\]", "its shape", text)[:150]


def table(results: list[dict]) -> str:
    """A line an entry, with its exporters."""
    entries: dict[str, list[dict]] = {}
    for result in sorted(results, key=lambda result: result["file"]):
        entries.setdefault(result["file"].split(".")[0], []).append(result)
    width = max((len(name) for name in entries), default=0)
    line = lambda result: f"{result['file'].split('.', 1)[1]} {short(result)}"  # noqa: E731
    return "\n".join(f"{name:{width}}  {'; '.join(map(line, files))}" for name, files in entries.items())


def counts(results: list[dict]) -> str:
    """What is refused, by the number of files that have it as a reason, and how many came to what."""
    kinds = Counter(result["kind"] for result in results)
    refused = [reason(result) for result in results if result["kind"] == "refused"]
    parts = Counter(part for text in refused for part in set(_parts(text)))
    lines = [f"{count:4} refused: {part}" for part, count in parts.most_common()]
    return "\n".join(
        [*lines, ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) + f", of {len(results)} files"]
    )


def _parts(reason: str) -> list[str]:
    """The operators, each by itself, or the reason."""
    return re.findall(r"\d+ × ([^,]+)", reason) or [reason]


def faults(results: list[dict], is_all: bool) -> list[str]:
    """What makes the status 1: what is wrong, crashes or hangs, and what is in the list and not right."""
    names = kept()
    bad = [
        result
        for result in results
        if result["kind"] in FAULTS or (result["file"] in names and result["kind"] != "right")
    ]
    gone = names - {result["file"] for result in results} if is_all else set()
    return [f"{result['file']}: {short(result)}" for result in bad] + [
        f"{name}: there is no such file any more" for name in sorted(gone)
    ]
