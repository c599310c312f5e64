"""The trained encoder as an ONNX graph: 8-bit weights in blocks of 32, 32-bit arithmetic.

Written node by node with :mod:`onnx`, because the graph is small and its file must be the same whatever
version of torch trained it. Weights become ``MatMulNBits`` (block-wise, symmetric around 128): dynamic int8
would be twice as fast, but moves single probabilities by up to .64; four bits cost too much after
fine-tuning. Input ``embedded`` [batch, time, hidden] (rows of the table plus positions), ``mask``
[batch, time]; output ``logits`` [batch, labels].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BITS = 8
BLOCK = 32
Array = np.ndarray[Any, Any]


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """``x @ weight.T + bias`` with ``weight`` [out, in] quantised by blocks along ``in``."""
        rows, columns = weight.shape
        blocks, scales = quantised(weight)
        inputs = [x, self.constant(f"{name}.q", blocks), self.constant(f"{name}.s", scales)]
        y = self.node(
            "MatMulNBits", inputs, f"{name}.m", "com.microsoft",
            K=columns, N=rows, bits=BITS, block_size=BLOCK, accuracy_level=1,
        )  # fmt: skip
        return self.node("Add", [y, self.constant(f"{name}.b", bias)], f"{name}.y")

    def norm(self, x: str, name: str, scale: Array, bias: Array, epsilon: float) -> str:
        inputs = [x, self.constant(f"{name}.w", scale), self.constant(f"{name}.b", bias)]
        return self.node("LayerNormalization", inputs, f"{name}.y", axis=-1, epsilon=epsilon)


def quantised(weight: Array) -> tuple[Array, Array]:
    """uint8 blocks [rows, blocks, 32] around 128 and float32 scales [rows * blocks]."""
    rows, columns = weight.shape
    parts = weight.astype(np.float32).reshape(rows, columns // BLOCK, BLOCK)
    scales = np.maximum(np.abs(parts).max(axis=2), 1e-8) / 127.0
    values = np.clip(np.rint(parts / scales[..., None]) + 128, 0, 255).astype(np.uint8)
    return values, scales.astype(np.float32).reshape(-1)


def build(state: Mapping[str, Array], layers: int, heads: int, epsilon: float) -> bytes:
    """The model file for a state dictionary of :class:`~checker.reader.network.Encoder`."""
    g = _Graph()
    hidden = state["norm.weight"].shape[0]
    size = hidden // heads
    split = g.constant("split", np.asarray([0, 0, heads, size], dtype=np.int64))
    merged = g.constant("merged", np.asarray([0, 0, hidden], dtype=np.int64))
    root = g.constant("root", np.asarray(1.0 / size**0.5, dtype=np.float32))
    axes = g.constant("axes", np.asarray([1, 2], dtype=np.int64))
    tail = g.constant("tail", np.asarray([2], dtype=np.int64))
    one = g.constant("one", np.asarray(1.0, dtype=np.float32))
    far = g.constant("far", np.asarray(1e4, dtype=np.float32))
    wide = g.node("Unsqueeze", ["mask", axes], "wide")
    bias = g.node("Mul", [g.node("Sub", [wide, one], "wide.0"), far], "bias")
    x = g.norm("embedded", "norm", state["norm.weight"], state["norm.bias"], epsilon)
    for n in range(layers):

        def part(name: str, source: str, n: int = n) -> str:
            key = f"layers.{n}.{name}"
            return g.linear(source, key, state[f"{key}.weight"], state[f"{key}.bias"])

        def normed(name: str, source: str, n: int = n) -> str:
            key = f"layers.{n}.{name}"
            return g.norm(source, key, state[f"{key}.weight"], state[f"{key}.bias"], epsilon)

        q, k, v = (g.node("Reshape", [part(p, x), split], f"{n}.{p}4") for p in "qkv")
        q = g.node("Mul", [g.node("Transpose", [q], f"{n}.qt", perm=[0, 2, 1, 3]), root], f"{n}.qs")
        k = g.node("Transpose", [k], f"{n}.kt", perm=[0, 2, 3, 1])
        v = g.node("Transpose", [v], f"{n}.vt", perm=[0, 2, 1, 3])
        scores = g.node("Add", [g.node("MatMul", [q, k], f"{n}.qk"), bias], f"{n}.scores")
        mixed = g.node("MatMul", [g.node("Softmax", [scores], f"{n}.soft", axis=-1), v], f"{n}.mixed")
        back = g.node("Reshape", [g.node("Transpose", [mixed], f"{n}.mt", perm=[0, 2, 1, 3]), merged], f"{n}.flat")
        x = normed("aln", g.node("Add", [x, part("ao", back)], f"{n}.a"))
        inner = g.node("Gelu", [part("fi", x)], f"{n}.gelu")
        x = normed("oln", g.node("Add", [x, part("fo", inner)], f"{n}.o"))
    weight = g.node("Unsqueeze", ["mask", tail], "weight")
    first = g.constant("first", np.asarray([1], dtype=np.int64))
    summed = g.node("ReduceSum", [g.node("Mul", [x, weight], "weighed"), first], "summed", keepdims=0)
    count = g.node("ReduceSum", [weight, first], "count", keepdims=0)
    mean = g.node("Div", [summed, count], "mean")
    head = g.constant("head.w", state["head.weight"].T)
    g.node("Gemm", [mean, head, g.constant("head.b", state["head.bias"])], "logits")
    labels = state["head.bias"].shape[0]
    graph = helper.make_graph(
        g.nodes,
        "second-reader",
        [
            helper.make_tensor_value_info("embedded", TensorProto.FLOAT, ["batch", "time", hidden]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", "time"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])],
        g.constants,
    )
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10, producer_name="intervention-checker")
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
