"""Children with a time limit: none of them can end or stop the others."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass

from environment import settings


@dataclass(frozen=True)
class Ended:
    """How a child ended: `status` is None where it ran past its limit."""

    status: int | None
    out: str
    err: str
    seconds: float


def child(command: list[str], limit: float) -> Ended:
    """Runs a command; past its limit it is ended with all that it started."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=settings(),
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = None
    return Ended(status, out, err, time.monotonic() - begun)
