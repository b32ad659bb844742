"""Where the revisions of a model lie: in folders here, or on Hugging Face's hub, from where they are fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError
from trainer.pretrained.hf_model import first_line
from trainer.pretrained.source import CHECKPOINT, PICKLES

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")
_ONLY = ["*.json", "*.txt", "*.model", "vocab.bpe", "*.safetensors"]


@dataclass(frozen=True)
class Revision:
    """A revision by name, and the step it was saved at where the name tells."""

    name: str
    step: int | None


def parse_revisions(text: str) -> list[Revision]:
    """Return the revisions of a list with commas; the step is told by the name, or stands behind it.

    Raises
    ------
    InputError
        If a step can be read from none of both, or is there twice.

    Examples
    --------
    >>> parse_revisions("step0, step512, main=143000")
    [Revision(name='step0', step=0), Revision(name='step512', step=512), Revision(name='main', step=143000)]
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, told = part.partition("=")
        step = step_in_name(name) if not told else int(told) if told.isdecimal() else None
        if step is None:
            raise InputError(f"the revision {part!r} names no step: write it as {name}=1000")
        found.append(Revision(name, step))
    steps = [revision.step for revision in found]
    twice = next((step for step in steps if steps.count(step) > 1), None)
    if twice is not None or not found:
        raise InputError(
            f"--revisions names step {twice} twice" if found else "--revisions names no revision: step0,step512"
        )
    return found


def default_run_name(model: str) -> str:
    """Return what a run is called by its model: the name of its folder or file, without the ending of a file of weights.

    Examples
    --------
    >>> [own_name(model) for model in ("models/my-model-1.5", "out/ckpt.pt", "Qwen/Qwen2.5-0.5B", "tiny.gguf")]
    ['my-model-1.5', 'ckpt', 'Qwen2.5-0.5B', 'tiny']
    """
    path = Path(model)
    return (path.stem if path.suffix in {*PICKLES, ".gguf"} else path.name) or "imported"


def step_in_name(name: str) -> int | None:
    """Return the step that a name tells, or None.

    Examples
    --------
    >>> [step_of(name) for name in ("step512", "checkpoint-500", "stage1-step1000-tokens5B", "main")]
    [512, 500, 1000, None]
    """
    found = re.search(r"step[-_]?(\d+)", name) or re.search(r"(\d+)$", name)
    return int(found[1]) if found else None


def locate_revisions(model: str, revisions: list[Revision]) -> list[tuple[int | None, Path]]:
    """Return where each revision lies, in folders here or fetched from the hub; those that are nowhere are named all the same.

    Parameters
    ----------
    model : a folder or file, or a name on the hub.
    revisions : of it; if there are none, the model itself, or whatever a folder holds that is no model itself.

    Raises
    ------
    InputError
        If the hub cannot be reached, or has no such model.
    """
    path = Path(model)
    if path.exists():
        return [(it.step, path / it.name) for it in revisions] if revisions else _all_in(path)
    if not _HUB_NAME.fullmatch(model):
        raise InputError(
            f"there is no {model}: give a folder or file that is there, or a name on the hub (openai-community/gpt2)"
        )
    return [(it.step, fetch(model, it.name)) for it in revisions or [Revision("main", None)]]


def _all_in(path: Path) -> list[tuple[int | None, Path]]:
    """Return a model by itself, or the models in its folder: sub-folders that are named by steps, or several checkpoints."""
    if path.is_file() or (path / "config.json").is_file():
        return [(None, path)]
    models = ("config.json",) if (path / CHECKPOINT).is_file() else ("config.json", CHECKPOINT)
    steps = [(step_in_name(it.name), it) for it in path.iterdir() if any((it / name).is_file() for name in models)]
    if steps:
        return [entry for entry in steps if entry[0] is not None] or steps
    checkpoints = sorted(inner for inner in path.iterdir() if inner.is_file() and inner.suffix in PICKLES)
    return [(None, inner) for inner in checkpoints] or [(None, path)]


def fetch(model: str, revision: str) -> Path:
    """Fetch one revision from the hub, weights in safetensors if it has them; the path of one that is not there does not exist.

    Raises
    ------
    InputError
        If the hub cannot be reached, or has no such model.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=_ONLY, ignore_patterns=["*/*"]))
        if not any(folder.glob("*.safetensors")):
            folder = Path(
                snapshot_download(model, revision=revision, allow_patterns=["*.bin"], ignore_patterns=["*/*"])
            )
    except RevisionNotFoundError:
        return Path(f"{model}@{revision}")
    except RepositoryNotFoundError:
        raise InputError(f"the hub has no model {model!r} that may be read: check its name, or give a folder") from None
    except Exception as error:  # no connection, no room, no right: each raises its own
        raise InputError(
            f"{model} cannot be fetched from the hub ({first_line(error)}): give a local folder instead, with config.json and "
            f"model.safetensors, or with one folder for each revision ({Path(model).name}/step0)"
        ) from None
    return folder
