"""The values that networks are given: by kind and seed, item by item, so that no two items are alike."""

import numpy as np
from entry import Input


def values(inputs: tuple[Input, ...], items: int, seed: int) -> dict[str, np.ndarray]:
    """Arrays of `items` items for every input that has a batch, as `np.float32` or `np.int64`."""
    numbers = np.random.default_rng(seed)
    rows = [[_value(numbers, input) for input in inputs] for _ in range(items)]
    return {
        input.name: rows[0][place] if input.shared else np.stack([row[place] for row in rows])
        for place, input in enumerate(inputs)
    }


def _value(numbers: np.random.Generator, input: Input) -> np.ndarray:
    kind, _, limit = input.kind.partition(":")
    if kind == "normal":
        return numbers.standard_normal(input.shape).astype("float32")
    if kind == "unit":
        return numbers.random(input.shape).astype("float32")
    if kind in ("ids", "whole"):
        return numbers.integers(int(kind == "ids"), int(limit), input.shape)
    if kind == "rising":
        return np.sort(numbers.integers(0, int(limit), input.shape))
    if kind == "mask":
        length = input.shape[0]
        return (np.arange(length) < numbers.integers(length // 2, length + 1)).astype("int64")
    if kind == "rate":
        return np.array(16_000, "int64")
    raise ValueError(f"{input.name}: there is no kind {input.kind}")
