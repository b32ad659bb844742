"""Command lines whose defaults depend on some of their own options, such as ``--preset`` and ``--resume``."""

from __future__ import annotations

from typing import TypeVar

import tyro

Arguments = TypeVar("Arguments")


def first_pass(default: Arguments, args: list[str]) -> Arguments:
    """Parse a command line to learn what decides the defaults of its options; the second parse, with the final ones, reports mistakes."""
    try:
        parsed, _ = tyro.cli(
            type(default), args=args, default=default, return_unknown_args=True, add_help=False, console_outputs=False
        )
    except SystemExit:
        return default
    return parsed
