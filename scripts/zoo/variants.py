"""Variants of files that are there: halves, whole numbers of 8 bits, simplified, optimised, of other operator sets.

    python variants.py BASE VARIANT FOLDER

BASE is the folder of a file; the folder gets the variant as `model.onnx`, and the `about.json` of its base.
"""

import json
import shutil
import sys
from pathlib import Path

#: Files, and the variants of each.
VARIANTS = {
    "resnet18.older17": [
        "f16", "f16_inside", "qdq", "qdq_channels", "qoperator", "dynamic8", "simplified",
        "basic", "extended", "all", "opset21", "external",
    ],
    "mobilenet_v3_small.older17": [
        "f16", "f16_inside", "qdq", "qdq_channels", "dynamic8", "simplified", "basic", "extended", "all",
    ],
    "vit.older17": ["f16", "f16_inside", "qdq", "dynamic8", "simplified", "basic", "extended", "all", "opset21", "external"],
    "vit.dynamo18": ["simplified", "basic"],
    "gpt2.older17": ["dynamic8", "simplified", "basic", "extended"],
    "gpt2.dynamo18": ["simplified", "basic"],
    "bert_pooled.older17": ["dynamic8", "simplified", "basic", "extended"],
    "bert_pooled.dynamo18": ["simplified", "basic"],
    "whisper_encoder.older17": ["f16_inside", "simplified"],
    "yolov8n.older17": ["f16_inside", "simplified"],
}  # fmt: skip


def halves(source: Path, target: Path, keep_io_types: bool) -> None:
    from onnxconverter_common import float16

    import onnx

    onnx.save(float16.convert_float_to_float16(onnx.load(source), keep_io_types=keep_io_types), target)


def quantized(source: Path, target: Path, inputs: list[dict], form: str, per_channel: bool) -> None:
    from entry import Input
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process
    from values import values

    class Reader(CalibrationDataReader):
        def __init__(self):
            given = tuple(Input(**input) for input in inputs)
            self.batches = iter([values(given, 2, seed) for seed in (3, 4, 5)])

        def get_next(self):
            return next(self.batches, None)

    prepared = target.with_name("prepared.onnx")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    activations = QuantType.QInt8 if per_channel else QuantType.QUInt8
    quantize_static(
        prepared,
        target,
        Reader(),
        quant_format=QuantFormat[form],
        per_channel=per_channel,
        activation_type=activations,
        weight_type=QuantType.QInt8,
    )
    prepared.unlink()


def dynamic8(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType.QUInt8)


def simplified(source: Path, target: Path) -> None:
    import onnxsim

    import onnx

    onnx.save(onnxsim.simplify(onnx.load(source))[0], target)


def optimised(source: Path, target: Path, level: str) -> None:
    import onnx
    import onnxruntime

    whole = target.with_name("whole.onnx")  # What it writes names the weights' file, wherever it is.
    onnx.save(onnx.load(source), whole)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level.upper()}")
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    whole.unlink()


def of_opset(source: Path, target: Path, opset: int) -> None:
    import onnx
    from onnx import version_converter

    onnx.save(version_converter.convert_version(onnx.load(source), opset), target)


def external(source: Path, target: Path) -> None:
    import onnx

    onnx.save_model(
        onnx.load(source), target, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0
    )


def make(source: Path, target: Path, variant: str, inputs: list[dict]) -> None:
    if variant.startswith("f16"):
        halves(source, target, keep_io_types=variant == "f16_inside")
    elif variant.startswith("q"):
        form = "QOperator" if variant == "qoperator" else "QDQ"
        quantized(source, target, inputs, form, per_channel=variant == "qdq_channels")
    elif variant.startswith("opset"):
        of_opset(source, target, int(variant[5:]))
    elif variant in ("basic", "extended", "all"):
        optimised(source, target, variant)
    else:
        {"dynamic8": dynamic8, "simplified": simplified, "external": external}[variant](source, target)


def main() -> None:
    base, variant, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    about = json.loads((base / "about.json").read_text())
    make(base / "model.onnx", folder / "model.onnx", variant, about["inputs"])
    shutil.copy(base / "about.json", folder / "about.json")


if __name__ == "__main__":
    main()
