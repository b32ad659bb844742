"""Pre-training: the objective of predicting the next token of a text, and the runs that are trained on it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data.arrays import TokenIds
from data.corpora.catalog import Corpus, load_corpus
from data.errors import InputError
from data.progress import Progress
from data.runs import Run, open_run
from data.tokens import batches
from data.tokens.bits import bits_per_character
from data.tokens.tokenizers import CharTokenizer, Tokenizer, known_part
from data.tokens.vocabularies import gpt2_tokenizer, learn_bpe
from trainer.config import (
    RESUMABLE,
    VOCAB_SIZE,
    TrainConfig,
    base_config,
    check,
    eval_steps,
    filled,
    model_config,
    replace,
    snapshot_steps,
    trained_config,
)
from trainer.generation.sampling import generate_tokens
from trainer.loop import (
    SAMPLE_TEMPERATURE,
    Procedure,
    Training,
    check_resumable,
    evaluating,
    free_name,
    resume_run,
    start_run,
)
from trainer.machine import find_device, on_device, reuse_freed_memory
from trainer.model import GPT
from trainer.model_shapes import check_fits, first_shapes
from trainer.optimizers.recipes import RECIPES, Recipe, build_optimizers, initialise, schedule
from trainer.parallel import model_forms, processes
from trainer.parallel.batch_shares import check_shares, loss_weight, micro_batches
from trainer.parallel.data_parallel import exchanging, replicate, whole, whole_model
from trainer.parallel.torchrun import joined
from trainer.threads import choose_threads


@dataclass(frozen=True)
class Session:
    """The pre-training objective (see `trainer.loop.Objective`); its weights and optimizer state change during training."""

    config: TrainConfig
    tokenizer: Tokenizer
    model: GPT
    averaged: GPT
    """What is evaluated and kept: the running average of the weights, or ``model`` itself if the recipe has no averaging."""
    train_tokens: Tensor
    val_tokens: Tensor
    device: torch.device

    @property
    def module(self) -> nn.Module:
        return self.model

    @property
    def steps(self) -> int:
        return self.config.steps

    @cached_property
    def procedure(self) -> Procedure:
        config, recipe = self.config, find_recipe(self.config)
        return Procedure(
            optimizers=build_optimizers(self.model, recipe, config.learning_rate_scale),
            schedule=schedule(recipe, config.steps),
            snapshot_steps=snapshot_steps(config),
            eval_steps=eval_steps(config),
            resume_every=config.resume_every,
            seed=config.seed,
            device=self.device,
            label="training",
            advice="train again with `learning_rate_scale=0.3`",
            clip=recipe.clip if config.clip is None else config.clip,
            on_snapshot_error=config.on_snapshot_error,
            averaged=None if self.averaged is self.model else self.averaged,
            averaging=recipe.averaging,
            drops=config.dropout > 0,
            reads_losses=False,
            chooses_threads=config.threads is None,
            log=config.log,
        )

    @cached_property
    def replica(self) -> nn.Module:
        """The model, wrapped so that its gradients are averaged over the processes where there are several."""
        return replicate(self.model)

    @cached_property
    def forward(self) -> Any:
        """The model as it is called in training: compiled if the configuration says so."""
        return torch.compile(self.replica) if self.config.compile else self.replica

    def losses(self, step: int) -> Iterator[Tensor]:
        """Yield the weighted loss of each micro-batch of this process's share of a step's batch."""
        config, n_processes, starts = self.config, processes.count(), self.starts(step)
        parts = micro_batches(len(starts), config.accumulate, processes.rank(), n_processes)
        for rows in parts:
            weight = loss_weight(rows, len(starts), n_processes)
            with exchanging(self.replica, is_last=rows is parts[-1]):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
                    loss = self.forward(*self.gather(self.train_tokens, starts[rows]))[1]
                yield loss if weight == 1 else weight * loss

    def starts(self, step: int) -> TokenIds:
        """Draw the starts (B,) of the windows that all processes together learn from in a step; they follow from (seed, step)."""
        config = self.config
        draw = batches.shuffled_starts if find_recipe(config).every_window_once else batches.window_starts
        return draw(len(self.train_tokens), config.block_size, config.batch_size, seed=config.seed, step=step)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw inputs and targets (B, T) of a step."""
        return self.gather(self.train_tokens, self.starts(step))

    def gather(self, tokens: Tensor, starts: TokenIds) -> tuple[Tensor, Tensor]:
        """Gather inputs and targets (B, T), one token apart, of windows that begin at ``starts`` (B,)."""
        index = batches.window_index(starts, self.config.block_size)
        windows = tokens[on_device(index, self.device)]
        return windows[:, :-1], windows[:, 1:]

    def evaluate(self, step: int) -> dict[str, float]:
        """Measure the losses on some windows of either split, and at the last step on the whole validation split.

        Each process measures some of the batches.
        """
        n_batches, model = self.config.eval_batches or find_recipe(self.config).eval_batches, whole_model(self.averaged)
        measured = {
            "train_loss": self.loss(model, self.train_tokens, n_batches),
            "val_loss": self.loss(model, self.val_tokens, n_batches),
            "tokens": step * self.config.batch_size * self.config.block_size,
        }
        if step == self.steps:
            loss = self.whole_validation_loss(model)
            bits = bits_per_character(loss, *self.validation_size)
            measured |= {"val_loss_whole": loss, "val_bits_per_character": bits}
        return measured

    def loss(self, model: GPT, tokens: Tensor, n_batches: int) -> float:
        """Measure the mean loss over random windows, the same at every step so that steps can be compared."""
        shape, seed = (len(tokens), self.config.block_size, self.config.batch_size), self.config.seed

        def of_batch(number: int) -> float:
            starts = batches.window_starts(*shape, seed=seed, step=number, stream="evaluation")
            return float(model(*self.gather(tokens, starts))[1].item())

        with evaluating(model):
            return float(np.mean(processes.spread(n_batches, of_batch)))

    def whole_validation_loss(self, model: GPT | None = None) -> float:
        """Measure the mean loss over the whole validation split, cut into windows that do not overlap."""
        model = model or whole_model(self.averaged)
        starts = batches.sequential_windows(len(self.val_tokens), self.config.block_size)
        at_once = 8 * self.config.batch_size

        def total(number: int) -> float:
            some = starts[number * at_once : (number + 1) * at_once]
            return float(model(*self.gather(self.val_tokens, some))[1].item() * len(some))

        with evaluating(model):
            return sum(processes.spread(-(-len(starts) // at_once), total)) / len(starts)

    @cached_property
    def validation_size(self) -> tuple[int, int]:
        """The number of tokens that `whole_validation_loss` is the mean over, and of characters in them."""
        n = len(batches.sequential_windows(len(self.val_tokens), self.config.block_size)) * self.config.block_size
        return n, len(self.tokenizer.decode(self.val_tokens[1 : n + 1].cpu().numpy()))

    def sample(self, step: int) -> Mapping[str, object] | None:
        """Generate a text that continues the configuration's prompt; the first process does, and None is the result of the others."""
        config, tokenizer, model = self.config, self.tokenizer, whole_model(self.averaged)
        if not processes.is_first():
            return None
        known = known_part(tokenizer, config.sample_prompt) or tokenizer.decode([0])
        prompt = torch.from_numpy(tokenizer.encode(known)).to(self.device)
        seed = config.seed + step
        ids = generate_tokens(model, prompt, config.sample_tokens, temperature=SAMPLE_TEMPERATURE, seed=seed)
        text = tokenizer.decode(ids[len(prompt) :].cpu().numpy())
        return {"prompt": known, "text": text, "temperature": SAMPLE_TEMPERATURE, "seed": seed}

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Collect the tensors of a snapshot by name; the shared token table once."""
        return {name: whole(p.detach()).cpu().numpy() for name, p in self.averaged.named_parameters()}


def train(
    *,
    preset: str | None = None,
    run: str | None = None,
    resume: bool = False,
    config: Path | None = None,
    corpus_dir: Path | None = None,
    progress: Progress | None = None,
    **fields: Any,
) -> Run:
    """Train a GPT on a text and write a run, as ``python -m trainer`` does.

    Parameters
    ----------
    preset : one of `trainer.config.PRESETS`; ``cpu`` if not given.
    run : the name of the new run, made from preset and corpus if not given; or of the run to resume, the newest if not given.
    resume : continue a run that was stopped.
    config : a TOML file whose keys are fields of `trainer.config.TrainConfig`.
    corpus_dir : a folder where corpora are looked for first.
    progress : called after every step; shows a bar on standard error if not given.
    **fields : fields of `trainer.config.TrainConfig`, such as ``corpus`` and ``steps``; they take precedence over file and preset.

    Returns
    -------
    The run.

    Raises
    ------
    InputError
        If the configuration cannot be trained; the message names the field.
    Stopped
        After Ctrl-C. ``train(run=..., resume=True)`` continues.
    """
    with joined():
        before = open_run(run) if resume else None
        chosen = replace(base_config(preset, config, before), fields, where="train")
        training = resume_training(before, chosen, corpus_dir) if before else start(chosen, run, corpus_dir)
        training.go(progress)
        return training.run


def start(config: TrainConfig, name: str | None = None, corpus_dir: Path | None = None) -> Training[Session]:
    """Make a new run: everything but the first step. An `InputError` says what prevents it."""
    config = check(config)
    corpus = load_corpus(config.corpus, corpus_dir)
    session = build(config, corpus)
    return start_run(session, describe(session, corpus), name=name or free_name(f"{config.preset}-{corpus.name}"))


def resume_training(run: Run, config: TrainConfig, corpus_dir: Path | None = None) -> Training[Session]:
    """Continue a run where it stopped, with a configuration that may differ in the fields of `trainer.config.RESUMABLE`."""
    config = filled(config)
    check_resumable(trained_config(run), config, RESUMABLE, verb="train")
    corpus = load_corpus(config.corpus, corpus_dir)
    if corpus.sha256 != run.info["corpus"]["sha256"]:
        changed = f"the corpus {config.corpus} is no longer the text that run {run.name!r} was trained on"
        raise InputError(f"{changed}: it cannot be resumed")
    if found := first_shapes(run):
        source, tensors = found
        check_fits({}, model_config(config, run.tokenizer.vocab_size), tensors, source)
    threads = config.threads or run.info["threads"]
    session = build(dataclasses.replace(check(config), threads=threads), corpus, run.tokenizer)
    return resume_run(run, session, config)


def build(config: TrainConfig, corpus: Corpus, tokenizer: Tokenizer | None = None) -> Session:
    """Build model, optimizers and data for a configuration, with the weights of step 0, and a new tokenizer unless one is given."""
    device = find_device(config.device)
    recipe = find_recipe(config)
    check_shares(config.batch_size, config.accumulate, processes.count())
    reuse_freed_memory()
    tokenizer = tokenizer or make_tokenizer(config, corpus)
    train, val = batches.split_tokens(tokenizer, corpus.text, config.block_size)
    with torch.random.fork_rng():  # torch draws weights when layers are made; the caller's random state is restored
        model = GPT(model_config(config, tokenizer.vocab_size))
    model_forms.attach(model, recompute=config.checkpoint_activations, shard=config.shard)
    initialise(model, recipe.initialisation, config.seed)
    model.to(device)
    averaged = copy.deepcopy(model) if recipe.averaging else model
    model_forms.divide(dict.fromkeys((model, averaged)), shard=config.shard)
    session = Session(
        config=config,
        tokenizer=tokenizer,
        model=model,
        averaged=averaged,
        train_tokens=torch.from_numpy(train).to(device),
        val_tokens=torch.from_numpy(val).to(device),
        device=device,
    )

    def work() -> None:  # the first step, on the model that is not compiled
        model.train()(*session.batch(0))[1].backward()
        model.zero_grad(set_to_none=True)

    choose_threads(work, config.threads, device)
    return session


def make_tokenizer(config: TrainConfig, corpus: Corpus) -> Tokenizer:
    """Make the tokenizer of a configuration.

    Characters are those of the whole text, so that each has an id. Sub-words are learned from the training split.
    """
    if config.tokenizer == "char":
        return CharTokenizer.from_text(corpus.text)
    if config.tokenizer == "gpt2":
        return gpt2_tokenizer(Path(config.tokenizer_file) if config.tokenizer_file else None)
    source = f"byte-level BPE learned from the first 90% of {corpus.name}"
    return learn_bpe(batches.split_text(corpus.text)[0], config.vocab_size or VOCAB_SIZE, source)


def find_recipe(config: TrainConfig) -> Recipe:
    """Find the recipe of a configuration; an `InputError` lists the recipes."""
    if config.recipe not in RECIPES:
        raise InputError(f"there is no recipe {config.recipe!r}; there is {', '.join(RECIPES)}")
    return RECIPES[config.recipe]


def describe(session: Session, corpus: Corpus) -> dict[str, Any]:
    """Describe a pre-training for ``run.json`` (see `data.runs`)."""
    return {
        "model": asdict(session.model.config),
        "training": asdict(session.config),
        "corpus": {
            "name": corpus.name,
            "language": corpus.language,
            "characters": corpus.characters,
            "sha256": corpus.sha256,
            "validation": dict(zip(("tokens", "characters"), session.validation_size, strict=True)),
        },
        "tokenizer": session.tokenizer.to_json(),
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
    }
