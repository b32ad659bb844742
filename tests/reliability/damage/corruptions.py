"""Ways to damage a run: what a bad disk does to its bytes, and what somebody may write into it on purpose, with hashes that fit.

Damage that changes a value must be found. What was made on purpose with fitting hashes cannot be told from a run; it must do no harm, and
those of `IMPOSSIBLE`, which no run can be, must be refused.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.files.atomic_files import encode_json, encode_line
from data.files.json_files import parse_line
from data.runs.run import hash_info

Change = Callable[[Path], object]
STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    0.5,
    2**31,
    10**12,
    2**70,
    1e308,
    "",
    "é\x00<b>",
    [],
    {},
    [[]],
    {"a": {}},
    "x" * 5000,
)


@dataclass(frozen=True)
class Corruption:
    """A change to the folder of a run; ``must_be_found`` even if no value that is read differs."""

    name: str
    change: Change
    is_made: bool = False
    must_be_found: bool = False


def damages(run: Path, draw: random.Random, n: int) -> Iterator[Corruption]:
    """Yield ``n`` damages to randomly chosen files of a run: flips, cuts, zeros, and lines doubled or moved."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and path.name != "training.lock")
    for number in range(n):
        path = draw.choice(files)
        file = path.relative_to(run).as_posix()
        kinds = [*BYTES, *(LINES if path.suffix == ".jsonl" else ())]
        kind, seed = kinds[number % len(kinds)], draw.randrange(2**32)
        yield Corruption(f"{kind.__name__} {file} {seed}", _of_bytes(file, kind, seed))


def _of_bytes(file: str, kind: Callable[[bytes, random.Random], bytes], seed: int) -> Change:
    def change(run: Path) -> None:
        path = run / file
        path.write_bytes(kind(path.read_bytes(), random.Random(seed)))

    return change


def flip(content: bytes, draw: random.Random) -> bytes:
    """Flip one bit."""
    changed = bytearray(content or b"\0")
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def flip_many(content: bytes, draw: random.Random) -> bytes:
    for _ in range(20):
        content = flip(content, draw)
    return content


def cut(content: bytes, draw: random.Random) -> bytes:
    """Cut the end off, but not between two lines: lines that are lost whole are found only by what they named."""
    rest = content[: draw.randrange(1, max(2, len(content)))]
    return rest[:-1] if rest.endswith(b"\n") else rest


def zeros(content: bytes, draw: random.Random) -> bytes:
    """Replace the rest by zeros, as a file system does that knew the size and lost the bytes."""
    return cut(content, draw).ljust(len(content), b"\0")


def grow(content: bytes, draw: random.Random) -> bytes:
    return content + draw.randbytes(50)


def double_line(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines, draw.choice(lines or [b""])])


def shuffle_lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(draw.sample(lines, len(lines)))


BYTES = (flip, flip, flip_many, cut, zeros, grow)
LINES = (double_line, shuffle_lines)
"""Damages to files of lines."""


def change_info(change: Callable[[dict[str, Any]], object]) -> Change:
    """Build a change of run.json whose hash fits."""

    def apply(run: Path) -> None:
        info = json.loads((run / "run.json").read_text(encoding="utf-8"))
        change(info)
        (run / "run.json").write_bytes(encode_json({**info, "sha256": hash_info(info)}))

    return apply


def change_lines(file: str, change: Callable[[list[dict[str, Any]]], object]) -> Change:
    """Build a change of the lines of a file whose checksums fit."""

    def apply(run: Path) -> None:
        lines = [record for line in (run / file).read_bytes().split(b"\n") if (record := parse_line(line))]
        lines = change(lines) or lines  # type: ignore[assignment]
        (run / file).write_bytes(b"".join(map(encode_line, lines)))

    return apply


def _model(**fields: Any) -> Change:
    return change_info(lambda info: info["model"].update(fields))


def _deep(run: Path) -> None:
    (run / "run.json").write_bytes(b'{"format": 1, "model": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def _every_line(file: str, /, **fields: Any) -> Change:
    return change_lines(file, lambda lines: [{**line, **fields} for line in lines])


def on_one_file(n_lines: int) -> Corruption:
    """Build a manifest of which many lines name one file."""

    def repeated(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return lines + [{**lines[0], "step": 1000 + number} for number in range(n_lines)]

    return Corruption(f"{n_lines:,} lines on one file", change_lines("manifest.jsonl", repeated), True, True)


def _fewer_symbols(info: dict[str, Any]) -> None:
    info["tokenizer"]["symbols"] = info["tokenizer"]["symbols"][:-2]


IMPOSSIBLE = [
    *(
        Corruption(f"{name} {size}", _model(**{name: size}), True, True)
        for name, size in (
            ("n_layer", 10**9),
            ("n_layer", 9_999),
            ("n_embd", 10**7),
            ("vocab_size", 10**12),
            ("vocab_size", 10**9),
            ("block_size", 2**31),
            ("n_head", 3),
            ("n_layer", -1),
            ("n_layer", "2"),
            ("norm", "none"),
            ("norm_eps", "x"),
        )
    ),
    Corruption("run.json nested 100,000 deep", _deep, True, True),
    on_one_file(2_000),
    Corruption(
        "two steps on one file",
        change_lines("manifest.jsonl", lambda lines: [*lines, {**lines[0], "step": 7}]),
        True,
        True,
    ),
    Corruption("negative steps", _every_line("manifest.jsonl", step=-5), True, True),
    Corruption("negative steps in metrics", _every_line("metrics.jsonl", step=-5), True, True),
    Corruption("a file elsewhere", _every_line("manifest.jsonl", file="../../made.txt"), True, True),
    Corruption("two symbols short", change_info(_fewer_symbols), True, True),
    *(
        Corruption(f"run.json {text[:20]!r}", lambda run, text=text: (run / "run.json").write_bytes(text), True, True)
        for text in (  # type: ignore[misc]
            b"[]",
            b"null",
            b"",
            b"5",
            b'"a"',
            b'{"format": 1, "created": 5}',
            b"\xff\xfe",
            b"{" * 50_000,
            b'{"format": NaN}',
            b'{"format": 2}',
        )
    ),
]


def made_changes(run: Path, draw: random.Random, n: int) -> Iterator[Corruption]:
    """Yield ``n`` changes with fitting hashes: a strange value somewhere in run.json or in a line."""
    files = [
        file
        for file in ("manifest.jsonl", "metrics.jsonl", "samples.jsonl", "resume/manifest.jsonl")
        if (run / file).exists()
    ]
    for number in range(n):
        seed, value = draw.randrange(2**32), draw.choice(STRANGE)
        if number % 2:
            change = change_info(
                lambda info, seed=seed, value=value: _replace_somewhere(info, random.Random(seed), value)
            )  # type: ignore[misc]
        else:
            file = draw.choice(files)
            change = change_lines(
                file, lambda lines, seed=seed, value=value: _replace_somewhere(lines, random.Random(seed), value)
            )  # type: ignore[misc]
        yield Corruption(f"made {number} {seed} {str(value)[:20]!r}", change, True)


def _replace_somewhere(node: Any, draw: random.Random, value: Any) -> None:
    """Replace a value at a random place of nested dictionaries and lists."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw.choice(keys)
        child = node[key]
        if not isinstance(child, (dict, list)) or not child or draw.random() < 0.2:
            node[key] = value
            return
        node = child
