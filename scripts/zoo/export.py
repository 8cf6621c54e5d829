"""Makes one file: a network with random weights, through one of PyTorch's exporters. A process of its own for each.

    python export.py NAME EXPORTER FOLDER

The folder gets `model.onnx`, and `about.json` with its inputs and how its batch stands.
"""

import json
import sys
import warnings
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import torch
from catalogue import catalogue
from entry import Entry
from torch import nn
from values import values

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Flat(nn.Module):
    """The network with its inputs by place and its outputs in one tuple."""

    def __init__(self, network: nn.Module, call):
        super().__init__()
        self.network, self.call = network, call

    def forward(self, *inputs):
        return tuple(flat(self.call(self.network, *inputs) if self.call else self.network(*inputs)))


def flat(given) -> list[torch.Tensor]:
    if torch.is_tensor(given):
        return [given]
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, (list, tuple)) else []
    return [tensor for part in parts for tensor in flat(part)]


def tensors(entry: Entry, items: int, seed: int) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(np.array(array)) for array in values(entry.inputs, items, seed).values())


def made(entry: Entry) -> Flat:
    """The network, the same each time: no weight is all zeros, and no normalisation does nothing."""
    torch.manual_seed(zlib.crc32(entry.name.encode()))
    network = entry.build().eval()
    numbers = torch.Generator().manual_seed(1)
    if entry.spread:
        spread(network, numbers)
    for weight in network.parameters():
        if weight.dim() >= 2 and not weight.any():
            weight.copy_(0.05 * torch.randn(weight.shape, generator=numbers))
    if entry.calibrate:
        calibrate(network, lambda: Flat(network, entry.call)(*tensors(entry, 4, 99)))
    if entry.prepare:
        entry.prepare(network)
    return Flat(network.eval(), entry.call).eval()


def spread(network: nn.Module, numbers: torch.Generator) -> None:
    for name, weight in network.named_parameters():
        is_norm = "norm" in name.lower()
        if weight.dim() >= 2 and not is_norm:
            weight.mul_(2.0)
        elif weight.dim() == 1 and is_norm:
            weight.add_(0.1 * torch.randn(weight.shape, generator=numbers))


def calibrate(network: nn.Module, run) -> None:
    """Gives every batch normalisation the means and variances of random inputs, and weights that are not 1 and 0.

    Only they are in training: branches that are dropped at random would make other means.
    """
    normalisations = [module for module in network.modules() if isinstance(module, NORMALISATIONS)]
    momenta = [module.momentum for module in normalisations]
    for module in normalisations:
        module.train()
        module.momentum = None
        module.reset_running_stats()
    if normalisations:
        run()
    numbers = torch.Generator().manual_seed(0)
    for module, momentum in zip(normalisations, momenta, strict=True):
        module.momentum = momentum
        disturb(module, numbers)
    network.eval()


def disturb(module: nn.Module, numbers: torch.Generator) -> None:
    """Moves means and variances off what was measured.

    No variance is far below what the values are: random items are much alike in deep layers, and what enlarges their
    differences enlarges errors as much.
    """

    def factors() -> torch.Tensor:
        return 0.7 + 0.6 * torch.rand(module.num_features, generator=numbers)

    def shifts() -> torch.Tensor:
        return 0.1 * torch.randn(module.num_features, generator=numbers)

    least = 0.1 * (module.running_var + module.running_mean**2).mean()
    module.running_var.mul_(factors()).add_(least)
    module.running_mean.add_(module.running_var.sqrt() * shifts())
    if module.affine:
        module.weight.mul_(factors())
        module.bias.add_(shifts())


def export(entry: Entry, network: Flat, exporter: str, file: Path) -> str:
    """Writes the file and tells how the batch stands in it: open, guessed (by the exporter), or one."""
    opset = int(exporter[-2:])
    inputs = tensors(entry, 2 if entry.open_batch else 1, 5)
    count = len(network(*inputs))
    names, outputs = [input.name for input in entry.inputs], [f"output{place}" for place in range(count)]
    common = {"opset_version": opset, "input_names": names, "output_names": outputs}
    if exporter.startswith("older"):
        axes = {name: {0: "batch"} for name in names + outputs} if entry.open_batch else None
        torch.onnx.export(network, inputs, file, dynamo=False, dynamic_axes=axes, **common)
        return "open" if entry.open_batch else "one"
    ways = [("open", torch.export.Dim("batch")), ("guessed", torch.export.Dim.AUTO)] if entry.open_batch else []
    for way, axis in ways:
        try:
            shapes = (tuple({0: axis} for _ in names),)
            torch.onnx.export(network, inputs, file, dynamo=True, dynamic_shapes=shapes, verbose=False, **common)
            if is_open(file):
                return way
        except Exception as cause:  # noqa: BLE001 whatever it is, the next way is tried
            print(f"with its batch {way}: {cause}", file=sys.stderr)
    one = tensors(entry, 1, 5)
    torch.onnx.export(network, one, file, dynamo=True, verbose=False, **common)
    return "one"


def is_open(file: Path) -> bool:
    """Whether the exporter left the batch open, and did not fix it at what it was shown."""
    inputs = onnx.load(file, load_external_data=False).graph.input
    return all(input.type.tensor_type.shape.dim[0].dim_param for input in inputs)


def main() -> None:
    name, exporter, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    entry = catalogue()[name]
    with torch.no_grad():
        batch = export(entry, made(entry), exporter, folder / "model.onnx")
    about = {"inputs": [asdict(input) for input in entry.inputs], "batch": batch}
    (folder / "about.json").write_text(json.dumps(about))


main()
