"""Export a snapshot as a folder that Hugging Face's ``from_pretrained`` loads, with the same logits.

Our GPT becomes a GPT-2, or a GPT-1 if its norms come after the sums; biases that it lacks are zeros there. The mapping tables are those
of the import, applied in reverse. A model in its own class of Hugging Face is saved by that class.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from data.files.atomic_files import write_bytes, write_json
from data.files.safetensors_files import stream_tensors
from data.runs import Run
from data.runs.model_card import model_card
from data.tokens.special_tokens import ExtendedTokenizer
from data.tokens.tokenizers import CharTokenizer, Tokenizer
from trainer.config import ModelConfig, described_model
from trainer.loading import load_model
from trainer.pretrained.hf_model import HFModel, load_transformers, without_bars
from trainer.pretrained.mapping import COPIED, TRANSPOSED, MappingTable
from trainer.pretrained.readers.gpt1 import GPT1
from trainer.pretrained.readers.gpt2 import GELU, GPT2


@dataclass(frozen=True)
class ExportedModel:
    """The result of an export: step, run and class of Hugging Face, the files, and what was left out, if anything."""

    description: str
    files: list[str]
    remark: str


def export_model(run: Run, folder: Path, *, step: int | None = None, licence: str = "unknown") -> ExportedModel:
    """Export a snapshot to a folder in Hugging Face's format: configuration, weights, tokenizer and model card.

    Parameters
    ----------
    run : the run to export.
    folder : the folder to create; it is written whole, or not at all.
    step : of the snapshot; the last one that is not damaged if None.
    licence : of the model, for its card: an identifier of the hub (``cc-by-4.0``), or a name.

    Raises
    ------
    InputError
        If the folder is not empty, the snapshot is damaged or missing, or no class has the form of the model.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and is not empty: give the name of a new folder")
    shape = described_model(run)
    if step is None:
        step = run.sound_snapshots()[-1].step
    model = load_model(run, step)
    target = folder.resolve()  # "." has no name
    hidden = target.with_name(f".{target.name}.{os.getpid()}")
    hidden.mkdir(parents=True)
    try:
        if isinstance(model, HFModel):
            with without_bars(load_transformers()):
                model.model.save_pretrained(hidden)
            architecture = type(model.model).__name__
        else:
            weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
            architecture = _write_gpt(shape, weights, run.tokenizer, hidden)
        _write_limits(run.tokenizer, shape.block_size, hidden)
        remarks = [_write_tokenizer(run.tokenizer, shape.block_size, hidden)]
        card = model_card(run, step, architecture, licence=licence, has_tokenizer=not remarks[0])
        write_bytes(hidden / "README.md", card.encode())
        if task := run.info.get("task"):
            head = f"the head for the task {task['name']!r} was left out: the folder holds the language model alone"
            remarks.insert(0, head)
        files = sorted(path.name for path in hidden.iterdir())
        _move(hidden, target)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    description = f"step {step:,} of run {run.name} as a {architecture}"
    return ExportedModel(description, files, "\n".join(filter(None, remarks)))


def _move(hidden: Path, folder: Path) -> None:
    """Rename a folder, or move its files into an existing empty one, which may be a working directory."""
    if not folder.exists():
        hidden.replace(folder)
        return
    for path in hidden.iterdir():
        path.replace(folder / path.name)
    hidden.rmdir()


def _write_gpt(shape: ModelConfig, weights: Mapping[str, NDArray[Any]], tokenizer: Tokenizer, folder: Path) -> str:
    """Write configuration and weights of our GPT; return the name of the class that loads them."""
    is_gpt1 = shape.norm == "post"
    if is_gpt1 and shape.gelu != "tanh":
        raise InputError(
            "Hugging Face's GPT-1 has GELU in its tanh form only, and this model has it exact: it cannot be exported"
        )
    architecture, kind = ("OpenAIGPTLMHeadModel", "openai-gpt") if is_gpt1 else ("GPT2LMHeadModel", "gpt2")
    activation = next(name for name, form in GELU.items() if form == shape.gelu)
    end = tokenizer.special_tokens.get("<|endoftext|>")
    config = {
        "architectures": [architecture],
        "model_type": kind,
        **({"afn": "gelu"} if is_gpt1 else {"activation_function": activation}),
        "vocab_size": shape.vocab_size,
        "n_positions": shape.block_size,
        "n_layer": shape.n_layer,
        "n_head": shape.n_head,
        "n_embd": shape.n_embd,
        "attn_pdrop": shape.dropout,
        "embd_pdrop": shape.dropout,
        "resid_pdrop": shape.dropout,
        "layer_norm_epsilon": shape.norm_eps,
        "bos_token_id": end,
        "eos_token_id": end,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }
    write_json(folder / "config.json", config)
    theirs = dict(_hf_tensors(shape, weights, GPT1.table if is_gpt1 else GPT2.table))
    write_bytes(folder / "model.safetensors", stream_tensors(theirs, {"format": "pt"}))
    return architecture


def _hf_tensors(
    shape: ModelConfig, weights: Mapping[str, NDArray[Any]], table: MappingTable
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the tensors of Hugging Face's class by name, zeros for the biases that our model lacks."""
    width = {"h.#.attn.c_attn.bias": 3 * shape.n_embd, "h.#.mlp.c_fc.bias": 4 * shape.n_embd}
    for entry in table:
        if entry.ours is None or entry.conversion not in (COPIED, TRANSPOSED):
            continue
        for layer in range(shape.n_layer if "#" in entry.ours else 1):
            ours, theirs = entry.ours.replace("#", str(layer)), entry.theirs.replace("#", str(layer))
            if ours in weights:
                tensor = weights[ours].T if entry.conversion is TRANSPOSED else weights[ours]
            else:
                tensor = np.zeros(width.get(entry.ours, shape.n_embd), np.float32)
            yield f"transformer.{theirs}", tensor


def _write_limits(tokenizer: Tokenizer, context: int, folder: Path) -> None:
    """Limit generated texts to the context, beyond which our GPT has no positions, unless the class has limits of its own."""
    path = folder / "generation_config.json"
    if path.exists():
        return
    end = tokenizer.special_tokens.get("<|endoftext|>")
    ends = {} if end is None else dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), end)
    write_json(path, {**ends, "max_length": context})


def _write_tokenizer(tokenizer: Tokenizer, context: int, folder: Path) -> str:
    """Write the files of a tokenizer; return a remark if it has none, as a list of words."""
    definition = tokenizer_definition(tokenizer)
    if definition is None:
        return "no tokenizer was written: this run's tokens are a list of names, and how a text becomes tokens is not known"
    write_bytes(folder / "tokenizer.json", definition.encode())
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context}
    if "<|endoftext|>" in tokenizer.special_tokens:
        settings |= dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    write_json(folder / "tokenizer_config.json", {**settings, "clean_up_tokenization_spaces": False})
    return ""


def tokenizer_definition(tokenizer: Tokenizer) -> str | None:
    """Build the JSON definition of a tokenizer for Hugging Face's `tokenizers`; None if it has no such form."""
    import tokenizers

    if isinstance(tokenizer, CharTokenizer):
        ids = {symbol: i for i, symbol in enumerate(tokenizer.symbols)}
        engine = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token=""))
        engine.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
        engine.decoder = tokenizers.decoders.Fuse()
        return str(engine.to_str())
    if isinstance(tokenizer, ExtendedTokenizer):
        base = tokenizer_definition(tokenizer.base)
        if base is None:
            return None
        engine = tokenizers.Tokenizer.from_str(base)
        engine.add_special_tokens(list(tokenizer.names))
        return str(engine.to_str())
    definition: str | None = tokenizer.to_json().get("definition")
    return definition
