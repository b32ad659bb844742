"""Work on several processes or machines: a thin layer over Dask, which the extra ``dask`` installs.

Code that computes step by step passes a function and its inputs to `map_steps`. Without a client the calls are made in this process,
one after the other; with a client, by its workers. Either way the results are equal and come in the order of the inputs, and a
bounded number of them is held.
"""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from importlib import import_module
from typing import Any, TypeVar

from data.errors import InputError
from data.progress import Progress

Input = TypeVar("Input")
Output = TypeVar("Output")

LOCALHOST = "127.0.0.1"
SECONDS_TO_ANSWER = 5
SECONDS_TO_START = 90
IN_FLIGHT_PER_WORKER = 2  # one in work and one waiting, so that no worker waits
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
NOTHING = object()

_client: ContextVar[Any] = ContextVar("client", default=None)


@contextlib.contextmanager
def open_client(scheduler: str | None) -> Iterator[Any]:
    """Connect to workers, and yield a ``distributed.Client``; within the ``with``, they run models and read lazy trajectories.

    Parameters
    ----------
    scheduler : ``None``: everything is computed in this process, and None is yielded. ``"local"`` or ``"local:2"``: processes on this
        machine (two, or one for each core), of one thread each, which only this machine can reach, and which end with the ``with``.
        ``"tcp://host:port"`` or ``"tls://host:port"``: a running scheduler, whose workers see the runs under the same path.

    Raises
    ------
    InputError
        If Dask is not installed, ``scheduler`` is none of these, or no scheduler or worker answers within a few seconds.

    Examples
    --------
    >>> with open_client(None) as client:
    ...     list(map_steps(abs, [-1, 2], client))
    [1, 2]
    """
    with contextlib.ExitStack() as stack:
        client = None if scheduler is None else stack.enter_context(_connected(scheduler))
        token = _client.set(client)
        stack.callback(_client.reset, token)
        yield client


def current_client() -> Any:
    """Return the client of the innermost surrounding `open_client`, or None."""
    return _client.get()


def map_steps(
    function: Callable[..., Output],
    inputs: Iterable[Input],
    client: Any = None,
    progress: Progress | None = None,
    *,
    shared: Any = NOTHING,
) -> Iterator[Output]:
    """Yield the result of a function for every input, in the order of the inputs.

    Inputs are taken as workers become free; at most `IN_FLIGHT_PER_WORKER` of them for each worker are in flight, so that memory does not
    grow with their number. An exception of a call is raised here, and the calls that are still in flight are cancelled.

    Parameters
    ----------
    function : function that is sent to the workers, with its closure; it must not depend on other state of this process.
    inputs : inputs of the calls; they go over the network, so they should be small, or paths to read.
    client : client from `open_client`; the calls are made in this process if None.
    progress : called with the number of results so far.
    shared : first argument of every call, if given; each worker gets it once.

    Examples
    --------
    >>> list(map_steps(pow, [1, 2, 3], shared=2))
    [2, 4, 8]
    """
    if client is not None:
        found = _in_order(function, inputs, client, shared)
    elif shared is NOTHING:
        found = map(function, inputs)
    else:
        found = (function(shared, one) for one in inputs)
    for done, result in enumerate(found, 1):
        if progress is not None:
            progress(done)
        yield result


def n_workers(client: Any) -> int:
    """Count the workers that a client has now; 1 without a client."""
    return 1 if client is None else max(1, len(client.nthreads()))


def _in_order(function: Callable[..., Output], inputs: Iterable[Any], client: Any, shared: Any) -> Iterator[Output]:
    # In a list, so that it is sent unchanged; broadcast, so that no worker waits for the one that has it.
    common = [] if shared is NOTHING else client.scatter([shared], broadcast=True, hash=False)
    most = IN_FLIGHT_PER_WORKER * n_workers(client)
    pending: deque[Any] = deque()
    try:
        for one in inputs:
            pending.append(client.submit(_attempt, function, *common, one, pure=False))
            if len(pending) >= most:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
    finally:
        client.cancel(list(pending))
        for future in (*pending, *common):
            future.release()


def _attempt(function: Callable[..., Output], *args: Any) -> tuple[Output | None, InputError | None]:
    """Call a function and return its result or its `InputError`, which a worker that raised it would log with a traceback."""
    try:
        return function(*args), None
    except InputError as mistake:
        return None, mistake


def _result(future: Any) -> Any:
    try:
        result, mistake = future.result()
    finally:
        future.release()  # also if it failed: its traceback would keep it, and the workers its arguments
    if mistake is not None:
        raise mistake
    return result


@contextlib.contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    local = re.fullmatch(r"local(?::([1-9]\d{0,3}))?", scheduler)
    remote = re.fullmatch(r"(tcp|tls)://[^\s/:]+:\d{1,5}|(tcp|tls)://\[[0-9a-fA-F:.]+\]:\d{1,5}", scheduler)
    if not (local or remote):
        raise InputError(f"a scheduler is local, local:2 or tcp://host:port; got {scheduler!r}: pass `scheduler=local`")
    distributed = import_dask("distributed", "`scheduler` needs")
    with contextlib.ExitStack() as stack:
        if local:
            cluster = stack.enter_context(_local_cluster(distributed, int(local[1]) if local[1] else None))
            client = stack.enter_context(distributed.Client(cluster))
        else:
            client = stack.enter_context(_answering(distributed, scheduler))
        yield client


def _local_cluster(distributed: Any, n_processes: int | None) -> Any:
    """Start workers that listen on this machine only; they have one thread each, since the steps are divided among them."""
    config, system = import_module("dask.config"), import_module("distributed.system")
    processes = n_processes or import_module("dask.system").CPU_COUNT
    address = f"{LOCALHOST}:0"
    # Dask makes glibc return each large freed array page by page, which doubled the time of a model.
    environment = {"MALLOC_TRIM_THRESHOLD_": None, **ONE_THREAD}
    patience = {"distributed.comm.timeouts.connect": f"{SECONDS_TO_START}s"}  # a busy machine starts processes slowly
    with config.set({"distributed.nanny.pre-spawn-environ": environment, **patience}):
        return distributed.LocalCluster(
            n_workers=processes,
            processes=True,
            threads_per_worker=1,
            host=LOCALHOST,
            memory_limit=int(system.MEMORY_LIMIT) // processes,
            dashboard_address=address,  # None would still open a port, and on every network
            worker_dashboard_address=address,
        )


@contextlib.contextmanager
def _answering(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=SECONDS_TO_ANSWER)
    except OSError:
        advice = f"start one with  dask scheduler --host {LOCALHOST}, or pass `scheduler=local`"
        seconds = f"{SECONDS_TO_ANSWER} seconds"
        raise InputError(f"no Dask scheduler answers at {address} within {seconds}: {advice}") from None
    except TypeError as error:  # tls without certificates
        raise InputError(f"cannot connect to {address}: {' '.join(str(error).split())}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except TimeoutError:
            start = f"start some with  dask worker {address} --nthreads 1"
            raise InputError(f"the Dask scheduler at {address} has no workers: {start}") from None
        yield client


def import_dask(module: str, need: str) -> Any:
    """Import a module of Dask, or name in an `InputError` what needs it and how to install it."""
    try:
        return import_module(module)
    except ImportError as missing:
        install = "install it with  pip install 'gptlab[dask]'"
        raise InputError(f"{need} Dask, which is not installed ({missing}): {install}") from None
