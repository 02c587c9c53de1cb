"""How the processor is used: one torch thread a worker, and workers over chunks of rows."""

from __future__ import annotations

import ctypes
import os
import sys

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def workers() -> int:
    """Threads that work on chunks side by side: MRP_THREADS, or the cores that this process may use."""
    asked = os.environ.get("MRP_THREADS", "")
    return max(1, int(asked)) if asked.isdigit() else max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def prepare() -> None:
    """Set this process up for work: one thread inside an operation, and freed memory kept for the next step.

    Chunks are too small for threads inside an operation, which slow each other down badly on a busy machine. Keeping freed memory
    spares the page faults of handing it back to the system at each step.
    """
    torch.set_num_threads(1)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
            libc.mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)
