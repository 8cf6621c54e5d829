"""Networks of full size without their weights, for the table of plans (docs/plans.md) and its test.

    python3 scripts/zoo --only yolov8n.older17       the environment, once
    target/zoo/venv/bin/python scripts/zoo/skeletons.py

Each becomes tests/fixtures/networks/NAME.onnx. What has more than 256 values is said to lie at the start of a file
`weights`, which the test makes without anything in it.
"""

import logging
import warnings
from pathlib import Path

import onnx
import torch
import torchvision
import transformers
from onnx import TensorProto, external_data_helper

FOLDER = Path(__file__).resolve().parents[2] / "tests/fixtures/networks"
MADE = Path(__file__).resolve().parents[2] / "target/zoo/skeletons"
KEPT = 256


class Part(torch.nn.Module):
    """A network of transformers by the names of its inputs, and one of its outputs."""

    def __init__(self, network, names, output):
        super().__init__()
        self.network, self.names, self.output = network, names, output

    def forward(self, *values):
        return getattr(self.network(**dict(zip(self.names, values))), self.output)


def yolo():
    from ultralytics.nn import tasks

    network = tasks.DetectionModel("yolov8n.yaml", ch=3, nc=80, verbose=False)
    for module in network.modules():
        if hasattr(module, "export"):
            module.export, module.format, module.dynamic = True, "onnx", False
    return network


def networks():
    photo, large = torch.zeros(1, 3, 224, 224), torch.zeros(1, 3, 640, 640)
    ids = torch.zeros(1, 128, dtype=torch.int64)
    vision = transformers.CLIPVisionConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, patch_size=32
    )
    text = transformers.BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    yield "resnet50", torchvision.models.resnet50(), [photo]
    yield "convnext_tiny", torchvision.models.convnext_tiny(), [photo]
    yield "vit_b_16", torchvision.models.vit_b_16(), [photo]
    clip = transformers.CLIPVisionModelWithProjection(vision)
    yield "clip_vit_b_32", Part(clip, ["pixel_values"], "image_embeds"), [photo]
    sentences = transformers.BertModel(text)
    yield "minilm_l6", Part(sentences, ["input_ids", "attention_mask"], "last_hidden_state"), [ids, torch.ones_like(ids)]
    yield "yolov8n", yolo(), [large]


def without_weights(model):
    for tensor in model.graph.initializer:
        count = 1
        for axis in tensor.dims:
            count *= axis
        if count <= KEPT or tensor.data_type not in (TensorProto.FLOAT, TensorProto.FLOAT16):
            continue
        size = count * (4 if tensor.data_type == TensorProto.FLOAT else 2)
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.raw_data = b""
        external_data_helper.set_external_data(tensor, "weights", 0, size)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    return model


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    MADE.mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, network, values in networks():
        names = [f"x{place}" for place in range(len(values))]
        file = MADE / f"{name}.onnx"
        torch.onnx.export(
            network.eval(), tuple(values), str(file), input_names=names, output_names=["y"], opset_version=17,
            dynamo=False, dynamic_axes={value: {0: "batch"} for value in names},
        )  # fmt: skip
        model = without_weights(onnx.load(str(file)))
        (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
        print(name, (FOLDER / f"{name}.onnx").stat().st_size, flush=True)


if __name__ == "__main__":
    main()
