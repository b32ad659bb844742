"""Common to all commands: parsing with tyro, and one line with exit status 2 for a mistake of the user."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from errno import EACCES, EDQUOT, EEXIST, EFBIG, EIO, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from itertools import dropwhile, takewhile
from typing import Any, NoReturn, get_args, get_type_hints

import tyro

from data.errors import InputError
from data.printing import print_any_text

program: ContextVar[str] = ContextVar("program", default="")
"""The name of the running command in messages and help, where it is not that of its module: ``gptlab film``."""

EXIT_MISTAKE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT

# Refusals of the operating system that are no defect of ours: full disks, missing rights, names that are folders.
_DISK_ERRORS = {ENOSPC, EDQUOT, EFBIG, EIO, EACCES, EPERM, EROFS, ENOTDIR, EISDIR, EEXIST}


def run_command(
    main: Callable[[Any], object], config_type: Any, *, prog: str, description: str | None = None
) -> NoReturn:
    """Parse the command line into ``config_type``, call ``main`` with it, and exit.

    Parameters
    ----------
    main : function of one argument, the parsed configuration.
    config_type : a dataclass, or a union of dataclasses for subcommands.
    prog : the name shown in messages, e.g. ``"python -m viz.video"``.
    description : the text at the head of ``--help``; the docstring of ``config_type`` where none is given.
    """
    with one_line_mistakes(prog, config_type):
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
    """Parse ``args`` (by default those of the command line) with tyro.

    Raises
    ------
    InputError
        If they are wrong; the message of tyro as one line.
    """
    options: dict[str, Any] = {"prog": program.get() or prog, "description": description, "args": args}
    if default is not None:
        options["default"] = default
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return tyro.cli(config_type, **options)
    except SystemExit as stop:
        if stop.code in (0, None):  # --help
            raise
    # Parse again in a terminal so wide that tyro breaks no sentence of its message.
    with contextlib.redirect_stderr(io.StringIO()) as box, _wide_terminal(), contextlib.suppress(SystemExit):
        tyro.cli(config_type, **options)
    raise InputError(_first_paragraph(box.getvalue()))


@contextlib.contextmanager
def one_line_mistakes(prog: str, config_type: Any = None) -> Iterator[None]:
    """Report a mistake in one line on standard error, with exit status 2, and each warning in one line.

    Whatever is printed survives the encoding of the terminal or pipe (`data.printing.print_any_text`).
    ``prog`` stands before each message. A field of ``config_type`` that a message marks is written as the command's option.
    """
    prog = program.get() or prog
    print_any_text()

    def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"{prog}: warning: {write_options(InputError(message), config_type)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        try:
            yield
        except InputError as mistake:
            _stop(prog, write_options(mistake, config_type))
        except KeyboardInterrupt:
            print(f"{prog}: stopped", file=sys.stderr)
            raise SystemExit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:  # the reader of a pipe, such as head, has read enough and gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        except OSError as error:
            if error.errno not in _DISK_ERRORS:
                raise
            _stop(prog, describe_disk_error(error))


def write_options(mistake: InputError, config_type: Any) -> str:
    """Write the fields that a message marks as options of a command; marks of anything else are kept.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Options:
    ...     trust: bool = True
    ...     out_dir: str = "."
    >>> write_options(InputError("pass `trust=False`, or `out_dir=my films` and `size`"), Options)
    "pass --no-trust, or --out-dir 'my films' and `size`"
    """
    options = dict(_options(config_type))

    def write(name: str, value: str | None) -> str | None:
        option = options.get(name)
        if option is None:
            return None
        if not option.startswith("--"):
            return value or option
        if value in ("True", "False"):
            return option if value == "True" else f"--no-{option[2:]}"
        return option if value is None else f"{option} {shlex.quote(value)}"

    return mistake.worded(write)


def _options(hint: Any) -> Iterator[tuple[str, str]]:
    """Yield each field of the dataclasses in a type with its option, or in capitals if it is positional."""
    for part in get_args(hint):
        yield from _options(part)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        for field in dataclasses.fields(hint):
            yield from _options(hints[field.name])
            is_positional = _POSITIONAL in get_args(hints[field.name])
            yield field.name, field.name.upper() if is_positional else f"--{field.name.replace('_', '-')}"


_POSITIONAL = get_args(tyro.conf.Positional[str])[1]


def describe_disk_error(error: OSError) -> str:
    """Describe in one line what the operating system refused and what can be done about it."""
    where = error.filename or "the output"
    if error.errno in (ENOSPC, EDQUOT):
        return (
            f"the disk is full at {where}: free some space and run the command again; what was complete is still valid"
        )
    if error.errno == EFBIG:
        return f"{where} would be larger than files may be here: raise the limit (ulimit -f), or write elsewhere"
    if error.errno == EIO:
        return f"the disk reports an error at {where}: check the disk; what was complete is still valid"
    return f"cannot write or read {where} ({os.strerror(error.errno or 0)}): choose another folder or change its rights"


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
    """Extract the message from a box that tyro draws: the lines above its first rule, and the option it suggests."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [line.strip(" │╭╮╰╯\n") for line in plain.splitlines()]
    body = list(dropwhile(_is_rule, [line for line in lines[1:] if line]))  # without UTF-8 a rule follows the title
    message = " ".join(takewhile(lambda line: not _is_rule(line), body)) or " ".join(body)
    # What tyro puts in front names a group of options; the message itself names the option.
    message = re.sub(r"^Error parsing [a-z_]+: ", "", message)
    suggested = [body[i + 1] for i, line in enumerate(body[:-1]) if line.startswith("Perhaps you meant")]
    hint = f"; perhaps you meant {suggested[0].split()[0]}" if suggested else ""
    return f"{message}{hint}: see --help"


def _is_rule(line: str) -> bool:
    return set(line) in ({"─"}, {"-"})
