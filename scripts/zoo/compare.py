"""Runs one file in ONNX Runtime and in `infer`, and compares every output. A process of its own for each.

    python compare.py FOLDER INFER DEVICE TOLERANCE

Prints a line of JSON: what came of it (right, refused, wrong, crash, timeout, or that ONNX Runtime fails), why, and the
largest error as a part of the largest value. One item is run, then three in batches of two: each item has to be what
it is in a batch of ONNX Runtime, where the file allows one, else what it is alone.
ONNX Runtime's optimisations are off: with them it is less exact than the file says.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from children import child
from entry import Input
from values import values

LIMIT = 240
KINDS = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16, "tensor(bool)": np.bool_,
    "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(int8)": np.int8, "tensor(uint8)": np.uint8,
}  # fmt: skip
#: What says of a complaint that it is no refusal.
BROKEN = ("panicked", "a bug in gapless")
Arrays = dict[str, np.ndarray]


class Reference:
    """The file in ONNX Runtime."""

    def __init__(self, file: Path):
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.kinds = {input.name: KINDS[input.type] for input in self.session.get_inputs()}
        self.outputs = [output.name for output in self.session.get_outputs()]

    def typed(self, arrays: Arrays) -> Arrays:
        """The arrays that the file takes, as it takes them."""
        return {name: array.astype(self.kinds[name]) for name, array in arrays.items() if name in self.kinds}

    def run(self, arrays: Arrays) -> list[np.ndarray]:
        return [np.asarray(output) for output in self.session.run(None, arrays)]


def wanted(reference: Reference, inputs: tuple[Input, ...], arrays: Arrays, items: int) -> list[list[np.ndarray]]:
    """What each output may be: more than one array only where the file takes one item, so that it says no layout."""
    try:
        return [[output] for output in reference.run(arrays)]
    except Exception:  # noqa: BLE001 ONNX Runtime has many kinds, and all mean here that the file takes no batch
        if items == 1:
            raise
    shared = {input.name for input in inputs if input.shared}
    alone = [
        reference.run({name: array if name in shared else array[item : item + 1] for name, array in arrays.items()})
        for item in range(items)
    ]
    return [_joined(list(parts)) for parts in zip(*alone, strict=True)]


def _joined(parts: list[np.ndarray]) -> list[np.ndarray]:
    if any(part.shape != parts[0].shape for part in parts):
        return []
    return [np.stack(parts)] + ([np.concatenate(parts)] if parts[0].ndim else [])


def error(given: np.ndarray, wanted: np.ndarray, tolerance: float) -> tuple[float, bool]:
    """The largest error as a part of the largest value, and whether all values are near enough."""
    given, wanted = given.astype("float64"), wanted.astype("float64")
    finite = np.isfinite(wanted) & np.isfinite(given)
    same = (given == wanted) | (np.isnan(given) & np.isnan(wanted))
    if not (finite | same).all():
        return float("inf"), False
    if not finite.any():
        return 0.0, True
    errors, sizes = np.abs(given - wanted)[finite], np.abs(wanted[finite])
    largest = sizes.max() or 1.0
    return float(errors.max() / largest), bool((errors <= tolerance * largest + 10 * tolerance * sizes).all())


def compared(given: list[np.ndarray], expected: list[list[np.ndarray]], names: list[str], tolerance: float) -> dict:
    largest = 0.0
    for name, array, ways in zip(names, given, expected, strict=True):
        fitting = [way for way in ways if way.shape == array.shape]
        if not fitting:
            shapes = " or ".join(str(list(way.shape)) for way in ways)
            return {"kind": "wrong", "reason": f"{name} has the shape {list(array.shape)}, and {shapes} is right"}
        size, is_near = min(error(array, way, tolerance) for way in fitting)
        if not is_near:
            return {"kind": "wrong", "reason": f"{name} is wrong by {size:.1e} of its largest value", "error": size}
        largest = max(largest, size)
    return {"kind": "right", "error": largest}


def enlarged(reference: Reference, arrays: Arrays, expected: list[list[np.ndarray]], tolerance: float) -> float:
    """What an error may be in a network that enlarges errors: twice what the last bit of its floats changes in ONNX
    Runtime itself, and at most ten times what it may be elsewhere."""
    changed = [tolerance]
    for seed in range(4):
        signs = np.random.default_rng(seed)
        other = {
            name: array * (1 + signs.choice([-1, 1], array.shape) * 2.0**-23) if array.dtype == np.float32 else array
            for name, array in arrays.items()
        }
        try:
            given = reference.run(reference.typed(other))
        except Exception:  # noqa: BLE001 a file that takes one item: nothing is known of more
            break
        changed += [2 * error(one, ways[0], 0.0)[0] for one, ways in zip(given, expected, strict=True)]
    return min(max(changed), 10 * tolerance)


def ours(
    infer: list[str], model: Path, arrays: Arrays, outputs: list[str], batch_size: int
) -> tuple[dict, list[np.ndarray]]:
    """What `infer` gives, or what became of it instead."""
    with tempfile.TemporaryDirectory() as folder:
        command = [infer[0], str(model), "--device", infer[1], "--batch-size", str(batch_size), *infer[2:]]
        for place, (name, array) in enumerate(arrays.items()):
            np.save(f"{folder}/in{place}.npy", array)
            command += ["--input", f"{name}={folder}/in{place}.npy"]
        for place, name in enumerate(outputs):
            command += ["--output", f"{name}={folder}/out{place}.npy"]
        ended = child(command, LIMIT)
        if ended.status == 0:
            return {}, [np.load(f"{folder}/out{place}.npy") for place in range(len(outputs))]
    if ended.status is None:
        return {"kind": "timeout", "reason": f"more than {LIMIT} s"}, []
    said = ended.err.strip()[-2000:]
    if ended.status == 1 and not any(word in said for word in BROKEN):
        return {"kind": "refused", "reason": said}, []
    return {"kind": "crash", "reason": f"it ended with {ended.status}: {said}"}, []


def outcome(folder: Path, infer: list[str], tolerance: float) -> dict:
    about = json.loads((folder / "about.json").read_text())
    inputs = tuple(Input(**{**input, "shape": tuple(input["shape"])}) for input in about["inputs"])
    model = folder / "model.onnx"
    infer = infer + about.get("options", [])
    try:
        reference = Reference(model)
    except Exception as cause:  # noqa: BLE001 ONNX Runtime has many kinds, and all mean the same here
        return {"kind": "no reference", "reason": str(cause)[:300]}
    largest = 0.0
    for items, batch_size in [(1, 1), (3, 2)] if about["batch"] != "none" else [(1, 1)]:
        arrays = reference.typed(values(inputs, items, 7 + items))
        failed, given = ours(infer, model, arrays, reference.outputs, batch_size)
        if failed:
            return {**failed, "items": items}
        try:
            expected = wanted(reference, inputs, arrays, items)
        except Exception as cause:  # noqa: BLE001 as above
            return {"kind": "no reference", "reason": str(cause)[:300], "items": items}
        result = compared(given, expected, reference.outputs, tolerance)
        if result["kind"] == "wrong" and np.isfinite(result.get("error", np.inf)):
            result = compared(given, expected, reference.outputs, enlarged(reference, arrays, expected, tolerance))
        if result["kind"] != "right":
            return {**result, "items": items}
        largest = max(largest, result["error"])
    if not all(np.isfinite(way).any() and way.any() for ways in expected for way in ways):
        return {
            "kind": "no reference",
            "reason": "an output is zero or not finite in ONNX Runtime, which proves nothing",
        }
    return {"kind": "right", "error": largest}


print(json.dumps(outcome(Path(sys.argv[1]), [sys.argv[2], sys.argv[3]], float(sys.argv[4]))))
