"""What every command line of the toolkit has in common: parsing, and mistakes told in one line with exit status 2."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import tyro

from data.errors import InputError

Config = TypeVar("Config")

EXIT_MISTAKE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT

# What the outside world may refuse without there being a defect: full disks, missing rights, names that are folders.
_DISK_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
}


def run(main: Callable[[Config], object], config_type: Any, *, prog: str, description: str | None = None) -> NoReturn:
    """Parse the command line into ``config_type``, call ``main`` with it, and exit.

    Parameters
    ----------
    main : function of one argument, the parsed configuration.
    config_type : a dataclass, or a union of dataclasses for subcommands.
    prog : the name shown in messages, e.g. ``"python -m viz.video"``.
    description : the text at the head of ``--help``; the docstring of ``config_type`` where none is given.
    """
    with one_line_mistakes(prog):
        main(parse(config_type, prog=prog, description=description))
    raise SystemExit(0)


def parse(
    config_type: Any,
    *,
    prog: str,
    description: str | None = None,
    args: list[str] | None = None,
    default: Any = None,
) -> Any:
    """Parse ``args`` (the command line's where none are given) with tyro; a mistake raises `InputError` of one line."""
    options: dict[str, Any] = {"prog": prog, "description": description, "args": args}
    if default is not None:
        options["default"] = default
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return tyro.cli(config_type, **options)
    except SystemExit as stop:
        if stop.code in (0, None):  # --help
            raise
    # Once more, in a terminal so wide that no sentence of the message is broken.
    with contextlib.redirect_stderr(io.StringIO()) as complaint, _wide_terminal(), contextlib.suppress(SystemExit):
        tyro.cli(config_type, **options)
    raise InputError(_first_paragraph(complaint.getvalue()))


@contextlib.contextmanager
def one_line_mistakes(prog: str) -> Iterator[None]:
    """Turn what a user can mend into one line on standard error and exit status 2; warnings become one line each."""
    warnings.showwarning = lambda message, *_, **__: print(f"{prog}: warning: {message}", file=sys.stderr)
    try:
        yield
    except InputError as mistake:
        _stop(prog, str(mistake))
    except KeyboardInterrupt:
        print(f"{prog}: stopped", file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:  # the reader of a pipe (head, say) has gone; it has seen what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as refusal:
        if refusal.errno not in _DISK_ERRORS:
            raise
        _stop(prog, describe_disk_error(refusal))


def describe_disk_error(refusal: OSError) -> str:
    """Say in one line what the operating system refused and what can be done about it."""
    where = refusal.filename or "the output"
    if refusal.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"the disk is full at {where}: free some space and run the command again; what was complete is still valid"
        )
    return (
        f"cannot write or read {where} ({os.strerror(refusal.errno or 0)}): choose another folder or change its rights"
    )


def _stop(prog: str, message: str) -> NoReturn:
    print(f"{prog}: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(EXIT_MISTAKE) from None


@contextlib.contextmanager
def _wide_terminal() -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "4096"
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


def _first_paragraph(box: str) -> str:
    """Return the message inside a box that tyro draws: the lines before its first rule, and what it thinks was meant."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [line.strip(" │╭╮╰╯\n") for line in plain.splitlines()]
    body = [line for line in lines[1:] if line]
    message = " ".join(_until_rule(body)) or " ".join(body)
    message = re.sub(r"^Error parsing [a-z_]+: ", "", message)  # of a group of options, where the mistake names the one
    meant = [body[i + 1] for i, line in enumerate(body[:-1]) if line.startswith("Perhaps you meant")]
    hint = f"; perhaps you meant {meant[0].split()[0]}" if meant else ""
    return f"{message}{hint}: see --help"


def _until_rule(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if set(line) <= {"─"}:
            return
        yield line
