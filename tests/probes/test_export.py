"""What is exported is read back the same by the programs it is for: pandas, Arrow, xarray, and readers of word vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from data.errors import InputError
from data.runs import Run
from probes.export import FORMATS, export_files, write_netcdf, write_projector, write_table, write_word2vec
from probes.tables.embeddings import position_embeddings, token_embeddings

TOKENS = ["\n", ",", '"', "a b", "", "NA", "null", "nan", "\r", "\t", " ", "1", "True", "\u2028", "não", "\\", "\ufeff"]


@pytest.fixture
def vectors() -> xr.DataArray:
    values = np.random.default_rng(0).normal(size=(2, len(TOKENS), 3)).astype(np.float32)
    return xr.DataArray(
        values,
        dims=("step", "token", "dim"),
        coords={"step": [0, 20], "token": np.array(TOKENS, dtype=object), "sha256": ("step", ["aa", "bb"])},
        name="token_table",
        attrs={"run": "r", "seed": 3, "share": 0.5, "made": {"by": ["a", None]}, "note": None, "tied": True},
    )


def read_table(path: Path, value: str) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, keep_default_na=False, na_values={value: [""]}, dtype={"token": str})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_are_tidy_and_give_tokens_and_values_back(vectors: xr.DataArray, tmp_path: Path, suffix: str) -> None:
    vectors[1, 4, 2] = np.nan
    [path] = write_table(vectors, tmp_path / f"v{suffix}")
    table = read_table(path, "token_table")
    assert list(table.columns) == ["step", "token", "dim", "token_table"]
    assert list(table["token"]) == [token for _ in range(2) for token in TOKENS for _ in range(3)]
    again = table.set_index(["step", "token", "dim"])["token_table"].astype(np.float32).to_xarray()
    np.testing.assert_array_equal(again.sel(token=TOKENS), vectors)


def test_nan_is_empty_in_csv_and_an_empty_token_is_not(tmp_path: Path) -> None:
    data = xr.DataArray([np.nan, 0.1], dims="token", coords={"token": ["", "a"]})
    [path] = write_table(data, tmp_path / "v.csv")
    assert path.read_text() == '"token","value"\n"",\n"a",0.1\n'


def test_variables_with_other_dimensions_have_a_table_of_their_own(tmp_path: Path) -> None:
    scores = xr.Dataset(
        {
            "induction": (("step", "head"), [[0.1, 0.2]]),
            "sink": (("head", "step"), [[0.3], [0.4]]),
            "loss": ("step", [2.0]),
            "count": 5,
        },
        coords={"step": [10], "head": [0, 1]},
    )
    paths = write_table(scores, tmp_path / "scores.csv")
    assert [path.name for path in paths] == ["scores-step-head.csv", "scores-step.csv", "scores-values.csv"]
    heads, loss, count = map(pd.read_csv, paths)
    assert heads.values.tolist() == [[10, 0, 0.1, 0.3], [10, 1, 0.2, 0.4]]
    assert (loss.values.tolist(), count.to_dict("list")) == ([[10, 2.0]], {"count": [5]})


def test_netcdf_gives_everything_back(vectors: xr.DataArray, tmp_path: Path) -> None:
    vectors["token"].attrs["coded"] = False
    before = vectors.copy(deep=True)
    with xr.open_dataset(write_netcdf(vectors, tmp_path / "v.nc"), engine="h5netcdf") as file:
        again = file["token_table"].load()
    xr.testing.assert_equal(again, vectors)
    assert again["token"].attrs == {"coded": "false"}
    for name, value in vectors.attrs.items():
        same = again.attrs[name] if name in ("run", "seed", "share") else json.loads(again.attrs[name])
        assert same == value
    xr.testing.assert_identical(vectors, before)


def test_word2vec_has_a_header_and_shortest_decimals(tmp_path: Path) -> None:
    table = np.array([[0.1, 1e-5, 7.038531e-26], [1 / 3, -2, 16777216]], np.float32)[None]
    table[0, 0, 2] = np.frombuffer(np.uint32(0x15AE43FD).tobytes(), np.float32)[0]
    data = xr.DataArray(table, dims=("step", "position", "dim"), coords={"step": [9]})
    path = write_word2vec(data, tmp_path / "v.vec", 9)
    lines = [line.split(" ") for line in path.read_text().splitlines()]
    assert lines[0] == ["2", "3"]
    assert lines[1][:3] == ["0", "0.1", "1e-05"]
    assert lines[2][:3] == ["1", "0.33333334", "-2.0"]
    np.testing.assert_array_equal(np.array([line[1:] for line in lines[1:]], float).astype(np.float32), table[0])


def test_the_projector_finds_a_label_and_a_vector_on_each_line(vectors: xr.DataArray, tmp_path: Path) -> None:
    tensors, metadata = write_projector(vectors, tmp_path, 20)
    np.testing.assert_array_equal(np.loadtxt(tensors, delimiter="\t").astype(np.float32), vectors.sel(step=20))
    labels = metadata.read_text(encoding="utf-8").split("\n")[:-1]
    assert labels[:5] == ["\\n", ",", '"', "a b", "\\e"]
    assert len(labels) == len(set(labels)) == len(TOKENS)
    assert all(label.strip() and "\t" not in label for label in labels)
    _, metadata = write_projector(vectors, tmp_path, 20, {"class": ["x"] * len(TOKENS), "rank": range(len(TOKENS))})
    header, first, *rest = metadata.read_text(encoding="utf-8").split("\n")[:-1]
    assert (header, first, len(rest)) == ("token\tclass\trank", "\\n\tx\t0", len(TOKENS) - 1)
    with pytest.raises(InputError, match="'class' has 1 values for 17 labels"):
        write_projector(vectors, tmp_path, 20, {"class": ["x"]})


def test_the_requested_formats_are_written(run: Run, tmp_path: Path) -> None:
    paths = export_files(token_embeddings(run), tmp_path, "tokens", FORMATS)
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names[:4] == ["tokens.csv", "tokens.parquet", "tokens.nc", "tokens-step60.vec"]
    assert names[4:] == ["tokens-step60/tensors.tsv", "tokens-step60/metadata.tsv"]
    [path] = export_files(position_embeddings(run), tmp_path, "positions", ["word2vec", "word2vec"], step=20)
    assert (path.name, path.read_text().split("\n")[1].split(" ")[0]) == ("positions-step20.vec", "0")


def test_mistakes_are_named_before_anything_is_written(vectors: xr.DataArray, tmp_path: Path) -> None:
    for data, formats, step, message in (
        (vectors, ["csv", "xlsx"], None, "written as csv, parquet, netcdf, word2vec, projector; got xlsx"),
        (vectors, [], None, "got none"),
        (vectors, ["csv", "word2vec"], 7, "there is no step 7 to write; there is 0, 20"),
        (vectors[0], ["csv", "projector"], None, "step, token or position, dim; this has token, dim: choose csv"),
        (vectors.to_dataset(), ["word2vec"], None, "they need a trajectory"),
        (vectors * np.inf, ["word2vec"], 20, "step 20 has values that are NaN or infinite"),
        (vectors.assign_coords(token=["\ud800"] * 17), ["csv"], None, "half a character, which .csv"),
        (vectors.assign_coords(token=["a\0b"] * 17), ["netcdf"], None, "NUL character, which .nc"),
    ):
        with pytest.raises(InputError, match=message):
            export_files(data, tmp_path / "out", "v", formats, step)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_a_disk_that_fails_leaves_no_half_file(
    vectors: xr.DataArray, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.files.atomic_files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export_files(vectors, tmp_path / "out", "v", [name])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_token_that_looks_like_an_escape_differs_from_the_escaped_one(tmp_path: Path) -> None:
    tokens = ["\n", "\\n", "\\\\n", "\u200b", "\\u200b", "", "\\e", "a\u00adb", "C:\\dir", " the"]
    values = np.zeros((1, len(tokens), 2), np.float32)
    coords = {"step": [0], "token": np.array(tokens, dtype=object)}
    _, metadata = write_projector(xr.DataArray(values, coords, ("step", "token", "dim")), tmp_path)
    labels = metadata.read_text(encoding="utf-8").split("\n")[:-1]
    assert labels[:5] == ["\\n", "\\\\n", "\\\\\\\\n", "\\u200b", "\\\\u200b"]
    assert labels[7:] == ["a\\u00adb", "C:\\dir", " the"]
    assert len(set(labels)) == len(tokens)
