"""What came of every file: lines of JSON that a run adds to, so that one that was broken off goes on where it was."""

import hashlib
import json
from pathlib import Path

from children import child
from environment import HOME, PYTHON
from files import File, last_line, made

HERE = Path(__file__).parent
RESULTS = HOME / "results.jsonl"
COMPARE_LIMIT = 600


def known(program: str) -> dict[str, dict]:
    """The latest result of each file with this program, which `digest` names."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    results = (json.loads(line) for line in lines if line.endswith("}"))
    return {result["file"]: result for result in results if result["program"] == program}


def digest(infer: Path, device: str) -> str:
    """Names the program and its device: results of another say nothing of it."""
    return f"{hashlib.sha256(infer.read_bytes()).hexdigest()[:16]} on {device}"


def result(file: File, infer: Path, device: str) -> dict:
    """Makes the file where it is missing, and compares it; keeps what came of it."""
    reason = made(file)
    if reason is None:
        outcome, seconds = compared(file, infer, device)
    else:
        outcome, seconds = {"kind": "not made", "reason": reason}, 0.0
    line = {"file": file.name, **outcome, "seconds": round(seconds, 1), "program": digest(infer, device)}
    with RESULTS.open("a") as results:
        results.write(json.dumps(line) + "\n")
    return line


def compared(file: File, infer: Path, device: str) -> tuple[dict, float]:
    command = [str(PYTHON), str(HERE / "compare.py"), str(file.folder), str(infer), device, str(file.tolerance)]
    ended = child(command, COMPARE_LIMIT)
    if ended.status is None:
        return {"kind": "timeout", "reason": f"more than {COMPARE_LIMIT} s in all"}, ended.seconds
    if ended.status != 0:
        return {"kind": "no reference", "reason": last_line(ended.err)}, ended.seconds
    return json.loads(ended.out.splitlines()[-1]), ended.seconds
