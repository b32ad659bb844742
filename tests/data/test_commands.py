"""A mistake is one line and status 2; a defect keeps its traceback."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Literal

import pytest

from data.commands import one_line_mistakes, parse
from data.errors import InputError


@dataclass(frozen=True)
class Options:
    """Options for a test."""

    steps: int = 5
    theme: Literal["light", "dark"] = "light"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--stps", "3"], "Unrecognized options: --stps, 3; perhaps you meant --steps"),
        (["--steps", "x"], "--steps: invalid literal"),
        (["--theme", "pink"], "invalid choice 'pink' for argument '--theme'"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(args: list[str], message: str) -> None:
    with pytest.raises(InputError) as mistake:
        parse(Options, prog="python -m test", args=args)
    assert message in str(mistake.value)
    assert "\n" not in str(mistake.value)
    assert not set(str(mistake.value)) & set("│╭╮╰╯─")


def test_right_options_are_parsed() -> None:
    assert parse(Options, prog="test", args=["--theme", "dark"]) == Options(5, "dark")


def stop_with(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    with pytest.raises(SystemExit) as stop, one_line_mistakes("python -m test"):
        raise error
    return stop.value.code, capsys.readouterr().err


def test_a_mistake_ends_with_status_2_and_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert stop_with(InputError("no run\nyet"), capsys) == (2, "python -m test: no run yet\n")


def test_a_full_disk_and_a_locked_folder_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, message = stop_with(OSError(errno.ENOSPC, "No space left on device", "/x/y"), capsys)
    assert (code, message.count("\n")) == (2, 1)
    assert "the disk is full at /x/y" in message
    code, message = stop_with(PermissionError(errno.EACCES, "Permission denied", "/x/y"), capsys)
    assert (code, message.count("\n")) == (2, 1)
    assert "/x/y" in message


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), one_line_mistakes("python -m test"):
        raise ZeroDivisionError
