"""Proves the decoders of JPEG and GIF against Pillow: both decode files of every legal layout to the same pixels.

    python scripts/photo_peer.py PROGRAM FIRST COUNT [--save FOLDER]

PROGRAM is `jpegs` or `gifs` of tests/photos; FIRST and COUNT say which seeds. Files that fail are saved to FOLDER by
their seed. All frames are compared, and are the same to the last bit.
Fails where any file gives other pixels, or more than 1 % are refused that Pillow decodes.
Needs numpy and Pillow with libjpeg-turbo.
"""

import argparse
import io
import struct
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, ImageSequence

OUTCOMES = ["right", "wrong", "refused here", "refused by both", "only here"]


class Record:
    """One file of the stream, and what gapless made of it: pixels or an error."""

    def __init__(self, stream, seed):
        self.seed = seed
        self.description = text(stream).decode()
        self.kind = text(stream).decode()
        self.file = text(stream)
        self.pictures = self.error = None
        if exactly(stream, 1) == b"\0":
            count, = struct.unpack("<I", exactly(stream, 4))
            self.pictures = [picture(stream) for _ in range(count)]
        else:
            self.error = text(stream).decode()


def picture(stream):
    height, width = struct.unpack("<II", exactly(stream, 8))
    return np.frombuffer(exactly(stream, height * width * 3), np.uint8).reshape(height, width, 3)


def exactly(stream, size):
    data = stream.read(size)
    if len(data) != size:
        sys.exit("The stream ends in the middle of a record.")
    return data


def text(stream):
    size, = struct.unpack("<I", exactly(stream, 4))
    return exactly(stream, size)


def records(program, first, count):
    with subprocess.Popen([program, str(first), str(count)], stdout=subprocess.PIPE) as running:
        for seed in range(first, first + count):
            yield Record(running.stdout, seed)


def peer(file):
    """The pictures that Pillow gives, as their notes say that they stand, or `None` where it refuses the file."""
    try:
        with Image.open(io.BytesIO(file)) as image:
            return [np.asarray(ImageOps.exif_transpose(frame).convert("RGB")) for frame in ImageSequence.Iterator(image)]
    except Exception:  # Pillow has no error of its own for what it cannot read.
        return None


def difference(one, other):
    """How far apart two pictures are: the most and the mean; without end where their sizes differ."""
    if one.shape != other.shape:
        return float("inf"), float("inf")
    apart = np.abs(one.astype(np.int16) - other)
    return int(apart.max()), float(apart.mean())


def outcome(record, theirs):
    """Which of OUTCOMES a file has, and what there is to say about it."""
    if record.error is not None:
        if record.error.startswith("PANIC"):
            return "wrong", record.error
        return ("refused by both", "") if theirs is None else ("refused here", record.error)
    if theirs is None:
        return "only here", ""
    if len(record.pictures) != len(theirs):
        return "wrong", f"{len(record.pictures)} pictures are not {len(theirs)}"
    for place, (ours, other) in enumerate(zip(record.pictures, theirs)):
        said = wrong(record, ours, other)
        if said:
            return "wrong", f"picture {place}: {said}"
    return "right", ""


def wrong(record, ours, theirs):
    """What is wrong with a picture; nothing, where it is right."""
    if ours.shape != theirs.shape:
        return f"{ours.shape} is not {theirs.shape}"
    most, mean = difference(ours, theirs)
    return "" if most == 0 else f"max {most} mean {mean:.2f}"


def ending(file):
    return "gif" if file.startswith(b"GIF") else "jpg"


def print_table(kinds):
    total = Counter()
    print("".join(f"{name:>16}" for name in OUTCOMES) + "  kind")
    for kind, counts in sorted(kinds.items()):
        total += counts
        print("".join(f"{counts[name] or '':>16}" for name in OUTCOMES) + f"  {kind}")
    print("".join(f"{total[name]:>16}" for name in OUTCOMES) + "  all")
    return total


def print_examples(title, failed, most):
    for said, record in failed[:most]:
        print(f"{title}: seed {record.seed}, {said}, {record.kind}: {record.description}")


def main(program, first, count, folder):
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    kinds, refusals, wrong = defaultdict(Counter), defaultdict(list), []
    for record in records(program, first, count):
        name, said = outcome(record, peer(record.file))
        kinds[record.kind][name] += 1
        if name == "wrong":
            wrong.append((said, record))
        elif name == "refused here":
            refusals[said].append((said, record))
        else:
            continue
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{record.seed}.{ending(record.file)}").write_bytes(record.file)
    total = print_table(kinds)
    print_examples("wrong", wrong, 10)
    for said, refused in sorted(refusals.items(), key=lambda entry: -len(entry[1])):
        print(f"refused here, {len(refused)} times: {said}")
        print_examples("refused here", refused, 5)
    return int(total["wrong"] > 0 or total["refused here"] > count / 100)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("first", type=int)
    arguments.add_argument("count", type=int)
    arguments.add_argument("--save", type=Path, metavar="FOLDER")
    given = arguments.parse_args()
    sys.exit(main(given.program, given.first, given.count, given.save))
