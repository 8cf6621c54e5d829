#!/usr/bin/env python3
"""Runs the same network in PyTorch on this machine, and prints the ratios.

    pip install torch onnx2torch
    cargo run --release --example measure -- --network models/efficientnet-lite0.onnx --json network.json
    python3 scripts/compare-torch.py models/efficientnet-lite0.onnx network.json [--batch 1 16 64 256] [--seconds 2]

The second file is what `measure --network` wrote, whose images a second are compared with PyTorch's: above 1
gapless is faster. A batch that measure left out has a line that says why. Both are measured twice:
  host    images lie in the host's memory, results end there, and three batches are in flight; where gapless sends
          bytes, bytes go up here too, and are normalised on the device
  device  images lie on the device and results stay there; gapless counts its copies of a batch, by the device's clock
PyTorch runs in these ways, of which --ways chooses some:
  f32       eager; TF32 is off for products and convolutions
  tf32      eager, with TF32 allowed for both (CUDA)
  half      eager, with weights and activations of 16 bits (CUDA)
  compiled  by torch.compile, in f32 without TF32
The network is the ONNX file, or what PyTorch's users would run in its place, with random weights, which cost the same:
    --package torchvision.resnet50 | torchvision.vit_b_16 | timm.tf_efficientnet_lite0
PyTorch runs on CUDA or Metal where it can, else on the CPU, and its line says so. Without PyTorch this ends with
status 2 and a sentence that says what is missing.
"""
import argparse
import copy
import importlib
import itertools
import json
import os
import sys
import time

try:
    import torch
except ImportError:
    print("compare-torch: torch is missing: pip install torch onnx2torch", file=sys.stderr)
    sys.exit(2)

#: Batches in flight between the host and a CUDA device, as gapless keeps them.
DEPTH = 3
WAYS = ["f32", "tf32", "half", "compiled"]


def from_package(name):
    """A network as a package of networks makes it."""
    package, name = name.split(".")
    try:
        module = importlib.import_module(package)
    except ImportError:
        print(f"compare-torch: {package} is missing: pip install {package}", file=sys.stderr)
        sys.exit(2)
    return module.create_model(name) if package == "timm" else module.models.get_model(name)


def from_file(path):
    try:
        import onnx
        from onnx import numpy_helper
        from onnx2torch import convert
    except ImportError as missing:
        print(f"compare-torch: {missing.name} is missing: pip install onnx onnx2torch", file=sys.stderr)
        sys.exit(2)
    model = onnx.load(path)
    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    # onnx2torch wants weights that stand in the file as they are: every cast of one is carried out.
    for node in [node for node in graph.node if node.op_type == "Cast" and node.input[0] in weights]:
        to = onnx.helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
        wide = numpy_helper.to_array(weights[node.input[0]]).astype(to)
        graph.initializer.append(numpy_helper.from_array(wide, node.output[0]))
        graph.node.remove(node)
    return convert(model)


def best_device():
    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        return "mps", "Metal"
    return "cpu", f"cpu, {torch.get_num_threads()} threads"


def finish(device):
    """Waits for what was queued: PyTorch returns before a GPU is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


class Way:
    """One way to run the network, from images as they lie in memory to its first output."""

    def __init__(self, name, network):
        self.name = name if name == "compiled" else f"eager {name}"
        self.tf32 = name == "tf32"
        self.dtype = torch.float16 if name == "half" else torch.float32
        network = copy.deepcopy(network).half() if name == "half" else network
        self.network = torch.compile(network) if name == "compiled" else network

    def __call__(self, images):
        if images.dtype == torch.uint8:
            planes = images.permute(0, 3, 1, 2).to(dtype=self.dtype, memory_format=torch.contiguous_format)
            images = (planes - 127.0) / 128.0
        result = self.network(images.to(self.dtype))
        return result[0] if isinstance(result, (tuple, list)) else result


class Slot:
    """Memory of one batch in flight to a CUDA device and back."""

    def __init__(self, images, results):
        self.up = torch.empty_like(images, pin_memory=True)
        self.down = torch.empty_like(results, device="cpu", pin_memory=True)
        self.done = torch.cuda.Event()

    def run(self, way, images):
        self.done.synchronize()
        self.up.copy_(images)
        self.down.copy_(way(self.up.to("cuda", non_blocking=True)), non_blocking=True)
        self.done.record()


def batches_a_second(step, device, seconds):
    """Of batches that take `seconds` together, after three that are not counted."""
    for _ in range(3):
        step()
    finish(device)
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or done < 3:
        step()
        done += 1
    finish(device)
    return done / (time.perf_counter() - start)


def rates(way, images, device, seconds):
    """Images a second from the host and back, and on the device alone."""
    allow_tf32(way.tf32)
    there = images.to(device)
    with torch.inference_mode():
        if device == "cuda":
            result = way(there)
            slots = itertools.cycle([Slot(images, result) for _ in range(DEPTH)])
            host = batches_a_second(lambda: next(slots).run(way, images), device, seconds)
        else:
            host = batches_a_second(lambda: way(images.to(device)).cpu(), device, seconds)
        alone = batches_a_second(lambda: way(there), device, seconds)
    return len(images) * host, len(images) * alone


def images_of(batch, network):
    """What gapless was measured with: bytes with the channels last, or floats."""
    if network.get("goes_up_as") == "bytes":
        return torch.randint(0, 256, (batch, *network["input"]), dtype=torch.uint8)
    return torch.randn(batch, *network["input"])


def why_not(way, network, device):
    """Why PyTorch cannot run it so, in a line: to compile it wants a C++ compiler, or Triton. None where it can."""
    if way.name in ("eager tf32", "eager half") and device != "cuda":
        return f"{way.name} is of CUDA, and this is {device}"
    allow_tf32(way.tf32)
    try:
        with torch.inference_mode():
            way(images_of(1, network).to(device))
    except Exception as error:
        return str(error).strip().splitlines()[0]
    return None


def parsed():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model")
    options.add_argument("measured", help="what measure --network --json wrote")
    options.add_argument("--batch", type=int, nargs="+")
    options.add_argument("--seconds", type=float, default=2.0, help="of each figure")
    options.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    options.add_argument("--package", help="a network of torchvision or timm in place of the file")
    options.add_argument("--json", help="writes the figures into this file as well")
    return options.parse_args()


def write(path, value):
    """A file that is whole whenever this is ended."""
    with open(f"{path}.new", "w") as file:
        json.dump(value, file, indent=2)
    os.replace(f"{path}.new", path)


def ratio(ours, theirs):
    return f"{ours / theirs:>6.2f}" if ours else f"{'-':>6}"


def main():
    options = parsed()
    with open(options.measured) as file:
        network = json.load(file)["network"]
    ours = {row["batch"]: row for row in network["batches"]}
    left_out = {row["batch"]: row["reason"] for row in network.get("left_out", [])}
    device, name = best_device()
    made = from_package(options.package) if options.package else from_file(options.model)
    made = made.eval().to(device)
    ways = []
    for way in [Way(word, made) for word in options.ways]:
        if reason := why_not(way, network, device):
            print(f"not run: {way.name}: {reason}")
        else:
            ways.append(way)
    print(f"gapless on {network['device']}, precision {network.get('precision')}; PyTorch {torch.__version__} on {name}")
    print(f"{'batch':>6} {'way':<12} {'host/s':>10} {'ratio':>6} {'device/s':>10} {'ratio':>6}")
    about = {"torch": torch.__version__, "kind": device, "device": name, "network": options.package or options.model}
    rows = []
    for batch in options.batch or sorted(ours | left_out):
        if batch in left_out:
            print(f"{batch:>6} left out: {left_out[batch]}")
            continue
        if batch not in ours:
            sys.exit(f"compare-torch: batch {batch} was not measured: {options.measured} has {sorted(ours)}")
        images = images_of(batch, network)
        for way in ways:
            host, alone = rates(way, images, device, options.seconds)
            rows.append({"way": way.name, "batch": batch, "items_per_second": host, "device_items_per_second": alone})
            ratios = ratio(ours[batch]["items_per_second"], host), ratio(ours[batch]["device_items_per_second"], alone)
            print(f"{batch:>6} {way.name:<12} {host:>10.1f} {ratios[0]} {alone:>10.1f} {ratios[1]}", flush=True)
            if options.json:
                write(options.json, about | {"rows": rows})


if __name__ == "__main__":
    main()
