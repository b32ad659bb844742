"""Runs at an address of fsspec are read; of a table, only its bytes."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import InputError
from data.files.remote_files import RemoteError, as_path, read_range
from data.runs import Run, create_run, list_runs, open_run, write_snapshot
from data.runs.labels import Label, write_label
from data.upkeep.pruning import prune
from data.upkeep.repair import repair
from data.upkeep.sizes import part_sizes
from data.upkeep.verification import verify
from probes.export import export_files
from probes.tables.embeddings import read_table
from probes.tables.geometry import token_geometry
from trainer.config import preset, replace, trained_config
from trainer.session import resume_training, start
from viz.output import writable_folder
from viz.projection.projection_cache import cached_projection

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("upath")


@pytest.fixture
def shelf(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The tiny run in fsspec's memory, where commands look for runs."""
    files = fsspec.filesystem("memory")
    for path in run.path.rglob("*"):
        if path.is_file():
            files.pipe_file(f"/shelf/tiny/{path.relative_to(run.path).as_posix()}", path.read_bytes())
    monkeypatch.setenv("GPTLAB_RUNS", "memory://shelf")
    yield files
    files.rm("/shelf", recursive=True)


def test_a_remote_run_is_the_run(shelf: Any, run: Run) -> None:
    there = open_run()
    assert [found.name for found in list_runs()] == ["tiny"]
    assert there.info == run.info
    assert (there.manifest(), there.metrics(), there.samples()) == (run.manifest(), run.metrics(), run.samples())
    assert there.tokenizer == run.tokenizer
    for here, copy in zip(run.sound_snapshots(), there.sound_snapshots(), strict=True):
        for name, tensor in here.tensors().items():
            np.testing.assert_array_equal(copy.tensors()[name], tensor)
            np.testing.assert_array_equal(copy.tensor(name), tensor)


def test_a_table_is_read_without_the_rest_of_the_snapshots(
    shelf: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_bytes = 0
    read = type(shelf).cat_file

    def counted(files: Any, path: str, start: int | None = None, end: int | None = None, **more: Any) -> bytes:
        nonlocal n_bytes
        content: bytes = read(files, path, start=start, end=end, **more)
        n_bytes += len(content)
        return content

    monkeypatch.setattr(type(shelf), "cat_file", counted)
    there = read_table(open_run(), "positions")
    np.testing.assert_array_equal(there.values, read_table(run, "positions").values)
    sizes = [snapshot.bytes for snapshot in run.snapshots()]
    assert 0 < n_bytes < sum(sizes) / 2
    headers = n_bytes - there.values.nbytes
    assert headers < 4000 * len(sizes)


def test_a_whole_snapshot_is_read_by_one_request(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_), read, sizes = open_run().snapshots(), type(shelf).cat_file, list[int]()

    def noted(files: Any, path: str, start: int | None = None, end: int | None = None, **more: Any) -> bytes:
        content: bytes = read(files, path, start=start, end=end, **more)
        sizes.append(len(content))
        return content

    monkeypatch.setattr(type(shelf), "cat_file", noted)
    assert not isinstance(first.read_checked(), str)
    assert sizes == [first.bytes]


def test_a_remote_snapshot_of_another_size_is_named_and_left_out(shelf: Any) -> None:
    path = "/shelf/tiny/snapshots/00000020.safetensors"
    shelf.pipe_file(path, shelf.cat_file(path) + b"x")
    with pytest.warns(UserWarning, match="snapshot of step 20 of run 'tiny' has .* bytes instead of"):
        assert 20 not in read_table(open_run(), "tokens")["step"].values


def test_nothing_is_written_there(shelf: Any, text_file: Path) -> None:
    before = sorted(shelf.find("/shelf"))
    there = open_run()
    for write in (
        lambda: write_snapshot(there, 1000, {"x": np.zeros(1, np.float32)}),
        lambda: create_run("other", {}),
        lambda: write_label(there, Label("a name", "")),
        lambda: writable_folder(there.inside("figures")),
        lambda: export_files(token_geometry(there), there.inside("exports"), "geometry", ["csv"]),
        lambda: repair(there),
        lambda: prune(there, "last:1"),
        lambda: start(replace(preset("tiny"), {"corpus": str(text_file)}, "a test"), "other"),
        lambda: resume_training(there, trained_config(there)),
    ):
        with pytest.raises(RemoteError, match="is an address, where nothing is written: give a folder of this machine"):
            write()
    assert sorted(shelf.find("/shelf")) == before


class _Ranges(BaseHTTPRequestHandler):
    """Serve one file, and the ranges of it that are asked for."""

    content = bytes(range(256)) * 100

    def do_HEAD(self) -> None:
        self._answer(200, self.content, send=False)

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = self.content[int(asked[1]) : int(asked[2]) + 1] if asked else self.content
        self.server.sent.append(len(part))  # type: ignore[attr-defined]
        self._answer(206 if asked else 200, part)

    def _answer(self, status: int, content: bytes, *, send: bool = True) -> None:
        self.send_response(status)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if send:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def test_ranges_are_asked_of_a_server() -> None:
    pytest.importorskip("aiohttp", reason="fsspec reads from servers through aiohttp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ranges)
    server.sent = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        path = as_path(f"http://127.0.0.1:{server.server_port}/file")
        assert read_range(path, 100, 120) == _Ranges.content[100:120]
        assert server.sent == [20]  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


class _Files(SimpleHTTPRequestHandler):
    """Serve a folder with lists of its files, as Python's own server does; it answers no ranges."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(run: Run) -> Iterator[str]:
    """The address of a server of the folder that holds the tiny run."""
    pytest.importorskip("aiohttp", reason="fsspec reads from servers through aiohttp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(run.path.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_that_knows_no_ranges_is_read_too(address: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", address)
    there = open_run()
    assert there.metrics() == run.metrics()
    np.testing.assert_array_equal(read_table(there, "tokens").values, read_table(run, "tokens").values)
    assert {(size.part, size.n_files, size.n_bytes) for size in part_sizes(there)} == {
        (size.part, size.n_files, size.n_bytes) for size in part_sizes(run)
    }
    assert not verify(there).findings
    np.testing.assert_array_equal(
        cached_projection(there, read_table(there, "tokens"), "pca")["layout"],
        cached_projection(run, read_table(run, "tokens"), "pca")["layout"],
    )
    with pytest.raises(InputError, match=rf"there is no run 'other' in {address}/; there is tiny"):
        open_run("other")


@pytest.mark.parametrize(
    "ask", [list_runs, open_run, lambda: open_run("tiny"), lambda: verify(Run(as_path(nowhere())))]
)
def test_an_address_where_nobody_answers_is_refused_in_a_line(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp", reason="fsspec reads from servers through aiohttp")
    monkeypatch.setenv("GPTLAB_RUNS", nowhere())
    with pytest.raises(RemoteError, match=r"cannot be read \(Cannot connect to host 127\.0\.0\.1") as refusal:
        ask()
    assert "\n" not in str(refusal.value)


def nowhere() -> str:
    """Return an address at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_folder_is_a_path_and_an_unknown_address_is_named(tmp_path: Path) -> None:
    assert as_path(str(tmp_path)) == tmp_path
    with pytest.raises(InputError, match=r"is no address that can be read|is read through fsspec"):
        as_path("nosuchthing://runs")
