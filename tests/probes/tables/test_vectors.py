"""Word vectors are read as they are written in the file, and a mistake in the file is named with its line."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.errors import InputError, NotApplicableError
from data.printing import has_ink
from data.runs import list_runs
from probes.export import write_word2vec
from probes.tables.vectors import escape, read_word2vec, unescape

GLOVE = "the 0.5 -1\n. . . 2 3e-2\nat name@example.org 1 1\n1999 4 5\n"


def file(folder: Path, content: str | bytes, name: str = "v.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def trajectory(tokens: list[str], table: np.ndarray) -> xr.DataArray:
    labels = np.array(tokens, dtype=object)
    return xr.DataArray(table[None], dims=("step", "token", "dim"), coords={"step": [7], "token": labels})


def test_glove_has_no_header_and_tokens_with_spaces(tmp_path: Path) -> None:
    path = file(tmp_path, GLOVE)
    vectors = read_word2vec(path)
    assert vectors.dims == ("step", "token", "dim")
    assert (vectors.dtype, vectors["token"].dtype) == (np.float32, object)
    assert list(vectors["token"].values) == ["the", ". . .", "at name@example.org", "1999"]
    expected = np.array([[0.5, -1], [2, 0.03], [1, 1], [4, 5]], np.float32)
    np.testing.assert_array_equal(vectors.sel(step=0), expected)
    assert list(vectors["sha256"].values) == [hashlib.sha256(path.read_bytes()).hexdigest()]
    assert (vectors.attrs["run"], vectors["sha256"].dims) == ("v.txt", ("step",))


@pytest.mark.parametrize("content", ["2 2\na 1 2 \nb 3 4 \n\n", "\ufeff2 2\r\na 1 2\r\nb 3 4", "a 1 2\nb 3 4\n"])
def test_line_ends_trailing_spaces_and_byte_order_marks_do_not_matter(tmp_path: Path, content: str) -> None:
    vectors = read_word2vec(file(tmp_path, content))
    assert list(vectors["token"].values) == ["a", "b"]
    np.testing.assert_array_equal(vectors[0], [[1, 2], [3, 4]])


def test_a_limit_reads_so_many_rows_and_hashes_those(tmp_path: Path) -> None:
    rest_is_damaged = file(tmp_path, b"9 2\na 1 2\nb 3 4\n\xff\xff\n")
    vectors = read_word2vec(rest_is_damaged, limit=2)
    assert list(vectors["token"].values) == ["a", "b"]
    assert vectors["sha256"].item() == hashlib.sha256(b"9 2\na 1 2\nb 3 4\n").hexdigest()
    with pytest.raises(InputError, match="at least 1; got 0"):
        read_word2vec(rest_is_damaged, limit=0)


def test_of_a_token_that_comes_twice_the_first_vector_is_kept(tmp_path: Path) -> None:
    path = file(tmp_path, "a 1 2\nb 3 4\na 5 6\na 7 8\n")
    with pytest.warns(UserWarning, match="has 2 rows of tokens that came before, 'a' for one"):
        vectors = read_word2vec(path)
    assert list(vectors["token"].values) == ["a", "b"]
    np.testing.assert_array_equal(vectors[0], [[1, 2], [3, 4]])


def test_backslashes_of_another_origin_stay(tmp_path: Path) -> None:
    ours, other = "2 1\n\\\\ 1\n\\n 2\n", "2 1\n\\ 1\n\\n 2\n"
    assert list(read_word2vec(file(tmp_path, ours))["token"].values) == ["\\", "\n"]
    assert list(read_word2vec(file(tmp_path, other))["token"].values) == ["\\", "\\n"]
    assert list(read_word2vec(file(tmp_path, "\\n 1 2\n"))["token"].values) == ["\\n"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "v.txt is empty"),
        ("\n\n", "v.txt is empty"),
        ("3 2\n", "promises 3 rows and only 0 follow"),
        ("0 2\n", "holds no vectors, only a header"),
        ("a b c\n", "line 1 of v.txt holds no values"),
        ("a 1 2\nb 3\n", "line 2 of v.txt has 1 values instead of 2"),
        ("a 1 2\nb 3 4 5\n", "line 2 of v.txt has 3 values instead of 2"),
        ("2 3\na 1 2 3 4\n", "line 2 of v.txt has 4 values instead of 3"),
        ("a 1 2\nb 3 four\n", "line 2 of v.txt has 'four' where one of its 2 numbers"),
        ("1 2\na 1 nan\n", "line 2 of v.txt holds a value that is NaN"),
        ("a 1 2\nb -inf 2\n", "line 2 of v.txt holds a value that is NaN, infinite"),
        ("a 1 2\nb 1 1e39\n", "line 2 of v.txt holds a value .* too large for float32"),
        ("a 1 2\n\n 3 4\n", "line 2 of v.txt is empty"),
        (b"a 1 2\nb\xe9 1 2\n", "line 2 of v.txt is not UTF-8"),
        ("3 2\na 1 2\nb 3 4\n", "line 1 of v.txt promises 3 rows and only 2 follow"),
        ("1 2\na 1 2\nb 3 4\n", "line 1 of v.txt promises 1 rows and more follow"),
    ],
)
def test_mistakes_are_named_by_their_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_word2vec(file(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.vec cannot be read \(No such file"):
        read_word2vec(tmp_path / "none.vec")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory"):
        read_word2vec(tmp_path)


@given(st.text(st.characters(), max_size=6))
def test_escaped_tokens_are_visible_and_come_back(token: str) -> None:
    written = escape(token)
    assert written.split() == [written]
    assert all(map(has_ink, written))
    assert unescape(written) == token
    written.encode()


def test_files_of_older_versions_and_of_other_programs_are_read_as_they_were_meant(tmp_path: Path) -> None:
    older = "2 1\na\u00adb\\u0020c 1\nzero\u200bwidth 2\n"  # the soft hyphen raw, the space as an escape
    assert list(read_word2vec(file(tmp_path, older))["token"].values) == ["a\u00adb c", "zero\u200bwidth"]
    other = "2 1\nC:\\users 1\nx\\u0041 2\n"
    assert list(read_word2vec(file(tmp_path, other))["token"].values) == ["C:\\users", "x\\u0041"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_written_is_read_again(data: st.DataObject) -> None:
    # No lone surrogates: no UTF-8 text holds one, and xarray cannot hold one in a coordinate.
    tokens = data.draw(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), min_size=1, max_size=6, unique=True)
    )
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
    shape = (len(tokens), data.draw(st.integers(1, 4)))
    table = data.draw(arrays(np.float32, shape, elements=st.just(np.float32(7.038531e-26)) | finite))
    with tempfile.TemporaryDirectory() as folder:
        vectors = read_word2vec(write_word2vec(trajectory(tokens, table), Path(folder) / "v.vec", 7))
    assert list(vectors["token"].values) == tokens
    assert vectors.values[0].tobytes() == table.tobytes()


def test_twenty_thousand_vectors_take_seconds(tmp_path: Path) -> None:
    row = " ".join(f"{value:.6f}" for value in np.random.default_rng(0).normal(size=100))
    path = file(tmp_path, "".join(f"word{i} {row}\n" for i in range(20_000)))
    start = time.perf_counter()
    assert read_word2vec(path).shape == (1, 20_000, 100)
    assert time.perf_counter() - start < 10  # half a second where nothing else runs


def test_vectors_become_a_run_that_is_drawn_and_measured_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from probes.__main__ import main
    from probes.registry import ProbeRequest
    from probes.tables.embeddings import token_embeddings
    from viz.figures import __main__ as figures

    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    random = np.random.default_rng(0)
    values = random.normal(size=(30, 4)).astype(np.float32)
    rows = [f"word{i} " + " ".join(map(str, row)) for i, row in enumerate(values)]
    (tmp_path / "my vectors.txt").write_text("\n".join(rows) + "\n")
    main(ProbeRequest(vectors=tmp_path / "my vectors.txt"))
    (run,) = list_runs()
    assert run.name == "my-vectors"
    np.testing.assert_array_equal(token_embeddings(run).values[0], values)
    assert list(token_embeddings(run)["token"].values) == [f"word{i}" for i in range(30)]
    capsys.readouterr()
    figures.main(figures.FigureRequest(method="pca", format="png"))
    printed = capsys.readouterr()
    assert {path.stem for path in (run.path / "figures").glob("*.png")} == {"tokens-pca", "token-spectrum"}
    assert "holds no model, only vectors" in printed.err
    with pytest.raises(NotApplicableError, match="holds no model"):
        main(ProbeRequest(measure=("heads",)))
    with pytest.raises(InputError, match="exists already"):
        main(ProbeRequest(vectors=tmp_path / "my vectors.txt"))
    with pytest.raises(InputError, match="makes a run and nothing else"):
        main(ProbeRequest(vectors=tmp_path / "my vectors.txt", export="csv"))
