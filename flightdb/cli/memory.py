"""A bound on the memory that Arrow may take, for the life of this process."""

import os
import resource
from pathlib import Path

SHARE = 4
"""A quarter of the machine's memory. DuckDB has a bound of its own; no work of the service comes near this one."""

LEAST_BYTES = 512 << 20

_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")


def bound_arrow_memory() -> None:
    """Makes Arrow's allocator fail beyond a quarter of the memory here; call before pyarrow is imported.

    pyarrow.flight decompresses what a client sends before any code of ours sees it, and a compressed message may say
    that it is 30,000 times its size: 1 MB would take 30 GB. Beyond the bound such a message is an error and no more.
    Arrow's allocator (mimalloc) takes bounds from the environment only, and what is set there already is left alone.
    """
    environment = os.environ
    if not _may_reserve():
        return
    size = max(_memory_bytes() // SHARE, LEAST_BYTES)
    # Address space only: pages are taken as they are used, and given back.
    environment.setdefault("MIMALLOC_RESERVE_OS_MEMORY", f"{size >> 10}KiB")
    environment.setdefault("MIMALLOC_DISALLOW_OS_ALLOC", "1")


def _may_reserve() -> bool:
    """Not where the kernel counts address space as memory."""
    return not (_OVERCOMMIT.exists() and _OVERCOMMIT.read_text().strip() == "2")


def _memory_bytes() -> int:
    """Of this machine, or of this container or process where that is less."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    if _CONTAINER_LIMIT.exists():
        limit = _CONTAINER_LIMIT.read_text().strip()
        sizes += [int(limit)] if limit.isdigit() else []
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft = resource.getrlimit(kind)[0]
        sizes += [soft] if soft != resource.RLIM_INFINITY else []
    return min(sizes)
