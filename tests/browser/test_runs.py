"""Runs that grow, break, vanish or lie elsewhere while somebody looks at them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboards import demo
from data.runs import Run
from tests.browser.visit import Visit, served, visit

RECORDS = ("manifest.jsonl", "metrics.jsonl", "samples.jsonl")


@pytest.fixture
def growing(own_run: Run) -> Run:
    """A run whose training has got to step 8 of 60."""
    for name in RECORDS:
        _keep(own_run.path / name, 8)
    os.utime(own_run.path / "run.json")
    return own_run


def _keep(path: Path, step: int) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line)["step"] <= step), encoding="utf-8")


def train_on(run: Run, whole: Path) -> None:
    """Write what the training had written by its end."""
    for name in RECORDS[::-1]:
        (run.path / name).write_bytes((whole / name).read_bytes())


@pytest.mark.parametrize("name", ["overview", "embeddings"])
def test_a_growing_run_grows_on_the_page_and_a_slider_at_its_end_follows(
    guest: Visit, growing: Run, shelf: Path, name: str
) -> None:
    guest.open(name, run=growing.name, **({"method": "pca"} if name == "embeddings" else {}))
    assert guest.step() == 8
    guest.page.evaluate("window.sameVisit = true")
    train_on(growing, shelf / "tiny")
    guest.settle(step=60)
    assert guest.page.evaluate("window.sameVisit"), "the page was not loaded again"


def test_a_slider_that_was_moved_stays_while_the_run_grows(guest: Visit, growing: Run, shelf: Path) -> None:
    guest.open("overview", run=growing.name, step=4)
    assert guest.step() == 4
    train_on(growing, shelf / "tiny")
    expect(guest.slider).to_have_attribute("aria-valuemax", "60", timeout=20_000)
    assert guest.step() == 4
    guest.address_says(run=growing.name, step="4")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["overview", "embeddings", "attention"])
def test_a_damaged_snapshot_is_named_and_the_rest_works(guest: Visit, own_run: Run, name: str) -> None:
    damaged = own_run.snapshot(20).path
    damaged.write_bytes(damaged.read_bytes()[:-9])
    guest.open(name, run=own_run.name)
    expect(guest.page.get_by_test_id("stAlert").filter(has_text="step 20").first).to_be_visible()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)


def test_a_run_deleted_while_it_is_looked_at_is_told(guest: Visit, own_run: Run) -> None:
    guest.open("overview", run=own_run.name)
    guest.step()
    shutil.rmtree(own_run.path)
    guest.page.get_by_role("link", name="Figures").click()
    expect(guest.page.get_by_text(f"There is no run {own_run.name}")).to_be_visible()
    assert guest.page.get_by_test_id("stException").count() == 0


@pytest.mark.slow
def test_a_run_emptied_while_it_is_looked_at_is_told(guest: Visit, own_run: Run) -> None:
    guest.open("embeddings", run=own_run.name, method="pca")
    guest.step()
    for snapshot in own_run.snapshots():
        snapshot.path.unlink()
    for name in ("Attention", "Overview", "Embeddings"):
        guest.page.get_by_role("link", name=name).click()
        guest.settle()
        assert guest.page.get_by_test_id("stException").count() == 0


@pytest.mark.sampled(4)
@pytest.mark.parametrize("query", [{"run": "../tiny"}, {"run": "/etc"}, {"run": "tiny", "step": "-4"}, {"layer": "x"}])
def test_what_an_address_says_wrongly_is_told_and_something_is_shown(guest: Visit, query: dict[str, str]) -> None:
    guest.open("overview", **query)
    expect(guest.page.get_by_test_id("stToast").first).to_contain_text("the usual is shown")
    assert guest.step() == 60


def test_links_that_lead_out_of_the_runs_folder_are_no_runs(guest: Visit, shelf: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(shelf / "tiny", outside)
    link = shelf / "led"
    link.symlink_to(outside)
    try:
        guest.open("overview", run="led")
        expect(guest.page.get_by_text("There is no run led in the runs folder")).to_be_visible()
    finally:
        link.unlink()


def test_a_name_in_the_address_is_told_as_it_is(guest: Visit) -> None:
    name = "![x](//127.0.0.2/x.png) **b**"
    guest.open("figures", run="tiny", figure=name)  # a picture asked of elsewhere would be a complaint
    expect(guest.page.get_by_test_id("stToast")).to_contain_text(name)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("query", [{"layer": 99, "head": 77}, {"prompt": "\u2603"}, {"prompt": "ba " * 500}])
def test_parts_and_prompts_that_cannot_be_are_told(guest: Visit, query: dict[str, object]) -> None:
    guest.open("attention", run="tiny", **query)
    assert guest.page.get_by_test_id("stException").count() == 0
    told = guest.page.get_by_test_id("stAlert").or_(guest.page.get_by_test_id("stToast"))
    expect(told.or_(guest.page.get_by_test_id("stCaptionContainer")).first).to_be_visible()


@pytest.fixture
def empty(
    window: Callable[..., AbstractContextManager[Visit]], shots: Path, tmp_path: Path
) -> Iterator[tuple[Visit, Path]]:
    """A visit where there is no run yet, and the folder where runs would lie."""
    runs = tmp_path / "runs"
    runs.mkdir()
    browser = window.args[0]  # type: ignore[attr-defined]
    with served(runs) as address, visit(browser, address, shots) as guest:
        yield guest, runs


def test_a_first_visit_says_what_to_do_and_goes_on_when_there_is_a_run(empty: tuple[Visit, Path], shelf: Path) -> None:
    guest, runs = empty
    guest.open("embeddings", lang="pt")
    guest.shot("first-visit-pt")
    expect(guest.page.get_by_role("heading", name="Veja um GPT aprender")).to_be_visible()
    expect(guest.page.get_by_role("button", name="Treinar agora")).to_be_enabled()
    shutil.copytree(shelf / "tiny", runs / "new")
    guest.page.get_by_role("link", name="Visão geral").wait_for(timeout=20_000)
    guest.settle()
    assert guest.step() == 60


@pytest.mark.slow
def test_a_first_visit_trains_a_run_on_the_spot_and_leads_to_it(empty: tuple[Visit, Path]) -> None:
    if not demo.local_corpora():
        pytest.skip("no corpus is on this machine")
    guest, runs = empty
    guest.open("")
    guest.page.get_by_role("button", name="Train it now").click()
    guest.page.get_by_test_id("stProgress").wait_for()
    guest.shot("first-visit-training")
    guest.page.get_by_role("link", name="Overview").wait_for(timeout=240_000)  # a training of 20 s, on a busy machine
    guest.settle()
    assert [path.name for path in runs.iterdir() if not path.name.startswith(".")] == [demo.NAME]
    guest.until(lambda: guest.step() > 0)  # it stands at the end, and goes with it
    guest.shot("first-visit-trained")
