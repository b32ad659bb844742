"""Only regular files inside their folder are opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data.files.regular_files import UnsafeFileError, inside, open_regular, read_regular


def test_a_path_below_a_folder_is_joined(tmp_path: Path) -> None:
    assert inside(tmp_path, "snapshots", "a.safetensors") == tmp_path / "snapshots" / "a.safetensors"


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", "/etc/passwd", "a\0b"])
def test_a_part_that_is_no_plain_name_is_refused(tmp_path: Path, part: str) -> None:
    with pytest.raises(UnsafeFileError, match="is not the name of a file"):
        inside(tmp_path, part)


def test_a_link_is_not_followed_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"secret")
    run = tmp_path / "run"
    run.mkdir()
    (run / "snapshots").symlink_to(tmp_path / "elsewhere")
    (run / "file").symlink_to(tmp_path / "elsewhere" / "file")
    for parts in (("snapshots", "file"), ("file",)):
        with pytest.raises(UnsafeFileError, match="is a link, which is not followed"):
            inside(run, *parts)
    with pytest.raises(UnsafeFileError, match="is a link"):
        open_regular(run / "file")


def test_the_folder_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "file").write_bytes(b"mine")
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    assert read_regular(inside(tmp_path / "runs", "file"), 9) == b"mine"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/zero")):
        with pytest.raises(UnsafeFileError, match="is not a regular file"):
            open_regular(path)


def test_a_file_that_is_too_large_is_not_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 11)
    assert read_regular(path, 11) == b"x" * 11
    with pytest.raises(UnsafeFileError, match="is not read"):
        read_regular(path, 10)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
