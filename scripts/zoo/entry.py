"""What the zoo knows of a network before it is made. Nothing here needs PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: PyTorch's older exporter and the one on torch.export, each with the operator set that it writes.
EXPORTERS = OLDER, DYNAMO, NEWEST = "older17", "dynamo18", "dynamo23"


@dataclass(frozen=True)
class Input:
    """An input of a network.

    kind    normal, unit (0 to 1), ids:N (1 to N - 1), whole:N (0 to N - 1), rising:N (the same, sorted),
            mask (ones, then zeros), rate (16,000)
    shape   of one item, without the batch's axis
    shared  it has no batch: one value for all items
    """

    name: str
    shape: tuple[int, ...]
    kind: str = "normal"
    shared: bool = False


@dataclass(frozen=True)
class Entry:
    """A network with random weights.

    build       makes the module, in evaluation mode; random numbers are seeded before
    call        how its outputs come out of the module, if not by `module(*inputs)`
    prepare     is called after calibration, before the export
    open_batch  the batch's axis is left open in the file; else it is 1
    calibrate   batch normalisations get the means and variances of random inputs
    spread      weights are doubled: as they are made, attention is nearly uniform
    """

    name: str
    inputs: tuple[Input, ...]
    build: Callable[[], Any]
    exporters: tuple[str, ...] = (OLDER,)
    call: Callable[..., Any] | None = None
    prepare: Callable[[Any], None] | None = None
    open_batch: bool = True
    calibrate: bool = True
    spread: bool = False
