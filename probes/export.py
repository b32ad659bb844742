"""Labelled arrays written as files for other programs: tables, NetCDF, word vectors. Each file is written whole or not at all.

============  =====================  ==========================================================================
format        file                   holds
============  =====================  ==========================================================================
csv, parquet  ``NAME.csv``           a row per cell, a column per dimension and variable (`write_table`)
netcdf        ``NAME.nc``            everything: values, coordinates and attributes (`write_netcdf`)
word2vec      ``NAME-stepS.vec``     the vectors of one step as text (`write_word2vec`)
projector     ``NAME-stepS/``        the vectors of one step for TensorBoard's projector (`write_projector`)
============  =====================  ==========================================================================
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError
from data.files.atomic_files import write_bytes
from data.printing import has_ink
from probes.tables.vectors import escape, unescape

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "parquet", "netcdf", "word2vec", "projector")
TABLES = (".csv", ".parquet")
ITEMS = ("token", "position")


def export_files(
    data: xr.DataArray | xr.Dataset, folder: Path, name: str, formats: Sequence[str], step: int | None = None
) -> list[Path]:
    """Write data in several formats.

    Parameters
    ----------
    data : the result of a probe.
    folder : folder of the files; it is made if needed.
    name : start of the files' names.
    formats : some of `FORMATS`; they and the step are checked before anything is written.
    step : the step that word2vec and projector files hold; the last if not given. The other formats hold all steps.

    Returns
    -------
    The paths of the files, in the order of ``formats``.

    Examples
    --------
    >>> import tempfile
    >>> loss = xr.DataArray([3.0, 2.5], dims="step", coords={"step": [0, 100]}, name="loss")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in export_files(loss, Path(folder), "loss", ["csv", "netcdf"])]
    ['loss.csv', 'loss.nc']
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        got = ", ".join(unknown) or "none"
        raise InputError(f"data is written as {', '.join(FORMATS)}; got {got}: choose among these")
    if "word2vec" in formats or "projector" in formats:
        trajectory = _check_trajectory(data)
        step = _check_step(trajectory, step)
    paths: list[Path] = []
    for chosen in dict.fromkeys(formats):
        if chosen in ("csv", "parquet"):
            paths += write_table(data, folder / f"{name}.{chosen}")
        elif chosen == "netcdf":
            paths.append(write_netcdf(data, folder / f"{name}.nc"))
        elif chosen == "word2vec":
            paths.append(write_word2vec(trajectory, folder / f"{name}-step{step}.vec", step))
        else:
            paths += write_projector(trajectory, folder / f"{name}-step{step}", step)
    return paths


def write_table(data: xr.DataArray | xr.Dataset, path: Path) -> list[Path]:
    r"""Write tidy tables: a row per cell, a column per dimension, coordinate and variable.

    Variables that share their dimensions share a table. If a dataset needs more than one, each is named by its dimensions, as in
    ``heads-step-layer-head.csv`` (``heads-values.csv`` for those without any). The hashes in ``sha256`` and the attributes are left out: a
    table would repeat them in every row. `write_netcdf` keeps them.

    Parameters
    ----------
    data : array or dataset; an array without a name becomes the column ``value``, a dimension without labels counts from 0.
    path : ends in ``.csv`` (UTF-8, LF, text in quotes, NaN left empty) or ``.parquet`` (NaN is null).

    A token that holds a lone surrogate, which UTF-8 cannot, is an `InputError`.

    Examples
    --------
    When reading it, make pandas take tokens as text, and only values as missing: ``""``, ``"NA"`` and ``"null"`` are tokens.

    >>> import pandas as pd, tempfile
    >>> scores = xr.DataArray([0.5, np.nan], dims="token", coords={"token": ["NA", "\n"]}, name="score")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path] = write_table(scores, Path(folder) / "scores.csv")
    ...     table = pd.read_csv(path, keep_default_na=False, na_values={"score": [""]}, dtype={"token": str})
    >>> list(table["token"]), list(table["score"])
    (['NA', '\n'], [0.5, nan])
    """
    if path.suffix not in TABLES:
        raise InputError(f"a table is written as {' or '.join(TABLES)}; got {path.name!r}: choose one of these endings")
    dataset = _as_dataset(data)
    _check_text(dataset, path.suffix)
    by_dims: dict[frozenset[str], list[str]] = {}
    for name, variable in dataset.data_vars.items():
        by_dims.setdefault(frozenset(map(str, variable.dims)), []).append(str(name))
    paths = []
    for names in by_dims.values():
        dims = "-".join(map(str, dataset[names[0]].dims)) or "values"
        target = path if len(by_dims) == 1 else path.with_name(f"{path.stem}-{dims}{path.suffix}")
        write_bytes(target, _encode_table(_tidy(dataset[names]), path.suffix))
        paths.append(target)
    return paths


def write_netcdf(data: xr.DataArray | xr.Dataset, path: Path) -> Path:
    """Write a NetCDF-4 file, which ``xarray.open_dataset`` reads back with equal values, coordinates and attributes.

    An array without a name becomes the variable ``value``. NetCDF attributes are numbers and text; anything else (a dict, a list, None, a
    bool) is written as JSON text, which ``json.loads`` reads. Text with a NUL character or a lone surrogate is an `InputError`.
    """
    dataset = _as_dataset(data).drop_encoding()  # the encoding of a file that it was read from may not fit
    _check_text(dataset, path.suffix, nul=False)
    dataset.attrs = _plain(dataset.attrs)
    for variable in dataset.variables.values():
        variable.attrs = _plain(variable.attrs)
    with tempfile.TemporaryDirectory() as folder:  # HDF5 seeks, so it needs a file
        whole = Path(folder) / "data.nc"
        dataset.to_netcdf(whole, engine="h5netcdf")
        write_bytes(path, whole.read_bytes())
    return path


def write_word2vec(trajectory: xr.DataArray, path: Path, step: int | None = None) -> Path:
    r"""Write the vectors of one step in the text format of word2vec, which gensim, fastText's tools and `read_word2vec` load.

    The first line holds the numbers of rows and dimensions, each further one a token and its values, with single spaces between. A value is
    the shortest decimal that gives the same float32 again. Since spaces and line ends separate, tokens are written with escapes
    (`probes.tables.vectors.escape`): a space is ``\u0020``, a newline ``\n``, a backslash ``\\``, the empty token ``\e``. Positions
    are written as their numbers.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim); values that are not finite as float32 are an `InputError`.
    path : the file to write.
    step : the step to write; the last if not given.
    """
    labels, table = _one_step(trajectory, step)
    rows = (f"{escape(label)} {' '.join(row)}\n" for label, row in zip(labels, _decimals(table), strict=True))
    write_bytes(path, "".join([f"{table.shape[0]} {table.shape[1]}\n", *rows]).encode())
    return path


def write_projector(
    trajectory: xr.DataArray, folder: Path, step: int | None = None, metadata: Mapping[str, Sequence[Any]] | None = None
) -> list[Path]:
    r"""Write ``tensors.tsv`` and ``metadata.tsv`` for TensorBoard's embedding projector (its button "Load").

    Parameters
    ----------
    trajectory, step : as in `write_word2vec`.
    folder : the folder for the pair of files.
    metadata : further columns, by name, with a value per item, such as a class to colour by.

    Returns
    -------
    The two paths. Without ``metadata`` the second holds only the labels, without a header, as the projector requires; otherwise its
    first line names the columns. A label with a character without ink other than the space is escaped, as is one that would break the
    line or looks like an escape (`probes.tables.vectors.escape`).
    """
    labels, table = _one_step(trajectory, step)
    item = str(trajectory.dims[1])
    columns: dict[str, Sequence[Any]] = {item: labels}
    for name, values in (metadata or {}).items():
        if len(values) != len(labels) or name == item:
            advice = f"give one for each, and a name other than {item!r}"
            raise InputError(f"metadata {name!r} has {len(values)} values for {len(labels)} labels: {advice}")
        columns[name] = values
    lines = [] if len(columns) == 1 else [tuple(columns)]
    lines += zip(*columns.values(), strict=True)
    texts = {
        "tensors.tsv": "".join("\t".join(row) + "\n" for row in _decimals(table)),
        "metadata.tsv": "".join("\t".join(_visible(str(value)) for value in line) + "\n" for line in lines),
    }
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    return [folder / name for name in texts]


def _as_dataset(data: xr.DataArray | xr.Dataset) -> xr.Dataset:
    dataset = data.copy(deep=False) if isinstance(data, xr.Dataset) else data.to_dataset(name=data.name or "value")
    if not dataset.data_vars:
        raise InputError("the dataset has coordinates only and no values: there is nothing to write")
    return dataset


def _tidy(dataset: xr.Dataset) -> pd.DataFrame:
    import pandas as pd

    dataset = dataset.drop_vars("sha256", errors="ignore")
    dims = [str(dim) for dim in next(iter(dataset.data_vars.values())).dims]
    if not dims:
        return pd.DataFrame({str(name): [variable.values.item()] for name, variable in dataset.variables.items()})
    return dataset.to_dataframe(dim_order=dims).reset_index()


def _encode_table(frame: pd.DataFrame, suffix: str) -> bytes:
    # Arrow writes text in quotes and NaN as nothing, so that an empty token and a missing value differ; pandas alone cannot do both.
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    sink = pyarrow.BufferOutputStream()
    write = pyarrow.csv.write_csv if suffix == ".csv" else pyarrow.parquet.write_table
    write(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _check_text(dataset: xr.Dataset, suffix: str, *, nul: bool = True) -> None:
    """Refuse text that a format cannot hold: lone surrogates, and NUL unless ``nul``."""
    refused = f"which {suffix} files cannot hold"
    for name, variable in dataset.variables.items():
        if variable.dtype.kind not in "OU":
            continue
        for text in (value for value in variable.values.flat if isinstance(value, str)):
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise InputError(f"{name} {text!r} is half a character, {refused}: name it otherwise")
            if "\0" in text and not nul:
                raise InputError(f"{name} {text!r} has a NUL character, {refused}: write parquet")


def _plain(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain_value(value) for name, value in attrs.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if fits or isinstance(value, str | float) else json.dumps(value, ensure_ascii=False, default=str)


def _check_trajectory(data: xr.DataArray | xr.Dataset) -> xr.DataArray:
    dims = tuple(map(str, data.dims))
    if isinstance(data, xr.DataArray) and len(dims) == 3 and dims[::2] == ("step", "dim") and dims[1] in ITEMS:
        return data
    rule = "word2vec and projector files hold a vector per token or position, so they need a trajectory"
    found = f"with the dimensions step, token or position, dim; this has {', '.join(dims) or 'none'}"
    raise InputError(f"{rule} {found}: choose csv, parquet or netcdf")


def _check_step(trajectory: xr.DataArray, step: int | None) -> int:
    steps = [int(known) for known in trajectory["step"].values]
    if not steps or (step is not None and step not in steps):
        known = ", ".join(map(str, steps[:8])) + (f" and {len(steps) - 8} more, up to {steps[-1]}" if steps[8:] else "")
        raise InputError(f"there is no step {step} to write; there is {known or 'none'}: choose one of these")
    return steps[-1] if step is None else step


def _one_step(trajectory: xr.DataArray, step: int | None) -> tuple[list[str], NDArray[np.float32]]:
    """Return the labels and the vectors, (item, dim), of a step."""
    step = _check_step(_check_trajectory(trajectory), step)
    with np.errstate(over="ignore"):
        table = trajectory.sel(step=step).values.astype(np.float32)
    if not np.isfinite(table).all():
        unreadable = "values that are NaN or infinite, which other programs cannot read"
        raise InputError(f"step {step} has {unreadable}: choose another step")
    return [str(label) for label in trajectory[trajectory.dims[1]].values], table


def _decimals(table: NDArray[np.float32]) -> Iterator[list[str]]:
    """Yield the rows of a table, each value as the shortest decimal that gives it again, also when parsed as a double."""
    for row in table:
        texts = row.astype(str)
        # Readers parse a double and round it. Rounding twice may end one off: 7.038531e-26 is a float32 of which this is known.
        for place in np.flatnonzero(texts.astype(np.float64).astype(np.float32) != row):
            texts[place] = f"{row[place]:.9g}"
        yield texts.tolist()


def _visible(label: str) -> str:
    is_shown = label.strip() and all(c == " " or has_ink(c) for c in label) and unescape(label) == label
    return label if is_shown else escape(label)
