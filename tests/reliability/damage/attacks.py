"""Runs that somebody made to do harm: links out of the run, pipes and devices, huge files, archives that grow, pickles, headers that lie.

Each attack changes a copy of a good run. `decoy` is a folder beside the runs that must be neither read nor changed; it holds `SECRET`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

SECRET = "the secret of somebody else"
PARTS = ("snapshots", "resume", "traces", "films", "figures", "projections", "exports")
FILES = (
    "run.json",
    "manifest.jsonl",
    "metrics.jsonl",
    "samples.jsonl",
    "label.json",
    "training.lock",
    "resume/manifest.jsonl",
    "resume/a.safetensors",
    "resume/b.safetensors",
    "snapshots/00000060.safetensors",
)

Attack = Callable[[Path, Path], object]


def make_decoy(folder: Path, run: Path) -> Path:
    """Make a folder with a copy of every part of a run, and a secret in files that a link may lead to."""
    decoy = folder / "decoy"
    shutil.copytree(run, decoy)
    for name in (*PARTS, "."):
        (decoy / name).mkdir(exist_ok=True)
        (decoy / name / "secret.txt").write_text(SECRET)
    return decoy


def fingerprint(folder: Path) -> str:
    """Hash the names and bytes of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def attacks() -> Iterator[tuple[str, Attack]]:
    """Yield every attack by its name."""
    for part in PARTS:
        yield f"link of the folder {part}", _linked(part)
    for file in FILES:
        yield f"link of the file {file}", _linked(file)
        yield f"pipe as {file}", _replaced(file, os.mkfifo)
        yield f"endless device as {file}", _replaced(file, lambda path: path.symlink_to("/dev/zero"))
        yield f"folder as {file}", _replaced(file, Path.mkdir)
    for file in ("manifest.jsonl", "metrics.jsonl", "run.json", "label.json", "resume/a.safetensors"):
        yield f"10 GB of nothing as {file}", _replaced(file, _sparse)
    yield "hard link of metrics.jsonl", _hard_linked("metrics.jsonl")
    yield "hard link of manifest.jsonl", _hard_linked("manifest.jsonl")
    for name, replace in LAYOUTS.items():
        yield f"{name} as a layout", _every_layout(replace)
    for name, header in LYING_HEADERS.items():
        yield f"header with {name}", _with_header(header)


def _every_layout(replace: Callable[[Path], object]) -> Attack:
    """Replace every cached layout of a run."""

    def attack(run: Path, decoy: Path) -> None:
        for path in list((run / "projections").iterdir()):
            _clear(path)
            replace(path)

    return attack


def _linked(part: str) -> Attack:
    def attack(run: Path, decoy: Path) -> None:
        _clear(run / part)
        (run / part).symlink_to(decoy / part)

    return attack


def _hard_linked(file: str) -> Attack:
    def attack(run: Path, decoy: Path) -> None:
        _clear(run / file)
        os.link(decoy / file, run / file)

    return attack


def _replaced(file: str, make: Callable[[Path], object]) -> Attack:
    def attack(run: Path, decoy: Path) -> None:
        _clear(run / file)
        make(run / file)

    return attack


def _clear(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 << 30)


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("layout.npy", "w") as member:
        for _ in range(1024):
            member.write(bytes(1 << 20))


class _Harm:
    """An object whose unpickling makes a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("harmed",))


def _pickled(path: Path) -> None:
    np.savez(path, layout=np.array([_Harm()], dtype=object))


def _described(**about: object) -> Callable[[Path], object]:
    """Write a layout that says this of itself; its file is an archive of arrays like any other."""

    def write(path: Path) -> None:
        described = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez(path, about=described, layout=np.zeros((3, 4, 2), np.float32))

    return write


LAYOUTS: dict[str, Callable[[Path], object]] = {
    "archive that grows to 1 GB": _zip_bomb,
    "pickle": _pickled,
    "pipe": os.mkfifo,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "10 GB of nothing": _sparse,
    "folder": Path.mkdir,
    "layout of another shape": _described(dims={"layout": ["step", "token", "axis"]}, attrs={}),
    "layout without dimensions": _described(dims={"layout": []}, attrs={}),
    "layout of no arrays": _described(dims={}, attrs={}),
    "list": _described(dims=[], attrs=5),
}
"""What may lie in the place of a cached layout."""


def _entry(**changes: object) -> dict[str, object]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}


LYING_HEADERS: dict[str, bytes] = {
    "a length of 2**60": struct.pack("<Q", 2**60),
    "no room": b"\x01\x02",
    "no JSON": struct.pack("<Q", 8) + b"nothing!" + bytes(8),
    **{
        name: struct.pack("<Q", len(described)) + described + bytes(8)
        for name, described in {
            "negative shape": json.dumps({"a": _entry(shape=[-2])}).encode(),
            "huge shape": json.dumps({"a": _entry(shape=[2**62, 2**62])}).encode(),
            "unknown type": json.dumps({"a": _entry(dtype="F31")}).encode(),
            "offsets beyond the end": json.dumps({"a": _entry(data_offsets=[0, 2**40])}).encode(),
            "offsets that overlap": json.dumps({"a": _entry(), "b": _entry()}).encode(),
            "offsets in reverse": json.dumps({"a": _entry(data_offsets=[8, 0])}).encode(),
            "a gap": json.dumps({"a": _entry(shape=[1], data_offsets=[4, 8])}).encode(),
            "a text for a shape": json.dumps({"a": _entry(shape="2")}).encode(),
            "metadata that are numbers": json.dumps({"__metadata__": {"a": 1}, "a": _entry()}).encode(),
            "depth": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        }.items()
    },
}


def _with_header(content: bytes) -> Attack:
    """Put a file with this content in the place of the last snapshot, entered in the manifest with its size and hash."""

    def attack(run: Path, decoy: Path) -> None:
        from data.files.atomic_files import encode_line

        (run / "snapshots" / "00000060.safetensors").write_bytes(content)
        record = {
            "step": 60,
            "file": "snapshots/00000060.safetensors",
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        with (run / "manifest.jsonl").open("ab") as manifest:
            manifest.write(encode_line(record))

    return attack
