"""All entries of the zoo by name."""

from entry import Entry
from networks import timm, torchvision, transformers, ultralytics


def catalogue() -> dict[str, Entry]:
    entries = [*torchvision.entries(), *transformers.entries(), *timm.entries(), *ultralytics.entries()]
    named = {entry.name: entry for entry in entries}
    if len(named) != len(entries):
        raise ValueError("two entries have the same name")
    return named
