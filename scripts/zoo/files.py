"""The files of the zoo under target/zoo/files: which there are, and how a missing one is made."""

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import packages
from catalogue import catalogue
from children import child
from entry import EXPORTERS
from environment import HOME, PYTHON
from variants import VARIANTS

FILES = HOME / "files"
HERE = Path(__file__).parent
LIMIT = 300
TOO_LONG = f"more than {LIMIT} s"
#: They cover much, and are made fast.
TEN = {
    "mobilenet_v3_small.older17", "mobilenet_v3_small.older17.f16", "ssdlite320_mobilenet_v3_large_head.older17",
    "timm_edgenext_xx_small.older17", "vit.dynamo18", "swin.older17", "segformer.older17", "bert_pooled.older17",
    "gpt2.older17", "whisper_encoder.older17",
}  # fmt: skip
_making: defaultdict[str, Lock] = defaultdict(Lock)


@dataclass(frozen=True)
class File:
    """One file: an entry by one of its exporters, a variant of such a file, or one that stands in a package."""

    entry: str
    exporter: str
    variant: str = ""

    @property
    def name(self) -> str:
        return ".".join(filter(None, (self.entry, self.exporter, self.variant)))

    @property
    def folder(self) -> Path:
        return FILES / self.name

    @property
    def base(self) -> "File":
        return File(self.entry, self.exporter)

    @property
    def tolerance(self) -> float:
        """What an error may be of the largest value: with halves ONNX Runtime rounds more often than we do."""
        return 2e-3 if "f16" in self.variant else 1e-4


def every() -> list[File]:
    """All files, those of the older exporter and what is made without PyTorch first: they are made the fastest."""
    exported = [File(entry.name, exporter) for entry in catalogue().values() for exporter in entry.exporters]
    varied = [File(*base.split("."), variant) for base, variants in VARIANTS.items() for variant in variants]
    packaged = [File(name, "package") for name in packages.NETWORKS]
    return sorted(exported + varied + packaged, key=lambda file: ["package", *EXPORTERS].index(file.exporter))


def made(file: File) -> str | None:
    """Makes the file where it is missing; the reason where that fails. A failure is kept as a file is, a hang is not."""
    with _making[file.name]:
        if (file.folder / "about.json").exists():
            return None
        failed = file.folder / "failed.json"
        if failed.exists():
            return json.loads(failed.read_text())["reason"]
        reason = _make(file)
        if reason is not None:
            shutil.rmtree(file.folder, ignore_errors=True)
        if reason not in (None, TOO_LONG):
            file.folder.mkdir()
            failed.write_text(json.dumps({"reason": reason}))
        return reason


def _make(file: File) -> str | None:
    if file.variant and (reason := made(file.base)) is not None:
        return f"{file.base.name}: {reason}"
    shutil.rmtree(file.folder, ignore_errors=True)
    file.folder.mkdir(parents=True)
    ended = child([str(PYTHON), *_maker(file), str(file.folder)], LIMIT)
    if ended.status is None:
        return TOO_LONG
    is_there = ended.status == 0 and (file.folder / "about.json").exists()
    return None if is_there else last_line(ended.err)


def _maker(file: File) -> list[str]:
    if file.variant:
        return [str(HERE / "variants.py"), str(file.base.folder), file.variant]
    if file.exporter == "package":
        return [str(HERE / "packages.py"), file.entry]
    return [str(HERE / "export.py"), file.entry, file.exporter]


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it says nothing"
