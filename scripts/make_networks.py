"""Makes ResNet-50 and ViT-B/16 of full size with random weights, for machines that measure and fetch nothing.

    python3 scripts/make_networks.py FOLDER

FOLDER gets NAME.onnx, whose weights are floats, and NAME.half.onnx, whose weights are halves that are widened, as
models/efficientnet-lite0.onnx has them, and two files with the weights: every tensor begins at the start of one.
The same numbers come out each time. The networks are those of tests/fixtures/networks (scripts/zoo/skeletons.py).
Needs onnx; 15 MB.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

SKELETONS = Path(__file__).resolve().parents[1] / "tests/fixtures/networks"
NAMES = ["resnet50", "vit_b_16"]
#: Files of weights, by their elements.
WEIGHTS = {np.float32: "weights", np.float16: "weights.half"}


def outside(model):
    """The tensors whose values stand in another file."""
    return [tensor for tensor in model.graph.initializer if tensor.data_location == TensorProto.EXTERNAL]


def halved(model):
    """Makes halves of them, and a cast of each."""
    casts = []
    for tensor in outside(model):
        name, tensor.name, tensor.data_type = tensor.name, f"{tensor.name}.half", TensorProto.FLOAT16
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
        values = {"location": WEIGHTS[np.float16], "offset": "0", "length": str(2 * int(np.prod(tensor.dims)))}
        for entry in tensor.external_data:
            entry.value = values[entry.key]
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    largest = 0
    for name in NAMES:
        model = onnx.load(SKELETONS / f"{name}.onnx", load_external_data=False)
        largest = max([largest] + [int(np.prod(tensor.dims)) for tensor in outside(model)])
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
        halved(model)
        (folder / f"{name}.half.onnx").write_bytes(model.SerializeToString())
    # As small as the weights of such networks are, so that no value leaves the range of halves.
    values = 0.02 * np.random.default_rng(1).standard_normal(largest)
    for element, file in WEIGHTS.items():
        (folder / file).write_bytes(values.astype(element).tobytes())


if __name__ == "__main__":
    main()
