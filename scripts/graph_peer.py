"""Random small networks through `infer`, beside ONNX Runtime.

    python3 scripts/graph_peer.py target/testing/examples/infer target/graphs FIRST COUNT

Each network has one to five operators over random shapes; the batch is an open axis that stands first, second or
nowhere. What `infer` gives for three items must be what ONNX Runtime gives, in the file's layout, or the network is
refused. Nothing may be wrong without a word, and at least 80 in 100 of those that need not be refused must be right.
"""

import collections
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ITEMS = 3
KINDS = {np.dtype("float32"): TensorProto.FLOAT, np.dtype("int64"): TensorProto.INT64, np.dtype("bool"): TensorProto.BOOL,
         np.dtype("int32"): TensorProto.INT32, np.dtype("uint8"): TensorProto.UINT8, np.dtype("int8"): TensorProto.INT8}
UNARY = "Abs Neg Relu Sigmoid Tanh Exp Erf Softplus LeakyRelu Elu HardSigmoid Floor Ceil Round Sign Identity Gelu HardSwish".split()
BINARY = "Add Sub Mul Div Min Max".split()
COMPARE = "Equal Less Greater LessOrEqual GreaterOrEqual".split()
REDUCE = "ReduceSum ReduceMean ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceProd ReduceSumSquare".split()


class Network:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.nodes, self.constants, self.values = [], [], {}
        self.inputs = []
        self.has_batch = False
        where = self.random.choices([0, 1, None], [7, 2, 1])[0]
        for name in ["x", "z"][: self.random.choice([1, 1, 2])]:
            self.input(name, where)

    def input(self, name, where):
        shape = [self.random.randint(1, 5) for _ in range(self.random.randint(2, 4))]
        dims = list(shape)
        if where is not None:
            shape[where], dims[where] = ITEMS, "batch" if where else "n"
            self.has_batch = True
        whole = self.random.random() < 0.15
        array = self.numbers.integers(-5, 6, shape) if whole else self.numbers.normal(0, 1, shape).astype("float32")
        self.values[name] = array
        self.inputs.append(helper.make_tensor_value_info(name, KINDS[array.dtype], dims))

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def model(self, output, nodes):
        kind = KINDS[self.values[output].dtype] if output in self.values else TensorProto.UNDEFINED
        outputs = [helper.make_tensor_value_info(output, kind, None)] if kind else [helper.make_empty_tensor_value_info(output)]
        graph = helper.make_graph(nodes, "random", self.inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)

    def run(self, output, nodes):
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(self.model(output, nodes).SerializeToString(), options)
        return session.run(None, {value.name: self.values[value.name] for value in self.inputs})[0]

    def add(self):
        """One more node, if ONNX Runtime runs it."""
        choose, known, before = self.random.choice, len(self.constants), len(self.nodes)
        name = choose(list(self.values))
        x = self.values[name]
        other = choose(list(self.values))
        output = f"v{len(self.values)}"
        try:
            operator, inputs, attributes = choose(MAKERS)(self, name, x, other)
            if "MaxPool" in operator and np.isnan(x).any():
                raise ValueError("what the runtime gives then depends on where NaN stands")
            node = helper.make_node(operator, inputs, [output], **attributes)
            given = self.run(output, self.nodes + [node])
            if given.dtype not in KINDS or given.size > 4096 or given.size == 0:
                raise ValueError("another kind, or too large")
        except Exception:  # The runtime refuses it, so it is no network.
            del self.constants[known:], self.nodes[before:]
            return
        self.nodes.append(node)
        self.values[output] = given


def axis(net, x):
    return net.random.randrange(-x.ndim, x.ndim) if x.ndim else 0


def some_shape(net, x):
    """A shape that may be broadcast with this one."""
    shape = [net.random.choice([1, length]) for length in x.shape]
    return shape[net.random.randint(0, len(shape)):]


def like(net, x, shape):
    if x.dtype == bool:
        return net.numbers.integers(0, 2, shape).astype(bool)
    if x.dtype.kind in "iu":
        return net.numbers.integers(1, 5, shape).astype(x.dtype)
    return net.numbers.normal(0, 1, shape).astype("float32")


def partner(net, name, x, other):
    if net.random.random() < 0.5:
        return other
    return net.constant(like(net, x, some_shape(net, x)))


def target(net, name, x):
    """A shape to see it in: fixed, with 0 and -1, or computed from its own."""
    lengths = list(x.shape)
    # One value has no axis whose length could be taken.
    kind = net.random.randrange(4 if lengths else 3)
    if kind == 0:
        return net.constant(np.array([-1] + lengths[-1:], dtype="int64"))
    if kind == 1:
        return net.constant(np.array([0] * (x.ndim - 1) + [-1], dtype="int64"))
    if kind == 2:
        net.random.shuffle(lengths)
        return net.constant(np.array(lengths, dtype="int64"))
    shape, first = f"s{len(net.nodes)}", f"f{len(net.nodes)}"
    whole = f"w{len(net.nodes)}"
    net.nodes += [
        helper.make_node("Shape", [name], [shape]),
        helper.make_node("Gather", [shape, net.constant(np.array([net.random.randrange(x.ndim)], dtype="int64"))], [first]),
        helper.make_node("Concat", [first, net.constant(np.array([-1], dtype="int64"))], [whole], axis=0),
    ]
    return whole


def attention(net, name, x):
    """Rows that attend to each other, with a mask, a scale, or heads side by side."""
    attributes = {}
    if x.ndim == 3:
        heads = net.random.choice([count for count in range(1, x.shape[2] + 1) if x.shape[2] % count == 0])
        attributes = {"q_num_heads": heads, "kv_num_heads": heads}
    if net.random.random() < 0.5:
        attributes["scale"] = net.random.choice([0.5, 1.0, 2.0])
    if net.random.random() < 0.3:
        attributes["is_causal"] = 1
    if net.random.random() < 0.3:
        attributes["softcap"] = net.random.choice([0.5, 3.0])
    inputs = [name, name, name]
    if x.ndim > 2 and net.random.random() < 0.5:
        rows = x.shape[-2]
        flags = net.random.random() < 0.5
        mask = net.numbers.integers(0, 2, [rows, rows]).astype(bool) if flags else like(net, x, [rows, rows])
        if flags:
            # A row that sees nothing is another matter.
            mask[:, 0] = True
        inputs.append(net.constant(mask))
    return "Attention", inputs, attributes


def quantised(net, name, x):
    """To whole numbers of 8 bits, or from such, by one scale or one for each place of an axis."""
    along = net.random.randrange(x.ndim) if x.ndim and net.random.random() < 0.4 else None
    shape = [] if along is None else [x.shape[along]]
    scale = net.numbers.choice(np.array([0.02, 0.1, 0.25, 0.5, 1.0], "float32"), shape).astype("float32")
    attributes = {} if along is None else {"axis": along}
    whole = x.dtype if x.dtype in (np.uint8, np.int8) else np.dtype(net.random.choice(["uint8", "int8"]))
    low = 0 if whole == np.uint8 else -128
    zero = net.numbers.integers(low, low + 256, shape).astype(whole)
    operator = "DequantizeLinear" if x.dtype == whole else "QuantizeLinear"
    return operator, [name, net.constant(scale), net.constant(zero)], attributes


def places(net, shape, length):
    return net.constant(net.numbers.integers(-length, length, shape))


def by_largest(net, name, x):
    """Looked up, or compared, by where the largest value stands."""
    along = axis(net, x) % max(x.ndim, 1)
    largest = f"m{len(net.nodes)}"
    hot = net.random.random() < 0.5
    net.nodes.append(helper.make_node("ArgMax", [name], [largest], axis=along, keepdims=0 if hot else 1))
    if not hot:
        return "GatherElements", [name, largest], {"axis": along}
    values = net.constant(like(net, x, [2]))
    return "OneHot", [largest, net.constant(np.array(net.random.randint(1, 5), dtype="int64")), values], {"axis": net.random.randint(-1, x.ndim - 1)}


def looked_up(net, name, x):
    batch = net.random.randint(0, max(x.ndim - 1, 0))
    depth = net.random.randint(1, max(x.ndim - batch, 1))
    most = min(x.shape[batch: batch + depth], default=1)
    return "GatherND", [name, places(net, list(x.shape[:batch]) + [2, depth], most)], {"batch_dims": batch}


def scattered(net, name, x):
    if net.random.random() < 0.5:
        along = axis(net, x) % max(x.ndim, 1)
        shape = [net.random.randint(1, length) for length in x.shape]
        shape[along] = 1
        return "ScatterElements", [name, places(net, shape, x.shape[along]), net.constant(like(net, x, shape))], {"axis": along}
    depth = net.random.randint(1, max(x.ndim, 1))
    row = net.numbers.integers(0, min(x.shape[:depth], default=1), [1, depth])
    return "ScatterND", [name, net.constant(row), net.constant(like(net, x, [1] + list(x.shape[depth:])))], {}


def einsum(net, name, x):
    own = "abcdefgh"[: x.ndim]
    lengths = dict(zip(own, x.shape))
    terms, inputs = [own], [name]
    if net.random.random() < 0.8:
        lengths["z"] = net.random.randint(1, 3)
        labels = net.random.sample(list(lengths), net.random.randint(1, len(lengths)))
        terms.append("".join(labels))
        inputs.append(net.constant(like(net, x, [lengths[label] for label in labels])))
    known = sorted(set("".join(terms)))
    given = "".join(net.random.sample(known, net.random.randint(1, len(known))))
    return "Einsum", inputs, {"equation": ",".join(terms) + "->" + given}


def of_bytes(net, name, x):
    """Products and convolutions of whole numbers of 8 bits."""
    if x.dtype not in (np.uint8, np.int8) or x.ndim < 2:
        return "QuantizeLinear", [name, net.constant(np.float32(0.05)), net.constant(np.array(3, net.random.choice(["uint8", "int8"])))], {}
    whole = np.dtype(net.random.choice(["uint8", "int8"]))
    low = 0 if whole == np.uint8 else -128
    conv = x.ndim in (3, 4) and net.random.random() < 0.5
    shape = [2, x.shape[1]] + [1] * (x.ndim - 2) if conv else [x.shape[-1], net.random.randint(1, 4)]
    weight = net.constant(net.numbers.integers(low, low + 256, shape).astype(whole))
    zeros = [net.constant(np.array(5, x.dtype)), net.constant(np.array(low + 128, whole))]
    if net.random.random() < 0.5:
        return "ConvInteger" if conv else "MatMulInteger", [name, weight] + zeros, {}
    scales = [net.constant(np.float32(scale)) for scale in (0.05, 0.02, 0.4)]
    inputs = [name, scales[0], zeros[0], weight, scales[1], zeros[1], scales[2], net.constant(np.array(7, x.dtype))]
    return "QLinearConv" if conv else "QLinearMatMul", inputs, {}


MAKERS = [
    lambda n, name, x, o: of_bytes(n, name, x),
    lambda n, name, x, o: by_largest(n, name, x),
    lambda n, name, x, o: looked_up(n, name, x),
    lambda n, name, x, o: scattered(n, name, x),
    lambda n, name, x, o: einsum(n, name, x),
    lambda n, name, x, o: ("Trilu", [name, n.constant(np.array(n.random.randint(-2, 2), dtype="int64"))], {"upper": n.random.randint(0, 1)}),
    lambda n, name, x, o: quantised(n, name, x),
    lambda n, name, x, o: attention(n, name, x),
    lambda n, name, x, o: (n.random.choice(UNARY), [name], {}),
    lambda n, name, x, o: (n.random.choice(BINARY), n.random.sample([name, partner(n, name, x, o)], 2), {}),
    lambda n, name, x, o: (n.random.choice(BINARY), [name, partner(n, name, x, o)], {}),
    lambda n, name, x, o: (n.random.choice(COMPARE), [name, partner(n, name, x, o)], {}),
    lambda n, name, x, o: (n.random.choice(["Softmax", "LogSoftmax"]), [name], {"axis": axis(n, x)}),
    lambda n, name, x, o: (
        n.random.choice(REDUCE),
        [name, n.constant(np.array(sorted({axis(n, x) % max(x.ndim, 1) for _ in range(n.random.randint(1, 2))}), dtype="int64"))],
        {"keepdims": n.random.randint(0, 1)},
    ),
    lambda n, name, x, o: (n.random.choice(["ArgMax", "ArgMin"]), [name], {"axis": axis(n, x), "keepdims": n.random.randint(0, 1)}),
    lambda n, name, x, o: ("Transpose", [name], {"perm": n.random.sample(range(x.ndim), x.ndim)}),
    lambda n, name, x, o: ("Reshape", [name, target(n, name, x)], {}),
    lambda n, name, x, o: ("Flatten", [name], {"axis": n.random.randint(0, x.ndim)}),
    lambda n, name, x, o: ("Unsqueeze", [name, n.constant(np.array([n.random.randint(0, x.ndim)], dtype="int64"))], {}),
    lambda n, name, x, o: ("Squeeze", [name], {}),
    lambda n, name, x, o: (
        "Slice",
        [name] + [n.constant(np.array([value], dtype="int64")) for value in
                  (n.random.choice([0, 0, 1, -1]), n.random.choice([1, 2, 2**63 - 1]), axis(n, x), n.random.choice([1, 1, 2]))],
        {},
    ),
    lambda n, name, x, o: ("Concat", [name, n.random.choice([name, o, n.constant(like(n, x, x.shape))])], {"axis": axis(n, x)}),
    lambda n, name, x, o: ("Gather", [name, n.constant(n.numbers.integers(0, 2, [1, 2][: n.random.randint(0, 2)]))], {"axis": axis(n, x)}),
    lambda n, name, x, o: ("MatMul", [name, n.constant(like(n, x, [x.shape[-1] if x.ndim else 1, n.random.randint(1, 4)]))], {}),
    lambda n, name, x, o: ("MatMul", [name, o], {}),
    lambda n, name, x, o: ("Gemm", [name, n.constant(like(n, x, [n.random.randint(1, 4), x.shape[-1] if x.ndim else 1]))], {"transB": 1}),
    lambda n, name, x, o: ("LayerNormalization", [name, n.constant(like(n, x, x.shape[-1:]))], {"axis": -1}),
    lambda n, name, x, o: ("Conv", [name, n.constant(like(n, x, [2, x.shape[1] if x.ndim > 1 else 1] + [n.random.randint(1, 2)] * (x.ndim - 2)))], {}),
    lambda n, name, x, o: (n.random.choice(["GlobalAveragePool", "GlobalMaxPool"]), [name], {}),
    lambda n, name, x, o: ("MaxPool", [name], {"kernel_shape": [n.random.randint(1, 2)] * (x.ndim - 2)}),
    lambda n, name, x, o: ("Cast", [name], {"to": n.random.choice([1, 6, 7, 9, 2, 3])}),
    lambda n, name, x, o: ("Clip", [name, n.constant(like(n, x, []))], {}),
    lambda n, name, x, o: ("Where", [n.constant(n.numbers.integers(0, 2, some_shape(n, x)).astype(bool)), name, partner(n, name, x, o)], {}),
    lambda n, name, x, o: ("Expand", [name, n.constant(np.array([2] + [1] * x.ndim, dtype="int64"))], {}),
    lambda n, name, x, o: ("Tile", [name, n.constant(n.numbers.integers(1, 3, [x.ndim]))], {}),
    lambda n, name, x, o: ("Pad", [name, n.constant(n.numbers.integers(0, 2, [2 * x.ndim]))], {}),
    lambda n, name, x, o: ("Mod", [name, n.constant(like(n, x, some_shape(n, x)))], {"fmod": int(x.dtype.kind == "f")}),
    lambda n, name, x, o: ("IsNaN", [name], {}),
    lambda n, name, x, o: ("Not", [name], {}),
    lambda n, name, x, o: (
        "CumSum",
        [name, n.constant(np.array(axis(n, x), dtype="int64"))],
        {"exclusive": n.random.randint(0, 1), "reverse": n.random.randint(0, 1)},
    ),
]


def outcome(infer, folder, seed):
    """right, refused and why, or wrong and how."""
    net = Network(seed)
    for _ in range(net.random.randint(1, 5) * 2):
        if len(net.values) - len(net.inputs) < 5:
            net.add()
    if not net.nodes:
        return "none", ""
    output = list(net.values)[-1]
    if output in {value.name for value in net.inputs}:
        return "none", ""
    place = os.path.join(folder, str(seed))
    os.makedirs(place, exist_ok=True)
    onnx.save(net.model(output, net.nodes), f"{place}/model.onnx")
    arguments = [infer, f"{place}/model.onnx", "--device", os.environ.get("GAPLESS_DEVICE", "cpu"), "--output", f"{output}={place}/out.npy"]
    for value in net.inputs:
        np.save(f"{place}/{value.name}.npy", net.values[value.name])
        arguments += ["--input", f"{value.name}={place}/{value.name}.npy"]
    ran = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    operators = " ".join(node.op_type for node in net.nodes)
    if ran.returncode == 1:
        message = ran.stderr.strip()
        meets = "is not a batch of items on their own" in message
        unknown = "operators are not supported" in message
        return "meets" if meets else "unknown" if unknown else "refused", message
    if ran.returncode != 0:
        return "wrong", f"seed {seed} ended with {ran.returncode}: {operators}: {ran.stderr.strip()}"
    given, wanted = np.load(f"{place}/out.npy"), net.values[output].astype("float64")
    same = given.shape == wanted.shape and np.allclose(given, wanted, rtol=1e-3, atol=1e-4, equal_nan=True)
    if same:
        for file in os.listdir(place):
            os.remove(f"{place}/{file}")
        os.rmdir(place)
        return "right", ""
    return "wrong", f"seed {seed}: {operators}: {given.shape} {given.ravel()[:4]}, and {wanted.shape} {wanted.ravel()[:4]} is right"


def reason(message):
    """What is refused, without what it is refused for."""
    message = message.split(", so the ")[0]
    return re.sub(r'"[^"]*"|\[[^\]]*\]|\d+', "…", message)[-90:]


def main():
    infer, folder, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    os.makedirs(folder, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda seed: outcome(infer, folder, seed), range(first, first + count)))
    counts = collections.Counter(kind for kind, _ in outcomes)
    reasons = collections.Counter(reason(text) for kind, text in outcomes if kind in ("refused", "meets", "unknown"))
    for text, times in reasons.most_common(25):
        print(f"refused {times} times: {text}")
    wrong = [text for kind, text in outcomes if kind == "wrong"]
    for text in wrong[:20]:
        print(f"WRONG: {text}")
    print(
        f"{counts['right']} right, {len(wrong)} wrong, {counts['meets']} refused since items meet, {counts['unknown']} with "
        f"unknown operators, {counts['refused']} refused otherwise, of {count}; {counts['none']} had no operator"
    )
    few = counts["right"] < 0.8 * (counts["right"] + counts["refused"])
    sys.exit(bool(wrong) or few)


main()
