"""Configuration of a model and its training, and the presets. One definition for code, TOML file and command line.

The fields of `TrainConfig` are the options of ``python -m trainer`` and the keys of a TOML file (``n_layer`` is ``--n-layer``).
Values on the command line take precedence over the file, and the file over the preset.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from data.errors import InputError, NotApplicableError
from data.runs import Run
from data.text_files import read_text
from trainer.field_checks import check_at_least, check_choice, check_dropout, check_finite, check_seed
from trainer.loggers.choice import logger_names

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")

VARIANTS = {"norm": ("pre", "post"), "bias": ("qkv", "all", "none"), "gelu": ("tanh", "exact")}
"""Variants of a block. The first of each is the default, and GPTLab's."""


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a GPT, with the fields of `TrainConfig` that describe one; `trainer.model` lists the variants."""

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0
    norm: str = "pre"
    bias: str = "qkv"
    gelu: str = "tanh"
    norm_eps: float = 1e-5
    """Added to the variance in the layer norms."""

    def __post_init__(self) -> None:
        check_finite(self)
        _check_variants(self)


@dataclass(frozen=True)
class TrainConfig:
    """The configuration of a training; the same configuration and seed give the same run."""

    preset: str = "cpu"
    """cpu (a laptop, about two minutes), gpu (10.7 million parameters), cpu-bpe and gpu-bpe (sub-words), or tiny (seconds)."""
    corpus: str = "shakespeare"
    """A name that `python -m data list` shows, or the path of a UTF-8 text file."""
    tokenizer: str = "char"
    """char (a token a character), bpe (sub-words learned from the text) or gpt2 (GPT-2's sub-words)."""
    vocab_size: int | None = None
    """Tokens that bpe learns, including the 256 bytes; 2048 if not given."""
    tokenizer_file: str | None = None
    """A local file or folder with the sub-words of gpt2: tokenizer.json, vocab.bpe or merges.txt."""
    n_layer: int = 4
    """Number of blocks."""
    n_head: int = 4
    """Attention heads in each block."""
    n_embd: int = 64
    """Width: the dimension of each token's vector."""
    block_size: int = 32
    """Context: the number of tokens that the model sees at most."""
    dropout: float = 0.0
    """Share of activations set to zero at random in training."""
    norm: str = "pre"
    """pre (layer norm before attention and MLP) or post (after each residual sum, as in GPT-1)."""
    bias: str = "qkv"
    """Which layers have a bias: qkv (that projection and the norms), all (as in GPT-1 and GPT-2), or none (as in nanoGPT)."""
    gelu: str = "tanh"
    """tanh (the approximation) or exact (as in nanoGPT)."""
    batch_size: int = 32
    """Sequences in a step."""
    steps: int = 5000
    """Optimizer steps; with 0 only the run and its first snapshot are written."""
    recipe: str = "best"
    """Optimizer and schedule: best, or reference (AdamW at a constant 3e-4, as in GPTLab)."""
    learning_rate_scale: float = 1.0
    """Multiplies every learning rate of the recipe."""
    eval_every: int = 100
    """Steps between evaluations (losses, a text sample)."""
    eval_batches: int | None = None
    """Batches of each split in an evaluation; the recipe decides if not given."""
    snapshot_every: int = 100
    """Steps between snapshots; there are also snapshots at 0, 1, 2, 4, 8, 16, 32 and 64."""
    sample_tokens: int = 160
    """Length of the text sampled at each evaluation."""
    sample_prompt: str = "\n"
    """The text that samples continue."""
    seed: int = 1337
    """Seed of initial weights, data order, dropout and samples."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    threads: int | None = None
    """CPU threads; if not given, from 1 to 4, whichever is faster, also once the machine is busy. Another number rounds differently."""
    compile: bool = False
    """Compile the model with torch.compile."""
    precision: str = "float32"
    """float32, or bf16: products in bfloat16 in training (autocast); weights, gradients and evaluations stay float32."""
    accumulate: int = 1
    """Micro-batches that a step's batch is cut into, to save memory; the gradients add up to those of the batch."""
    checkpoint_activations: bool = False
    """Keep no activations of the blocks but compute them again in the backward pass: less memory, a third more time."""
    shard: bool = False
    """Divide weights, gradients and optimizer state among the processes of torchrun (FSDP2)."""
    resume_every: float = 30.0
    """Shortest time in seconds between two saves of what --resume needs; it is saved at snapshots."""
    clip: float | None = None
    """Largest gradient norm; larger gradients are scaled down to it, and 0 turns clipping off. The recipe decides if not given."""
    on_snapshot_error: str = "stop"
    """What to do when the disk refuses a snapshot: stop, or continue without it."""
    log: str | None = None
    """Log to tensorboard, wandb or trackio too, or to several with commas between; metrics.jsonl is always written."""


_GPU = {"n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 64, "dropout": 0.2}

PRESETS: dict[str, dict[str, Any]] = {
    "cpu": {},
    "gpu": _GPU,
    "cpu-bpe": {"tokenizer": "bpe", "n_embd": 96, "steps": 3000, "eval_batches": 16, "sample_tokens": 60},
    "gpu-bpe": {**_GPU, "tokenizer": "bpe", "vocab_size": 4096, "sample_tokens": 60},
    "tiny": {
        "n_layer": 2,
        "n_head": 2,
        "n_embd": 16,
        "block_size": 16,
        "batch_size": 8,
        "steps": 60,
        "eval_every": 20,
        "eval_batches": 2,
        "snapshot_every": 20,
        "sample_tokens": 20,
        "learning_rate_scale": 5.0,  # the warm-up is longer than these steps
        "threads": 1,
    },
}

ON_SNAPSHOT_ERROR = ("stop", "continue")
TOKENIZERS = ("char", "bpe", "gpt2")
VOCAB_SIZE = 2048
"""Tokens that bpe learns by default."""

PRECISIONS = ("float32", "bf16")

RESUMABLE = {
    "steps",
    "device",
    "threads",
    "compile",
    "accumulate",
    "checkpoint_activations",
    "shard",
    "resume_every",
    "on_snapshot_error",
    "log",
}
"""Fields that may differ when a run is resumed; any other change would make it another run."""


def preset(name: str) -> TrainConfig:
    """Look up the configuration of a preset; an `InputError` lists the presets."""
    if name not in PRESETS:
        raise InputError(f"there is no preset {name!r}; there is {', '.join(PRESETS)}")
    return TrainConfig(preset=name, **PRESETS[name])


def from_toml(path: Path, base: TrainConfig | None = None) -> TrainConfig:
    """Read a TOML file of fields that replace those of ``base``, or of the preset that the file names."""
    try:
        values = tomllib.loads(read_text(path, "give the path of a TOML file"))
    except (OSError, ValueError) as error:
        raise InputError(f"the configuration {path} cannot be read ({error})") from None
    if base is None:
        base = preset(values.get("preset", TrainConfig.preset))
    values.pop("preset", None)
    return replace(base, values, where=str(path))


def base_config(name: str | None = None, file: Path | None = None, run: Run | None = None) -> TrainConfig:
    """Build the configuration that further options change: that of the file on top of the run to resume, or of the preset."""
    base = trained_config(run) if run is not None else preset(name) if name else None
    return from_toml(file, base) if file is not None else base or preset(TrainConfig.preset)


def first_pass(default: Config, args: list[str]) -> Config:
    """Parse a command line to learn what decides the defaults of its options; the second parse, with the final ones, reports mistakes."""
    import tyro

    quiet: Any = {"add_help": False, "console_outputs": False}
    try:
        return tyro.cli(type(default), args=args, default=default, return_unknown_args=True, **quiet)[0]
    except SystemExit:
        return default


def trained_config(run: Run) -> TrainConfig:
    """Read the configuration that a run was trained with; an error says if it was imported or fine-tuned."""
    if "training" not in run.info:
        raise NotApplicableError(f"run {run.name!r} was not trained here: there is no training to resume")
    if "base" in run.info:
        raise NotApplicableError(
            f"run {run.name!r} was fine-tuned, not trained: resume it with  python -m trainer.finetune --resume"
        )
    values = dict(run.info["training"])
    if values.get("tokenizer") != "bpe":  # older runs of other tokenizers name a size too
        values.pop("vocab_size", None)
    return replace(TrainConfig(), values, where=f"run.json of run {run.name!r}")


def replace(base: Config, values: Mapping[str, Any], where: str) -> Config:
    """Replace some fields of a configuration, by name; an `InputError` says where a wrong name or type comes from."""
    fields = {field.name: field for field in dataclasses.fields(base)}
    values = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    for name, value in values.items():
        if name not in fields:
            raise InputError(f"{where} names {name!r}, which is no field; fields are {', '.join(fields)}")
        if not _fits(value, str(fields[name].type)):
            raise InputError(f"{where} gives {name} = {value!r}; it must be {fields[name].type}")
    return dataclasses.replace(base, **values)


def filled(config: TrainConfig) -> TrainConfig:
    """Fill in the vocabulary size of bpe where it is left out, so that the run records it."""
    is_open = config.tokenizer == "bpe" and config.vocab_size is None
    return dataclasses.replace(config, vocab_size=VOCAB_SIZE) if is_open else config


def check(config: TrainConfig) -> TrainConfig:
    """Check that a configuration can be trained, and return it `filled`; an `InputError` names the field and the reason."""
    config = filled(config)
    check_finite(config)
    shape = ("n_layer", "n_head", "n_embd", "block_size")
    check_at_least(config, 1, *shape, "batch_size", "eval_every", "snapshot_every", "eval_batches", "threads")
    check_at_least(config, 1, "accumulate")
    check_at_least(config, 0, "steps", "sample_tokens", "resume_every", "clip")
    check_choice(config, "on_snapshot_error", ON_SNAPSHOT_ERROR)
    if not config.learning_rate_scale > 0:
        raise InputError(f"learning_rate_scale must be above 0; got {config.learning_rate_scale}")
    check_seed(config.seed)
    if config.tokenizer not in TOKENIZERS:
        raise InputError(f"there is no tokenizer {config.tokenizer!r}; there is {', '.join(TOKENIZERS)}")
    if config.vocab_size is not None and config.tokenizer == "bpe" and config.vocab_size < 256:
        raise InputError(f"vocab_size counts the 256 bytes too; got {config.vocab_size}: pass `vocab_size=2048`")
    of_preset = PRESETS.get(config.preset, {}).get("vocab_size")  # not chosen by the user
    if config.vocab_size not in (None, of_preset) and config.tokenizer != "bpe":
        raise InputError(f"vocab_size is for the tokenizer bpe, and this is {config.tokenizer}: pass `tokenizer=bpe`")
    if config.tokenizer_file is not None and config.tokenizer != "gpt2":
        raise InputError(
            f"tokenizer_file is for the tokenizer gpt2, and this is {config.tokenizer}: pass `tokenizer=gpt2`"
        )
    check_heads(config, f": pass `n_embd={config.n_embd // config.n_head * config.n_head or config.n_head}`")
    check_dropout(config.dropout)
    if config.precision not in PRECISIONS:
        raise InputError(f"there is no precision {config.precision!r}; there is {', '.join(PRECISIONS)}")
    _check_variants(config)
    logger_names(config.log)
    return config


def check_heads(config: ModelConfig | TrainConfig, advice: str = "") -> None:
    """Check that the heads share the width evenly; an `InputError` ends with ``advice`` if they do not."""
    if config.n_embd % config.n_head:
        found = f"got n_embd {config.n_embd} and n_head {config.n_head}"
        raise InputError(f"n_embd must be a multiple of n_head; {found}{advice}")


def _check_variants(config: ModelConfig | TrainConfig) -> None:
    for name, values in VARIANTS.items():
        check_choice(config, name, values)


def model_config(config: TrainConfig, vocab_size: int) -> ModelConfig:
    """Build the model configuration of a training configuration and a vocabulary size."""
    shared = {field.name for field in dataclasses.fields(ModelConfig)} & set(vars(config)) - {"vocab_size"}
    return ModelConfig(vocab_size, **{name: getattr(config, name) for name in shared})


def described_model(run: Run) -> ModelConfig:
    """Read the configuration of a run's model; a `NotApplicableError` names what its run.json lacks."""
    if "model" not in run.info:
        raise NotApplicableError(f"run {run.name!r} holds no model, only vectors: train one, or choose another run")
    fields = {field.name: field.default for field in dataclasses.fields(ModelConfig)}
    shape = run.info["model"]
    required = {name for name, default in fields.items() if default is dataclasses.MISSING}
    if missing := ", ".join(sorted(required - set(shape))):
        raise NotApplicableError(
            f"run {run.name!r} does not describe a model that can be run: its run.json lacks {missing}"
        )
    return ModelConfig(**{name: value for name, value in shape.items() if name in fields})


def snapshot_steps(config: TrainConfig) -> list[int]:
    """List the steps at which a snapshot is written: every ``snapshot_every``, the powers of two up to 64, first and last."""
    early = [0, 1, 2, 4, 8, 16, 32, 64]
    return _up_to(config.steps, early, range(0, config.steps + 1, config.snapshot_every))


def eval_steps(config: TrainConfig) -> list[int]:
    """List the steps at which the losses are measured: every ``eval_every``, and wherever there is a snapshot."""
    return _up_to(config.steps, snapshot_steps(config), range(0, config.steps + 1, config.eval_every))


def _up_to(last: int, *steps: Iterable[int]) -> list[int]:
    return sorted({step for some in steps for step in some if step <= last} | {last})


def _fits(value: Any, annotation: str) -> bool:
    allowed = {part.strip() for part in annotation.split("|")}
    kind = "None" if value is None else type(value).__name__
    return kind in allowed or (kind == "int" and "float" in allowed)
