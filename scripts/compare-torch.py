#!/usr/bin/env python3
"""Runs the same network in PyTorch, eager and compiled, on this machine, and prints the ratios.

    pip install torch onnx2torch
    cargo run --release --example measure -- --network models/efficientnet-lite0.onnx --json network.json
    python3 scripts/compare-torch.py models/efficientnet-lite0.onnx network.json [--batch 1 16 64 256] [--seconds 2]

The second file is what `measure --network` wrote, whose images a second are compared with PyTorch's: above 1
gapless is faster. Input, weights and precision (float32) are the same. A batch that measure left out has a line that
says why.
PyTorch runs on CUDA or Metal where it can, else on the CPU, and its line says so. Without PyTorch this ends with
status 2 and a sentence that says what is missing.
"""
import argparse
import json
import statistics
import sys
import time

try:
    import onnx
    import torch
    from onnx import numpy_helper
    from onnx2torch import convert
except ImportError as missing:
    print(f"compare-torch: {missing.name} is missing: pip install torch onnx2torch", file=sys.stderr)
    sys.exit(2)


def with_plain_weights(path):
    """The model with every cast of a weight carried out: onnx2torch wants weights that stand in the file as they are."""
    model = onnx.load(path)
    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in weights]
    for node in casts:
        to = onnx.helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
        wide = numpy_helper.to_array(weights[node.input[0]]).astype(to)
        graph.initializer.append(numpy_helper.from_array(wide, node.output[0]))
        graph.node.remove(node)
    return model


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


def why_not_compiled(network, shape, device):
    """Why PyTorch cannot compile here, in a line: it wants a C++ compiler, or Triton. None where it can."""
    try:
        with torch.inference_mode():
            torch.compile(network)(torch.zeros(1, *shape, device=device))
    except Exception as error:
        return str(error).strip().splitlines()[0]
    return None


def seconds_a_batch(network, images, device, seconds):
    """The median of runs that take `seconds` together, after three that are not counted."""
    taken = []
    with torch.inference_mode():
        for _ in range(3):
            network(images)
        finish(device)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(taken) < 3:
            start = time.perf_counter()
            network(images)
            finish(device)
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model")
    options.add_argument("measured", help="what measure --network --json wrote")
    options.add_argument("--batch", type=int, nargs="+")
    options.add_argument("--seconds", type=float, default=2.0)
    options = options.parse_args()
    with open(options.measured) as file:
        network = json.load(file)["network"]
    ours = {row["batch"]: row["items_per_second"] for row in network["batches"]}
    left_out = {row["batch"]: row["reason"] for row in network.get("left_out", [])}
    shape = network["input"]
    device, name = best_device()
    eager = convert(with_plain_weights(options.model)).eval().to(device)
    ways = {"eager": eager}
    if why_not := why_not_compiled(eager, shape, device):
        print(f"not compiled: {why_not}")
    else:
        ways["compiled"] = torch.compile(eager)
    print(f"gapless on {network['device']}; PyTorch {torch.__version__} on {name}")
    print(f"{'batch':>6} {'gapless/s':>10}" + "".join(f" {way + '/s':>10} {'ratio':>6}" for way in ways))
    for batch in options.batch or sorted(ours | left_out):
        if batch in left_out:
            print(f"{batch:>6} left out: {left_out[batch]}")
            continue
        if batch not in ours:
            sys.exit(f"compare-torch: batch {batch} was not measured: {options.measured} has {sorted(ours)}")
        images = torch.randn(batch, *shape, device=device)
        rates = [batch / seconds_a_batch(run, images, device, options.seconds) for run in ways.values()]
        print(f"{batch:>6} {ours[batch]:>10.1f}" + "".join(f" {rate:>10.1f} {ours[batch] / rate:>6.2f}" for rate in rates))


if __name__ == "__main__":
    main()
