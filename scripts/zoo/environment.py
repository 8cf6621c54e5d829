"""An environment of its own under target/zoo, with every version fixed."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target/zoo"
VENV = HOME / "venv"
PYTHON = VENV / "bin/python"

#: What ten networks need. The first are installed without what they ask for, since they ask for CUDA.
BARE = ["torch==2.15.0", "torchvision==0.29.2", "timm==1.0.31"]
NEEDED = [
    "transformers==5.24.0", "numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.32.0", "onnxscript==0.7.2",
    "onnxconverter-common==1.16.0", "pillow==13.0.0", "setuptools==84.2.1", "sympy==1.14.0", "networkx==3.6.1",
    "jinja2==3.1.6", "filelock==4.3.1", "fsspec==2026.9.0", "typing_extensions==4.16.0",
]  # fmt: skip
#: What all networks need besides.
BARE_FOR_ALL = ["ultralytics==8.4.190", "ultralytics-thop==2.2.3"]
NEEDED_FOR_ALL = [
    "onnxsim==0.8.1", "opencv-python-headless==5.0.0.93", "matplotlib==3.11.2", "psutil==7.2.2", "polars==2.1.0",
    "scipy==1.17.1", "requests==2.34.2",
]  # fmt: skip

#: PyTorch for Linux on x86-64 is linked with 4 GB of CUDA, whatever it computes on. These three are small;
SMALL_CUDA = ["nvidia-cuda-runtime==13.2.86", "nvidia-cuda-cupti==13.2.86", "nvidia-cufile==1.17.1.22"]
#: in the place of the others stand libraries without functions: none is called where there is no device.
STAND_INS = [
    "libcublas.so.13", "libcublasLt.so.13", "libcudnn.so.9", "libcufft.so.12", "libcusparse.so.12",
    "libcusparseLt.so.0", "libnccl.so.2", "libnvrtc.so.13", "libnvshmem_host.so.3",
]  # fmt: skip
#: The one variable among what PyTorch looks up at its start, and its version.
VARIABLES = "char nvshmem_selected_device_transport[4096];"
VERSION = "NVSHMEM { global: *; };"


def ready(all_packages: bool) -> None:
    """Installs what is missing: for ten networks, or for all."""
    _stage("ten", BARE + (SMALL_CUDA if _is_linked_with_cuda() else []), NEEDED)
    if all_packages:
        _stage("all", BARE_FOR_ALL, NEEDED_FOR_ALL)


def _stage(name: str, bare: list[str], needed: list[str]) -> None:
    """One part of the packages. A file says that it is there, with these versions."""
    done = VENV / f"{name}-{hashlib.sha256(repr((bare, needed, STAND_INS)).encode()).hexdigest()[:16]}"
    if done.exists():
        return
    if name == "ten":
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    print(f"installing {', '.join(bare + needed)}", flush=True)
    _install("--no-deps", *bare)
    _install(*needed)
    if name == "ten" and _is_linked_with_cuda():
        _stand_in()
    done.touch()


def _install(*words: str) -> None:
    """What pip says is only shown where it fails: it complains of what is left out on purpose."""
    command = [str(PYTHON), "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check", *words]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"zoo: {' '.join(command)}\n{ended.stderr}")


def _is_linked_with_cuda() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64"


def _stand_in() -> None:
    """Puts the stand-ins where PyTorch looks for the libraries, and has functions looked up when they are called."""
    packages = next(VENV.glob("lib/python3*/site-packages"))
    folder = packages / "nvidia/cu13/lib"
    (HOME / "stand_in.c").write_text(VARIABLES)
    (HOME / "stand_in.map").write_text(VERSION)
    for name in STAND_INS:
        links = ["-shared", "-Wl,--version-script=" + str(HOME / "stand_in.map"), f"-Wl,-soname,{name}"]
        subprocess.run(["cc", *links, "-o", str(folder / name), str(HOME / "stand_in.c")], check=True)
    (packages / "lazy.pth").write_text("import os, sys; sys.setdlopenflags(os.RTLD_LAZY)\n")


def settings() -> dict[str, str]:
    """The environment of children: no hub, one thread each, nothing written outside of target/."""
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "YOLO_CONFIG_DIR": str(HOME),
        "PYTHONPATH": str(Path(__file__).parent),
    }
