"""Real networks through `infer`, beside ONNX Runtime.

    python3 scripts/zoo --ten             ten networks that cover much and are made fast, in every run of the tests
    python3 scripts/zoo                   all: made where they are missing, and run where this program has not run them
    python3 scripts/zoo --only vit gpt2   these entries, again; --only vit.older17 one file
    python3 scripts/zoo --list            the files, and which of them are in the list of those that are right
    python3 scripts/zoo --keep            the same as without, and the list becomes what is right now

Architectures of torchvision, transformers, timm and Ultralytics with random weights, by both exporters of PyTorch,
their variants in other precisions, and trained networks that stand in packages. A file is right, refused with a
reason, or a fault: wrong, a crash, a hang, or in the list `right.txt` and not right. A fault makes the status 1.
Everything is kept under target/zoo, and the environment is there too.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environment
import files
import results
import table


def chosen(options: argparse.Namespace) -> list[files.File]:
    every = files.every()
    if options.ten:
        return [file for file in every if file.name in files.TEN]
    if not options.only:
        return every
    some = [file for file in every if {file.name, file.entry} & set(options.only)]
    unknown = set(options.only) - {file.name for file in some} - {file.entry for file in some}
    if unknown:
        sys.exit(f"zoo: there is no {', '.join(sorted(unknown))}; --list has all names")
    return some


def run(options: argparse.Namespace, some: list[files.File]) -> list[dict]:
    """The results of all, those that are known already too."""
    known = {} if options.only or options.ten else results.known(results.digest(options.infer, options.device))
    todo = [file for file in some if file.name not in known]
    print(f"{len(some)} files, {len(some) - len(todo)} of them known of this program", flush=True)
    given = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for place, result in enumerate(
            pool.map(lambda file: results.result(file, options.infer, options.device), todo), 1
        ):
            print(f"{place} of {len(todo)}: {result['file']} {table.short(result)}", flush=True)
            given.append(result)
    return [known[file.name] for file in some if file.name in known] + given


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="zoo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ten", action="store_true", help="ten that cover much")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="entries or files, run again")
    parser.add_argument("--list", action="store_true", help="prints the files and runs nothing")
    parser.add_argument("--keep", action="store_true", help="rewrites the list of those that are right")
    parser.add_argument("--jobs", type=int, default=2, help="files at a time; default 2")
    parser.add_argument("--device", default="cpu", help="of infer; default cpu, the twins")
    default = environment.ROOT / "target/testing/examples/infer"
    parser.add_argument(
        "--infer", type=Path, default=default, help="the program; default target/testing/examples/infer"
    )
    return parser.parse_args()


def main() -> int:
    options = parsed()
    some = chosen(options)
    if options.list:
        kept = table.kept()
        print("\n".join(f"{'right' if file.name in kept else '     '}  {file.name}" for file in some))
        return 0
    if not options.infer.exists():
        print(f"zoo: there is no {options.infer}: cargo build --profile testing --example infer", file=sys.stderr)
        return 2
    environment.ready(all_packages=not options.ten)
    given = run(options, some)
    if options.keep:
        table.keep(given)
    faults = table.faults(given, is_all=not (options.ten or options.only))
    print("\n".join(["", table.table(given), "", table.counts(given), *[f"FAULT {fault}" for fault in faults]]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
