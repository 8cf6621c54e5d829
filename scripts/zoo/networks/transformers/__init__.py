"""Networks of transformers: small ones, from configurations alone."""

from entry import Entry

from networks.transformers import audio, text, vision


def entries() -> list[Entry]:
    return vision.entries() + text.entries() + audio.entries()
