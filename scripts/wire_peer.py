"""Proves the wire against DocArray itself: each side reads what the other writes, all fields equal.

    python scripts/wire_peer.py PROGRAM FOLDER

PROGRAM is the example `wire`. In FOLDER files are made and read, for every compression both know.
Needs docarray==0.21.0, numpy, protobuf and lz4.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from docarray import Document, DocumentArray
from docarray.score import NamedScore

COMPRESSIONS = ["", ".gzip", ".zlib", ".lz4"]

# What gapless calls the numbers of a tensor.
KINDS = {"u1": "u8", "i1": "i8", "u2": "u16", "i2": "i16", "u4": "u32", "i4": "i32", "u8": "u64", "i8": "i64",
         "f4": "f32", "f8": "f64"}
DTYPES = {kind: np.dtype(dtype) for dtype, kind in KINDS.items()}


def score(value, **fields):
    made = NamedScore()
    made.value = value
    for name, field in fields.items():
        setattr(made, name, field)
    return made


def documents():
    """Documents with every field that the wire has, and every kind of number."""
    random = np.random.default_rng(7)
    docs = DocumentArray([
        Document(),
        Document(text="a text, with ümlauts and 漢字", uri="somewhere/else.txt", mime_type="text/plain"),
        Document(blob=bytes(range(256)) * 9, uri="b.bin", weight=0.25, modality="image"),
        Document(tags={"a": 1, "b": [1.5, None, {"c": True, "d": "x"}], "e": {"f": {"g": []}}, "h": False, "": -0.5}),
        Document(location=[1.0, 2.5, 64.0, 64.0], offset=3.5, granularity=2, adjacency=1, parent_id="p" * 32),
        Document(chunks=[Document(text=f"chunk {n}", chunks=[Document(blob=b"deep")]) for n in range(3)],
                 matches=[Document(text="match", adjacency=1)]),
        Document(tensor=np.zeros((0, 3), np.float32)),
        Document(tensor=np.array(5.5, np.float64)),
        Document(text="long " * 100_000),
    ])
    for dtype in KINDS:
        numbers = (random.standard_normal((3, 4, 5)) * 50).astype(np.dtype(dtype))
        docs.append(Document(tensor=numbers, embedding=random.random(8).astype("f4")))
    docs.append(Document(tensor=np.array([1, -2, 300], ">i4"), embedding=random.random(5)))
    docs.append(Document(tensor=np.asfortranarray(random.random((3, 4)).astype("f4"))))
    docs.append(Document(tensor=np.array([np.nan, np.inf, -np.inf, 1e-45], "f4")))
    scored = Document(text="scored")
    scored.scores["cosine"] = score(0.5, op_name="cos", description="how near", ref_id="r")
    scored.evaluations["recall"] = score(0.75)
    scored._metadata = {"made_by": "wire_peer"}
    docs.append(scored)
    return docs


def same(one, other, what):
    assert one == other, f"{what}: {one!r} is not {other!r}"


def same_array(one, other, what):
    if one is None or other is None:
        return same(one is None, other is None, what)
    same(one.dtype.newbyteorder("="), other.dtype.newbyteorder("="), f"{what}: dtype")
    same(one.shape, other.shape, f"{what}: shape")
    assert one.tobytes() == other.astype(one.dtype).tobytes(), f"{what}: numbers"


def same_scores(one, other, what):
    fields = ["value", "op_name", "description", "ref_id"]
    flat = lambda scores: {name: [getattr(s, f) or (0.0 if f == "value" else "") for f in fields] for name, s in scores.items()}
    same(flat(one), flat(other), what)


def same_document(one, other, what):
    for field in ["id", "blob", "text", "granularity", "adjacency", "parent_id", "weight", "uri", "modality",
                  "mime_type", "offset", "location", "tags", "_metadata"]:
        empty = lambda value: value if value else None
        same(empty(getattr(one, field)), empty(getattr(other, field)), f"{what}.{field}")
    for field in ["tensor", "embedding"]:
        same_array(getattr(one, field), getattr(other, field), f"{what}.{field}")
    for field in ["scores", "evaluations"]:
        same_scores(getattr(one, field), getattr(other, field), f"{what}.{field}")
    for field in ["chunks", "matches"]:
        same_documents(getattr(one, field), getattr(other, field), f"{what}.{field}")


def same_documents(one, other, what):
    same(len(one), len(other), f"{what}: number of documents")
    for place, (a, b) in enumerate(zip(one, other)):
        same_document(a, b, f"{what}[{place}]")


def number(value):
    return float(value.replace("Infinity", "inf")) if isinstance(value, str) else value


def array_of(value):
    numbers = [number(n) for n in value["data"]]
    return np.array(numbers, DTYPES[value["dtype"]]).reshape(value["shape"])


def document_of(fields):
    """The document of a line that gapless printed."""
    doc = Document(id=fields["id"])
    for name in ["uri", "text", "granularity", "adjacency", "parent_id", "weight", "modality", "mime_type", "offset",
                 "location", "tags", "_metadata"]:
        if name in fields:
            setattr(doc, name, fields[name])
    if "blob" in fields:
        doc.blob = base64.b64decode(fields["blob"])
    for name in ["tensor", "embedding"]:
        if name in fields:
            setattr(doc, name, array_of(fields[name]))
    for name in ["scores", "evaluations"]:
        for key, value in fields.get(name, {}).items():
            getattr(doc, name)[key] = score(**value)
    for name in ["chunks", "matches"]:
        if name in fields:
            setattr(doc, name, DocumentArray(document_of(inner) for inner in fields[name]))
    return doc


def with_parents(docs):
    """As DocArray itself sets parents and depth when chunks are attached."""
    return DocumentArray.from_bytes(docs.to_bytes(protocol="protobuf"), protocol="protobuf")


def main(program, folder):
    folder.mkdir(parents=True, exist_ok=True)
    docs = with_parents(documents())
    for ending in COMPRESSIONS:
        theirs, ours = folder / f"theirs.protobuf{ending}", folder / f"ours.protobuf{ending}"
        docs.save_binary(str(theirs), protocol="protobuf")
        lines = subprocess.run([program, "read", theirs], check=True, capture_output=True).stdout
        seen = DocumentArray(document_of(json.loads(line)) for line in lines.splitlines())
        same_documents(docs, seen, f"what gapless sees of {theirs.name}")
        subprocess.run([program, "write", ours], check=True, input=lines)
        back = DocumentArray.load_binary(str(ours), protocol="protobuf")
        same_documents(docs, back, f"what DocArray sees of {ours.name}")
        streamed = DocumentArray(DocumentArray.load_binary(str(ours), protocol="protobuf", streaming=True))
        same_documents(docs, streamed, f"what DocArray streams of {ours.name}")
        print(f"{theirs.name}: {len(docs)} documents, all fields equal both ways")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
