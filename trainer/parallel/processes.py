"""The processes of a training that torchrun started: which is the first, what all decide together, and who has gone.

torchrun starts one command several times and tells each process its rank. The first process, rank 0, writes the run. In a training
without torchrun there is one process, and every function here returns at once.

Everything here goes through gloo, on the CPU, also where gradients go through nccl: a GPU need not wait for it, and a process that dies
is noticed at once.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist

from data.errors import InputError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

T = TypeVar("T")

LONGEST_WAIT = datetime.timedelta(minutes=30)
"""After so long without an answer of another process, a training ends; the first evaluates and writes in the meantime."""

LONGEST_FAREWELL = datetime.timedelta(seconds=60)

SECONDS_TO_NOTICE = 3.0
"""Time in which a process that broke a connection is found to be gone."""


def is_joined() -> bool:
    """Check whether this process is connected with others."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Return the rank of this process, from 0."""
    return dist.get_rank() if is_joined() else 0


def count() -> int:
    """Return the number of processes that train together."""
    return dist.get_world_size() if is_joined() else 1


def is_first() -> bool:
    """Check whether this is the process that writes the run."""
    return rank() == 0


def rank_on_machine() -> int:
    """Return the rank among the processes of this machine, which is the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", rank()))


@contextlib.contextmanager
def process_group() -> Iterator[Store]:
    """Connect the processes that torchrun started; yields a store of keys and values that all of them share."""
    store, own_rank, size = next(dist.rendezvous("env://", timeout=LONGEST_WAIT))  # type: ignore[attr-defined]
    number = next(_numbers)
    group, shared = (dist.PrefixStore(f"{name}/{number}", store) for name in ("group", "gptlab"))  # type: ignore[attr-defined]
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=group, rank=own_rank, world_size=size, timeout=LONGEST_WAIT)
    shared.set(f"process/{own_rank}", f"{socket.gethostname()} {os.getpid()}")
    yield shared
    # Not after an error: it would wait for what others will never send.
    _wait_for_all(shared, size)
    dist.destroy_process_group()


_numbers = itertools.count()
"""Groups that a process joins one after the other have keys of their own in the store."""


def _wait_for_all(store: Store, size: int) -> None:
    """Wait until all processes have done their last exchange: gloo aborts a process whose connection another closes during it."""
    with contextlib.suppress(RuntimeError):  # the store went with its process, or somebody takes too long
        if store.add("finished", 1) == size:
            store.set("all finished", "1")
        store.wait(["all finished"], LONGEST_FAREWELL)


def first_decides(work: Callable[[], T]) -> T:
    """Call ``work`` in the first process only, and return its result in all; an `InputError` of it is raised in all.

    The result must be something that pickle can send from process to process.
    """
    if count() == 1:
        return work()
    outcome: list[Any] = [None, None]
    error: Exception | None = None
    if is_first():
        try:
            outcome[1] = work()
        except Exception as raised:
            error, outcome[0] = raised, str(raised)
    dist.broadcast_object_list(outcome, src=0)
    if error is not None:
        raise error
    if outcome[0] is not None:
        raise InputError(outcome[0])
    result: T = outcome[1]
    return result


def in_first(work: Callable[..., object], *args: object, **options: object) -> None:
    """Call ``work`` in the first process, and do nothing in the others."""
    if is_first():
        work(*args, **options)


def any_of_all(is_so: bool) -> bool:
    """Check whether something holds in any of the processes; all must ask at the same place."""
    return bool(highest(int(is_so)))


def highest(number: int) -> int:
    """Find the largest of the numbers of all processes; all must ask at the same place."""
    if count() == 1:
        return number
    found = torch.tensor(number, dtype=torch.int32)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return int(found)


def spread(n: int, work: Callable[[int], float]) -> list[float]:
    """Compute ``work(0)`` to ``work(n - 1)``, each in one of the processes, and return all results in all of them.

    The results are those of one process, bit for bit, where ``work`` is.
    """
    found = torch.zeros(n, dtype=torch.float64)
    for number in range(rank(), n, count()):
        found[number] = work(number)
    if count() > 1:
        dist.all_reduce(found)  # a sum with zeros, which changes no digit
    return found.tolist()


def lost(store: Store) -> list[int]:
    """Find the ranks of the processes of this machine that are gone; waits a moment, since a connection breaks before its process ends."""
    deadline = time.monotonic() + SECONDS_TO_NOTICE
    while time.monotonic() < deadline:
        described = (store.get(f"process/{number}").decode().split() for number in range(count()))
        gone = [
            number for number, (host, pid) in enumerate(described) if host == socket.gethostname() and _is_gone(pid)
        ]
        if gone:
            return gone
        time.sleep(0.02)
    return []


def _is_gone(pid: str) -> bool:
    """Check whether a process has ended; one that its parent has not asked about yet has."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    with contextlib.suppress(OSError, IndexError):  # only Linux has /proc
        return Path("/proc", pid, "stat").read_bytes().rpartition(b")")[2].split()[0] in b"ZX"
    return False
