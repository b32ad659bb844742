"""The loggers by name: what ``log`` may name, whether their libraries are installed, and all of a training behind one function.

A logger receives every line of metrics.jsonl and of samples.jsonl. These files are written in any case, and a logger that fails does not
stop a training. Importing this needs neither torch nor a logger's library.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from data.errors import InputError
from data.notices import notify
from data.runs import Run

Log = Callable[[int, Mapping[str, Any] | None, Mapping[str, Any] | None], None]
"""``log(step, metrics, sample)``: what was measured at a step by name, and the sample as in samples.jsonl; None where there is none."""

OpenLog = Callable[[Run, int], AbstractContextManager[Log]]
"""``open(run, step)``: open the log of a run that continues from ``step``."""

LOGGERS = {
    "tensorboard": "trainer.loggers.tensorboard_log",
    "wandb": "trainer.loggers.wandb_log",
    "trackio": "trainer.loggers.trackio_log",
}
"""The module of each logger, with its function ``open_log``. The name is that of the library, and of our extra that installs it."""


def logger_names(log: str | None) -> list[str]:
    """List the loggers that ``log`` names, with commas between; an `InputError` says which is unknown, or not installed.

    Examples
    --------
    >>> logger_names(None)
    []
    >>> logger_names("tensorboard, mlflow")
    Traceback (most recent call last):
        ...
    data.errors.InputError: there is no logger 'mlflow'; there is tensorboard, wandb, trackio
    """
    names = [name for each in (log or "").split(",") if (name := each.strip())]
    for name in names:
        if name not in LOGGERS:
            raise InputError(f"there is no logger {name!r}; there is {', '.join(LOGGERS)}")
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise InputError(f"{name} is not installed: pip install 'gptlab[{name}]', or leave `log` out")
    return list(dict.fromkeys(names))


@contextlib.contextmanager
def open_logs(log: str | None, run: Run, step: int) -> Iterator[Log]:
    """Open the loggers that ``log`` names for a run that continues from ``step``; one that fails is named, and left out from then on."""
    with contextlib.ExitStack() as stack:
        logs: dict[str, Log] = {}
        for name in logger_names(log):
            open_log: OpenLog = import_module(LOGGERS[name]).open_log
            with _surviving(name, logs):
                logs[name] = stack.enter_context(_closing(name, open_log(run, step)))

        def log_all(step: int, metrics: Mapping[str, Any] | None, sample: Mapping[str, Any] | None) -> None:
            for name, each in list(logs.items()):
                with _surviving(name, logs):
                    each(step, metrics, sample)

        yield log_all


@contextlib.contextmanager
def _closing(name: str, opened: AbstractContextManager[Log]) -> Iterator[Log]:
    """Open a log, and close it without an error."""
    log = opened.__enter__()
    try:
        yield log
    finally:
        with _surviving(name, {}):
            opened.__exit__(None, None, None)


@contextlib.contextmanager
def _surviving(name: str, logs: dict[str, Log]) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of a library, a full disk or a network: the training goes on
        logs.pop(name, None)
        reason = " ".join(str(error).split()) or type(error).__name__
        notify(f"{name} no longer logs this training ({reason}); metrics.jsonl has it all", stacklevel=4)
