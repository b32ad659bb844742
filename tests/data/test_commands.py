"""A mistake is one line and status 2; a defect keeps its traceback."""

from __future__ import annotations

import errno
import warnings
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
import tyro

from data.commands import one_line_mistakes, parse, write_options
from data.errors import InputError


@dataclass(frozen=True)
class Options:
    """Options for a test."""

    steps: int = 5
    theme: Literal["light", "dark"] = "light"


@dataclass(frozen=True)
class Sampling:
    """Options nested in those of a command."""

    top_k: int = 0


@dataclass(frozen=True)
class Write:
    """A command of two."""

    folder: tyro.conf.Positional[str]
    trust: bool = True
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    prompt: str | None = None
    sampling: tyro.conf.OmitArgPrefixes[Sampling] = field(default_factory=Sampling)


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("pass `steps=20`", "pass --steps 20"),
        ("`theme` must be light", "--theme must be light"),
        ("pass `trust=False`", "pass --no-trust"),
        ("pass `resume=True` or `trust=True`", "pass --resume or --trust"),
        ("`top_k` is nested: pass `top_k=3`", "--top-k is nested: pass --top-k 3"),
        ("pass `prompt=To be, or`", "pass --prompt 'To be, or'"),
        ("pass `prompt=`", "pass --prompt ''"),
        ("`folder` is there; pass `folder=out`", "FOLDER is there; pass out"),
        (
            "`size` and `size=4` are no options, nor is `not a name`",
            "`size` and `size=4` are no options, nor is `not a name`",
        ),
        ("the token '`' has no mark, steps is not marked", "the token '`' has no mark, steps is not marked"),
    ],
)
def test_marked_fields_are_printed_as_options(message: str, printed: str) -> None:
    commands = Options | Annotated[Write, tyro.conf.subcommand("write", prefix_name=False)]
    assert write_options(InputError(message), commands) == printed


def test_without_a_command_marks_are_kept() -> None:
    assert write_options(InputError("pass `steps=20`"), None) == "pass `steps=20`"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--stps", "3"], "Unrecognized options: --stps, 3; perhaps you meant --steps"),
        (["--steps", "x"], "--steps: invalid literal"),
        (["--theme", "pink"], "invalid choice 'pink' for argument '--theme'"),
    ],
)
def test_a_wrong_option_is_reported_in_one_line(args: list[str], message: str) -> None:
    with pytest.raises(InputError) as mistake:
        parse(Options, prog="python -m test", args=args)
    assert message in str(mistake.value)
    assert "\n" not in str(mistake.value)
    assert not set(str(mistake.value)) & set("│╭╮╰╯─")


def test_right_options_are_parsed() -> None:
    assert parse(Options, prog="test", args=["--theme", "dark"]) == Options(5, "dark")


def test_warnings_are_printed_at_once_in_one_line_each_and_only_inside_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show = warnings.showwarning
    with one_line_mistakes("python -m test", Options):
        warnings.simplefilter("always")
        warnings.warn("a snapshot is damaged: pass `steps=3`", stacklevel=1)
        assert capsys.readouterr().err == "python -m test: warning: a snapshot is damaged: pass --steps 3\n"
    assert warnings.showwarning is show


def stop_with(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    with pytest.raises(SystemExit) as stop, one_line_mistakes("python -m test", Options):
        raise error
    return stop.value.code, capsys.readouterr().err


def test_a_mistake_ends_with_status_2_and_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert stop_with(InputError("no run\nyet"), capsys) == (2, "python -m test: no run yet\n")
    assert stop_with(InputError("pass `steps=20`"), capsys) == (2, "python -m test: pass --steps 20\n")


def test_a_full_disk_and_a_locked_folder_are_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, message = stop_with(OSError(errno.ENOSPC, "No space left on device", "/x/y"), capsys)
    assert (code, message.count("\n")) == (2, 1)
    assert "the disk is full at /x/y" in message
    code, message = stop_with(PermissionError(errno.EACCES, "Permission denied", "/x/y"), capsys)
    assert (code, message.count("\n")) == (2, 1)
    assert "/x/y" in message


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), one_line_mistakes("python -m test"):
        raise ZeroDivisionError
