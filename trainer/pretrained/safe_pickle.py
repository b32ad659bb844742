"""Read plain values from a pickle by interpreting its opcodes: nothing is imported or called.

nanoGPT keeps the characters of its vocabulary in ``meta.pkl``. Such a file needs a handful of opcodes, which put numbers and strings
into dictionaries and lists. Any other opcode, and so any pickle that would call something, is refused.
"""

from __future__ import annotations

import pickletools
from pathlib import Path
from typing import Any

from data.errors import InputError

_VALUES = {"BININT", "BININT1", "BININT2", "SHORT_BINUNICODE", "BINUNICODE", "BINFLOAT", "LONG1"}
_IGNORED = {"PROTO", "FRAME", "STOP"}


def read_literals(path: Path) -> Any:
    """Read a pickle of numbers, strings, lists and dictionaries.

    Raises
    ------
    InputError
        If it holds anything else, or is no pickle; the message names the opcode that is refused.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    try:
        for opcode, argument, _ in pickletools.genops(path.read_bytes()):
            _execute(opcode.name, argument, stack, marks, memo)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is no pickle of plain values ({error}): nothing of it ran; give the vocabulary as JSON"
        ) from None
    return stack[-1] if stack else None


def _execute(name: str, argument: Any, stack: list[Any], marks: list[int], memo: dict[int, Any]) -> None:
    """Execute one opcode on the stack."""
    if name in _VALUES:
        stack.append(argument)
    elif name in ("EMPTY_DICT", "EMPTY_LIST"):
        stack.append({} if name == "EMPTY_DICT" else [])
    elif name == "MARK":
        marks.append(len(stack))
    elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
        memo[len(memo) if argument is None else argument] = stack[-1]
    elif name in ("BINGET", "LONG_BINGET"):
        stack.append(memo[argument])
    elif name in ("SETITEM", "SETITEMS", "APPEND", "APPENDS"):
        first = marks.pop() if name.endswith("S") else len(stack) - (2 if name == "SETITEM" else 1)
        items = stack[first:]
        del stack[first:]
        if name.startswith("SET"):
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        else:
            stack[-1].extend(items)
    elif name not in _IGNORED:
        raise ValueError(f"it has the instruction {name}")
