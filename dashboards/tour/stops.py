"""The stops of the tour: the page of each, its address, and the sentence that is measured of the run, in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from dashboards.compute import queries, record_queries
from dashboards.compute.background_jobs import BackgroundJob
from dashboards.compute.live_runs import digests_of
from dashboards.page import Page
from dashboards.tour import sentences
from dashboards.tour.address import HOME, STOP_SCREENS, start_fields, stop_address
from dashboards.tour.sentences import TemperatureSpread
from data.errors import InputError
from probes import first_look
from probes.first_look import BackwardHead, Gathering, KnownWords
from probes.groups.cohesion import group_cohesion
from probes.tables.embeddings import token_labels
from probes.texts import default_prompt
from trainer.config import described_model

Found = TypeVar("Found")

LOW, HIGH = 0.2, 1.5
"""The temperatures of the last stop."""
N_STOPS = len(STOP_SCREENS)


@dataclass(frozen=True)
class Stop:
    """A stop: the page that shows it and fields of its address, its sentence (None while it is measured), and a link within it."""

    screen: str
    fields: dict[str, object]
    sentence: str | None
    link: tuple[str, str] | None = None


def stop(page: Page, number: int) -> Stop:
    """Build a stop of the tour, counted from 1; what it needs is measured in the background."""
    return (_noise, _group, _head, _words, _temperature)[number - 1](page)


def address(page: Page, number: int, found: Stop | None = None, **more: object) -> str:
    """Write the address of a stop: an ordinary link, which can be shared."""
    shown = found or stop(page, number)
    return stop_address(shown.screen, page.run, number, {**shown.fields, **more})


def _noise(page: Page) -> Stop:
    sentence = _or_reason(page, lambda: sentences.of_beginning(first_look.beginning(page.run), page.say))
    return Stop(HOME, start_fields(page.run), sentence)


def _group(page: Page) -> Stop:
    try:
        group = first_look.telling_group(list(token_labels(page.run, described_model(page.run).vocab_size)))
    except InputError as error:
        return Stop("embeddings", {}, page.say("tour.not_here", reason=page.say.error(error)))
    if group is None:
        return Stop("embeddings", {}, page.say("tour.no_class"))

    def measure() -> Gathering:
        table = queries.table(page.computation, page.run, "tokens").value
        return first_look.clearest(group.name, group_cohesion(page.run, "tokens", group, trajectory=table))

    def sentence_of(found: Gathering) -> tuple[str, dict[str, object]]:
        return sentences.of_gathering(found, page.say(f"tour.{group.name}"), page.say), {"step": found.step}

    fields: dict[str, object] = {"group": (group.name,), "method": "pca"}
    return _measured(page, "embeddings", fields, partial(_in_background, page, "tour group", measure), sentence_of)


def _head(page: Page) -> Stop:
    def scores() -> BackwardHead | None:
        found = queries.poll_measure(page.computation, page.run, "heads")
        return None if isinstance(found, BackgroundJob) else first_look.backward_head(found.value)

    def sentence_of(found: BackwardHead) -> tuple[str, dict[str, object]]:
        return sentences.of_head(found, page.say), {"layer": found.layer, "head": found.head}

    return _measured(page, "attention", {}, scores, sentence_of)


def _words(page: Page) -> Stop:
    def sentence_of(found: tuple[KnownWords, KnownWords]) -> tuple[str, dict[str, object]]:
        return sentences.of_words(*found, page.say), {}

    count = partial(_in_background, page, "tour words", partial(first_look.known_words, page.run))
    try:
        return _measured(page, HOME, {}, count, sentence_of, reraise=True)
    except InputError:  # no text, or too few samples: the loss says it
        return Stop(HOME, {}, _fall(page))


def _fall(page: Page) -> str:
    measured = [
        record["val_loss"] for record in record_queries.metrics(page.computation, page.run) if record.get("val_loss")
    ]
    return sentences.of_fall(measured[0], measured[-1], page.say) if len(measured) > 1 else page.say("tour.no_loss")


def _temperature(page: Page) -> Stop:
    def spread() -> TemperatureSpread:
        from probes.models.decoding import apply_decoding
        from trainer.generation.filters import Decoding

        distribution = queries.next_token(page.computation, page.run, default_prompt(page.run)).value.isel(step=-1)
        drawn = [apply_decoding(distribution, Decoding(temperature)) for temperature in (LOW, HIGH)]
        return TemperatureSpread(LOW, HIGH, *map(first_look.perplexity, drawn))

    def sentence_of(found: TemperatureSpread) -> tuple[str, dict[str, object]]:
        return sentences.of_temperature(found, page.say), {}

    measure = partial(_in_background, page, "tour temperatures", spread)
    found = _measured(page, "generate", {"temperature": LOW}, measure, sentence_of)
    label = page.say("tour.at_temperature", value=page.say.number(HIGH, 1))
    return replace(found, link=(label, address(page, N_STOPS, found, temperature=HIGH)))


def _in_background(page: Page, name: str, measure: Callable[[], Found]) -> Found | None:
    """Look up the measures of the run in its present state; None while it is measured in the background."""
    state = digests_of(page.run)
    key = (name, page.run.path, state)
    found = page.computation.background.poll(
        key, lambda _: page.computation.results.get(key, measure).value, state=state
    )
    return None if isinstance(found, BackgroundJob) else found


def _measured(
    page: Page,
    screen: str,
    fields: dict[str, object],
    measure: Callable[[], object],
    sentence_of: Callable[..., tuple[str, dict[str, object]]],
    *,
    reraise: bool = False,
) -> Stop:
    """Build a stop from a measure, which is None while it is under way; if it does not apply to the run, the stop says so."""
    try:
        found = measure()
    except InputError as error:
        if reraise:
            raise
        return Stop(screen, fields, page.say("tour.not_here", reason=page.say.error(error)))
    if found is None:
        return Stop(screen, fields, None)
    sentence, more = sentence_of(found)
    return Stop(screen, {**fields, **more}, sentence)


def _or_reason(page: Page, tell: Callable[[], str]) -> str:
    try:
        return tell()
    except InputError as error:
        return page.say("tour.not_here", reason=page.say.error(error))
