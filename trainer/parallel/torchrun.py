"""A command that torchrun started several times: its processes join, the first prints, and one of them says why all end.

Importing this needs no torch, and without torchrun nothing here loads it.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import os
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from data.errors import InputError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

EXIT_PEER_LOST = 1
SPEAKING_TIME = datetime.timedelta(seconds=10)
DISCONNECTED = ("gloo", "NCCL", "closed by peer", "reset by peer")
"""In the messages of torch when another process does not answer."""


def is_launched() -> bool:
    """Check whether torchrun started this process together with others."""
    names = ("RANK", "MASTER_ADDR", "MASTER_PORT")
    return int(os.environ.get("WORLD_SIZE") or 1) > 1 and all(name in os.environ for name in names)


def check_alone(work: str) -> None:
    """Check that torchrun has not started several processes for work that one does; an `InputError` says so."""
    if is_launched():
        raise InputError(f"{work} takes one process: start it without torchrun")


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Connect this process with those that torchrun started beside it, for trainings within the ``with``."""
    if not is_launched():
        yield
        return
    from trainer.parallel.processes import is_joined, process_group

    if is_joined():  # by the caller
        yield
        return
    with process_group():
        yield


@contextlib.contextmanager
def one_command(prog: str) -> Iterator[None]:
    """Join the processes of a command: only the first prints, and one of them reports the error that ends all, after ``prog``."""
    if not is_launched():
        yield
        return
    from trainer.parallel.processes import is_first, process_group

    with contextlib.ExitStack() as stack:
        store = stack.enter_context(process_group())
        if not is_first():
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            _end(error, store, prog)
            raise


def resume_command(prog: str, run: str) -> str:
    """Write the command that resumes a run with as many processes as this one.

    torchrun takes an option ``--run`` for an abbreviation of its own ``--run-path``; ``--run-name`` is the same option of ours.

    Examples
    --------
    >>> resume_command("python -m trainer", "plays")
    'python -m trainer --resume --run plays'
    """
    if not is_launched():
        return f"{prog} --resume --run {run}"
    n_here = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return f"torchrun --nproc-per-node={n_here} {prog.removeprefix('python ')} --resume --run-name {run}"


def _end(error: BaseException, store: Store, prog: str) -> None:
    """Leave without a word if another process has said why all end; report a process that was lost; else return."""
    from trainer.parallel.processes import count, lost

    try:
        is_speaker = store.add("speakers", 1) == 1
        if not is_speaker:
            store.wait(["said"], SPEAKING_TIME)
    except RuntimeError:  # the store went with its process, or the speaker has been killed
        is_speaker = False
    if not is_speaker:
        raise SystemExit(2 if isinstance(error, InputError) else EXIT_PEER_LOST) from None
    atexit.register(_said, store)
    if not isinstance(error, RuntimeError):
        return
    gone = " and ".join(f"rank {number}" for number in lost(store))
    if not gone and any(word in str(error) for word in DISCONNECTED):
        gone = "one on another machine"
    if gone:
        advice = "what was saved is whole: run the same command again with --resume"
        print(f"{prog}: {gone} of {count()} processes died, so all end; {advice}", file=sys.stderr, flush=True)
        raise SystemExit(EXIT_PEER_LOST) from None


def _said(store: Store) -> None:
    with contextlib.suppress(RuntimeError):
        store.set("said", "1")
