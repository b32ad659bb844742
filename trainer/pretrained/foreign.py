"""Any causal language model of Hugging Face as a run: imported once, and from then on looked into like our own GPT.

``run.json`` holds the configuration of its class, snapshots hold the tensors under the names of its state dict (tied weights once).
`trainer.pretrained.foreign_model` makes the model of them again.

Numbers are kept as they are in the source: float16 stays float16; bfloat16, which NumPy does not know, and what is quantised become
float32.
"""

from __future__ import annotations

import datetime
import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data.errors import InputError
from data.runs import Run, create_run, write_snapshot
from trainer.config import ModelConfig
from trainer.pretrained.foreign_model import ForeignGPT, first_line, load_transformers

LONGEST_CONTEXT = 1024
"""Contexts are cut to so many tokens unless another length is asked for: attention weights grow with their square."""

# What a configuration says about where it came from, or how to run it, and not about the model's shape.
_NO_SHAPE = {"dtype", "torch_dtype", "_name_or_path", "transformers_version", "auto_map", "quantization_config"}


def import_foreign(
    sources: Mapping[int, Path],
    name: str,
    *,
    tokenizer: Mapping[str, Any],
    context: int | None = None,
    folder: Path | None = None,
    source: Mapping[str, Any] | None = None,
) -> Run:
    """Write a run whose snapshots are one or several revisions of a causal language model of Hugging Face.

    Parameters
    ----------
    sources : by step, a folder that `from_pretrained` reads, or a file in GGUF, which is dequantised. Those that are not there are
        left out with a warning.
    name : of the run.
    tokenizer : its description (`data.tokenizers`); rows of the token table beyond it are labelled as unused.
    context : tokens that probes show it at most; the model's own if None, but no more than `LONGEST_CONTEXT`.
    folder : of the runs; the usual one if None.
    source : what run.json should say about where it came from.

    Returns
    -------
    The run. ``source.left_out`` in its run.json names tensors of the source that the model has no place for,
    ``source.missing_steps`` revisions that were not there, and ``source.dtype`` the type of the weights.

    Raises
    ------
    InputError
        If a source cannot be read without running its code, lacks a tensor, or is of another shape than the first. No run is
        left behind then.
    """
    there = _those_there(sources)
    origin = {**(source or {}), "missing_steps": sorted(sources.keys() - there.keys())}
    run: Run | None = None
    try:
        for step, path in there.items():
            model, notes = _read(path)
            described = _described(model, context)
            if run is None:
                run = create_run(name, _info(model, described, tokenizer, {**origin, **notes}), folder)
            _check_same(described, run.info["model"], step)
            tensors = ForeignGPT(model, _shape(described)).weights()
            write_snapshot(run, step, {key: _as_array(tensor) for key, tensor in tensors.items()})
    except BaseException:
        if run is not None:
            shutil.rmtree(run.path)
        raise
    assert run is not None
    return run


def _those_there(sources: Mapping[int, Path]) -> dict[int, Path]:
    """Return the sources that can be found, in the order of the steps; warn of each other one, and refuse if none is left."""
    there = {step: path for step, path in sorted(sources.items()) if path.exists()}
    if not there:
        named = f" at {', '.join(map(str, sources.values()))}" if sources else ""
        raise InputError(f"there is no model{named}: give a folder with config.json and weights, or a .gguf file")
    for step in sorted(sources.keys() - there.keys()):
        warnings.warn(f"there is no revision of step {step} at {sources[step]}: it is left out", stacklevel=3)
    return there


def _check_same(described: Mapping[str, Any], first: Mapping[str, Any], step: int) -> None:
    """Refuse a revision whose model is not that of the first: one run has one architecture."""
    for mine, theirs in ((described, first), (described["config"], first["config"])):
        differs = [key for key in mine if key != "config" and mine[key] != theirs.get(key)]
        if differs:
            raise InputError(
                f"the revision of step {step} is another model than the first: {differs[0]} is {mine[differs[0]]!r} "
                f"and was {theirs.get(differs[0])!r}"
            )


def _read(path: Path) -> tuple[Any, dict[str, Any]]:
    """Load a model and say what of the source it did not take, without running code of the source."""
    transformers = load_transformers()
    where = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    try:
        model, found = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent if where else path,
            dtype=torch.float32 if where else "auto",
            local_files_only=True,
            trust_remote_code=False,
            weights_only=True,
            output_loading_info=True,
            **where,
        )
    except Exception as error:  # the library raises what its formats raise: OSError, ValueError, UnpicklingError, ...
        raise InputError(f"{path} cannot be read as a causal language model ({first_line(error)})") from None
    faults = [f"lacks {key!r}" for key in sorted(found["missing_keys"])]
    faults += [f"has {key[0]!r} in another shape" for key in sorted(found["mismatched_keys"])]
    if faults:
        raise InputError(
            f"the weights in {path} do not fit {type(model).__name__}: it {faults[0]} (of {len(faults)} faults)"
        )
    notes = {
        "left_out": sorted(found["unexpected_keys"]),
        "dtype": str(next(model.parameters()).dtype).removeprefix("torch."),
    }
    return model, notes


def _described(model: Any, context: int | None) -> dict[str, Any]:
    """Return what run.json says of the model."""
    config = model.config.get_text_config(decoder=True)
    own = next(
        (getattr(config, key) for key in ("max_position_embeddings", "max_seq_len") if hasattr(config, key)), None
    )
    if context is not None and own is not None and not 1 <= context <= own:
        raise InputError(f"the context must be from 1 to the model's own {own}; got {context}")
    n_head = getattr(config, "num_attention_heads", None)
    if n_head is None:
        raise InputError(f"{type(model).__name__} has no attention heads: only transformers can be imported")
    as_json = json.loads(model.config.to_json_string(use_diff=False))
    return {
        "kind": "hf",
        "architecture": type(model).__name__,
        "config": {key: value for key, value in as_json.items() if key not in _NO_SHAPE},
        "n_layer": config.num_hidden_layers,
        "n_head": n_head,
        "n_kv_head": getattr(config, "num_key_value_heads", None) or n_head,
        "n_embd": config.hidden_size,
        "block_size": context or min(own or LONGEST_CONTEXT, LONGEST_CONTEXT),
        "vocab_size": model.get_output_embeddings().weight.shape[0],
    }


def _shape(described: Mapping[str, Any]) -> ModelConfig:
    names = ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")
    return ModelConfig(**{name: described[name] for name in names})


def _info(
    model: Any, described: Mapping[str, Any], tokenizer: Mapping[str, Any], source: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "model": dict(described),
        "tokenizer": dict(tokenizer),
        "tensors": _tables(model),
        "source": dict(source),
        "versions": {"torch": torch.__version__, "transformers": load_transformers().__version__},
    }


def _tables(model: Any) -> dict[str, Any]:
    """Return the names of token table and position table, None for the second where there is none, and its rows to pass over."""
    token_table, config = model.get_input_embeddings(), model.config.get_text_config(decoder=True)
    names = {id(module): name for name, module in model.named_modules()}
    found: dict[str, Any] = {"token_table": f"{names[id(token_table)]}.weight", "position_table": None}
    for name, module in model.named_modules():
        if not isinstance(module, nn.Embedding) or module is token_table:
            continue
        # OPT and its like keep two rows before that of the first position.
        offset = module.num_embeddings - getattr(config, "max_position_embeddings", -1)
        if offset in (0, 2):
            found |= {"position_table": f"{name}.weight", "position_offset": offset}
    return found


def _as_array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return np.ascontiguousarray(array)
