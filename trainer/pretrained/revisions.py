"""Locate the revisions of a model: in local folders, or on Hugging Face's hub, from which they are downloaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data.errors import InputError
from trainer.pretrained.hf_model import first_line
from trainer.pretrained.source import CHECKPOINT, PICKLES

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")
_FILES = ["*.json", "*.txt", "*.model", "vocab.bpe", "*.safetensors"]


@dataclass(frozen=True)
class Revision:
    """The name of a revision, and its optimizer step if that is known."""

    name: str
    step: int | None


Location = tuple[int | None, Path]
"""The optimizer step of a revision, None if only its source may record it, and its path."""


def parse_revisions(text: str) -> list[Revision]:
    """Parse a list of revisions, separated by commas; each step is part of the name, or follows it after ``=``.

    Examples
    --------
    >>> parse_revisions("step0, step512, main=143000")
    [Revision(name='step0', step=0), Revision(name='step512', step=512), Revision(name='main', step=143000)]
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.rpartition("=") if "=" in part else (part, "", "")
        step = int(number) if number.isdecimal() else None if equals else step_in_name(name)
        if step is None:
            raise InputError(f"the revision {part!r} names no step: write it as {name}=1000")
        found.append(Revision(name, step))
    steps = [revision.step for revision in found]
    repeated = next((step for step in steps if steps.count(step) > 1), None)
    if repeated is not None or not found:
        raise InputError(
            f"`revisions` names step {repeated} twice" if found else "`revisions` names no revision: step0,step512"
        )
    return found


def default_run_name(model: str) -> str:
    """Name a run after its model: the name of the folder or file, without the suffix of a file of weights.

    Examples
    --------
    >>> [default_run_name(model) for model in ("models/my-model-1.5", "out/ckpt.pt", "Qwen/Qwen2.5-0.5B", "tiny.gguf")]
    ['my-model-1.5', 'ckpt', 'Qwen2.5-0.5B', 'tiny']
    """
    path = Path(model)
    return (path.stem if path.suffix in {*PICKLES, ".gguf"} else path.name) or "imported"


def step_in_name(name: str) -> int | None:
    """Find the optimizer step in a name; None if it has none.

    Examples
    --------
    >>> [step_in_name(name) for name in ("step512", "checkpoint-500", "stage1-step1000-tokens5B", "main")]
    [512, 500, 1000, None]
    """
    found = re.search(r"step[-_]?(\d+)", name) or re.search(r"(\d+)$", name)
    return int(found[1]) if found else None


def locate_revisions(model: str, revisions: list[Revision]) -> list[Location]:
    """Locate each revision of a model, locally or on the hub; the path of one that is missing does not exist.

    Parameters
    ----------
    model : a folder or file, or a name on the hub.
    revisions : names of models in a folder, or the model's own name; if there are none, the model itself, or the models in a folder
        that is none.
    """
    path = Path(model)
    if path.exists():
        return [(revision.step, _inside(path, revision.name)) for revision in revisions] or _all_in(path)
    if not _HUB_NAME.fullmatch(model):
        raise InputError(
            f"there is no {model}: give a folder or file that is there, or a name on the hub (openai-community/gpt2)"
        )
    return [(revision.step, fetch(model, revision.name)) for revision in revisions or [Revision("main", None)]]


def _inside(path: Path, name: str) -> Path:
    """Locate a revision in a folder, or the model itself by its own name."""
    if name == path.resolve().name and not (path / name).exists():
        return path
    if path.is_file():
        raise InputError(
            f"{path} is one model and has no revision {name!r}: pass `revisions={path.name}=1000` with its step"
        )
    return path / name


def _all_in(path: Path) -> list[Location]:
    """Locate the model at a path, or the models in a folder: sub-folders that are named by steps, or checkpoint files."""
    if path.is_file() or (path / "config.json").is_file():
        return [(None, path)]
    models = ("config.json",) if (path / CHECKPOINT).is_file() else ("config.json", CHECKPOINT)
    steps = [
        (step_in_name(inner.name), inner)
        for inner in path.iterdir()
        if any((inner / name).is_file() for name in models)
    ]
    if steps:
        return [entry for entry in steps if entry[0] is not None] or steps
    checkpoints = sorted(inner for inner in path.iterdir() if inner.is_file() and inner.suffix in PICKLES)
    return [(None, inner) for inner in checkpoints] or [(None, path)]


def fetch(model: str, revision: str) -> Path:
    """Download a revision from the hub, with weights in safetensors if it has them; the path of a missing one does not exist.

    Raises
    ------
    InputError
        If the hub cannot be reached, or has no such model.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    download = partial(snapshot_download, model, revision=revision, ignore_patterns=["*/*"])
    try:
        folder = Path(download(allow_patterns=_FILES))
        if not any(folder.glob("*.safetensors")):
            folder = Path(download(allow_patterns=["*.bin"]))
    except RevisionNotFoundError:
        return Path(f"{model}@{revision}")
    except RepositoryNotFoundError:
        raise InputError(f"the hub has no model {model!r} that may be read: check its name, or give a folder") from None
    except Exception as error:  # no connection, no space, no access: each has an exception of its own
        raise InputError(
            f"{model} cannot be fetched from the hub ({first_line(error)}): give a local folder instead, with config.json and "
            f"model.safetensors, or with one folder for each revision ({Path(model).name}/step0)"
        ) from None
    return folder
