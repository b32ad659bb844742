"""The schema of a run's records: types, ranges and patterns of everything that is read from run.json and the ``.jsonl`` files.

Each class names the keys that the toolkit reads; others are kept as they are. `data.runs.run` explains them. Limits are far
above any real run: they keep a number that was damaged, or made to do harm, from asking for all the memory there is.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Step = Annotated[int, Meta(ge=0, le=2**53)]
Count = Annotated[int, Meta(ge=0, le=2**62)]
Dimension = Annotated[int, Meta(ge=1, le=2**31)]
Layers = Annotated[int, Meta(ge=1, le=10_000)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
SnapshotFile = Annotated[str, Meta(pattern=r"^snapshots/[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$", max_length=255)]
Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(max_length=1 << 20)]


class ManifestLine(Struct):
    """A snapshot that was written."""

    step: Step
    file: SnapshotFile
    bytes: Count
    sha256: Sha256


class SlotLine(Struct):
    """A resume slot that was written."""

    step: Step
    file: Literal["a.safetensors", "b.safetensors"]
    sha256: Sha256
    bytes: Count | None = None


class MetricsLine(Struct):
    """What was measured at a step; measures of an objective of its own are numbers, too."""

    step: Step
    train_loss: float | None = None
    val_loss: float | None = None
    val_loss_whole: float | None = None
    val_bits_per_character: float | None = None
    lr: float | None = None
    grad_norm: float | None = None
    tokens: float | None = None
    seconds: float | None = None
    threads: Annotated[int, Meta(ge=1, le=4096)] | None = None


Measures = dict[str, int | float | None]
"""All values of a line of metrics.jsonl."""


class SampleLine(Struct):
    """A text that was generated at a step."""

    step: Step
    prompt: Text
    text: Text
    temperature: float | None = None
    seed: int | None = None


class TraceHeader(Struct):
    """The first line of a decoding trace."""

    run: Text
    step: Step
    prompt: Text
    prompt_tokens: list[Any]
    decoding: dict[str, Any]
    request: dict[str, Any]
    n_tokens: Count | None = None
    sha256: Text | None = None


class TraceLine(Struct):
    """A generated token; the candidates are id, token, probability, and the probability with which it was drawn."""

    sample: Count
    position: Count
    id: Count
    token: Text
    probability: Share
    drawn_from: Share
    candidates: list[tuple[Count, Text, Share, Share]]


class LabelEntry(Struct):
    """The contents of label.json."""

    name: Text = ""
    color: Text = ""
    sha256: Sha256 | None = None


class ModelEntry(Struct):
    """The shape of a model; word vectors have none, and some models of Hugging Face only part of it."""

    vocab_size: Dimension | None = None
    block_size: Dimension | None = None
    n_layer: Layers | None = None
    n_head: Dimension | None = None
    n_embd: Dimension | None = None
    dropout: Share | None = None
    norm: Text | None = None
    bias: Text | None = None
    gelu: Text | None = None
    norm_eps: float | None = None
    kind: Text | None = None
    architecture: Text | None = None
    config: dict[str, Any] | None = None


class ValidationSplit(Struct):
    """The size of the validation split."""

    tokens: Count | None = None
    characters: Count | None = None


class CorpusEntry(Struct):
    """The text that was learned."""

    name: Text | None = None
    language: Text | None = None
    sha256: Text | None = None
    characters: Count | None = None
    validation: ValidationSplit | None = None
    documents: dict[str, Any] | None = None


class TokenizerEntry(Struct):
    """How a text becomes tokens."""

    kind: Text | None = None
    symbols: Text | None = None
    words: list[Text] | None = None
    file: Text | None = None
    sha256: Text | None = None
    special_tokens: list[Text] | None = None


class TablesEntry(Struct):
    """The names of the tables in a snapshot."""

    token_table: Text | None = None
    position_table: Text | None = None
    position_offset: Count | None = None


class BaseEntry(Struct):
    """The snapshot that a fine-tuning started from."""

    run: Text | None = None
    step: Step | None = None
    sha256: Text | None = None
    step_known: bool | None = None


class TaskEntry(Struct):
    """The task of a supervised fine-tuning."""

    name: Text | None = None
    kind: Text | None = None
    labels: list[Text] | None = None


class SourceEntry(Struct):
    """Where an imported model comes from."""

    format: Text | None = None
    model: Text | None = None
    step_known: bool | None = None
    revisions: dict[str, Any] | list[Any] | None = None
    missing_steps: list[Step] | None = None
    identical_steps: list[list[Step]] | None = None
    remark: Text | None = None


class RunInfo(Struct):
    """The contents of run.json."""

    format: int
    name: Text | None = None
    created: Annotated[str, Meta(max_length=64)] | None = None
    parameters: Count | None = None
    seed: int | None = None
    threads: Annotated[int, Meta(ge=1, le=4096)] | None = None
    device: Text | None = None
    model: ModelEntry | None = None
    training: dict[str, Any] | None = None
    corpus: CorpusEntry | None = None
    tokenizer: TokenizerEntry | None = None
    tensors: TablesEntry | None = None
    versions: dict[str, Text] | None = None
    base: BaseEntry | None = None
    task: TaskEntry | None = None
    source: SourceEntry | None = None
