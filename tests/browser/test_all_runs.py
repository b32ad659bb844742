"""All runs on the overview: the table is filtered, sorted, pinned and named, the chart reads and zooms, by pointer and by keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from data.runs import Run
from data.runs.labels import Label, read_label
from tests.browser.visit import Visit
from viz.player.bundle import runs_script

SEEDS = (3, 1, 2)


@pytest.fixture
def family(shelf: Path) -> Iterator[list[Run]]:
    """Runs beside ``tiny``: copies with other seeds, whose losses are 1, 2 and 3 higher, in the order of their making."""
    tiny, made = Run(shelf / "tiny"), []
    for i, seed in enumerate(SEEDS):
        path = shelf / f"seed-{seed}"
        shutil.copytree(tiny.path, path)
        training = {**tiny.info["training"], "seed": seed}
        (path / "run.json").write_text(json.dumps({**tiny.info, "training": training, "created": f"2001-01-0{i + 1}"}))
        records = [{**record, "val_loss": record["val_loss"] + 1 + i} for record in tiny.metrics()]
        (path / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
        made.append(Run(path))
    yield made
    for run in made:
        shutil.rmtree(run.path, ignore_errors=True)


def open_table(guest: Visit, **query: object) -> Locator:
    guest.open("", show="runs", **query)
    table = guest.page.get_by_role("grid")
    table.wait_for()
    return table


def names(table: Locator) -> list[str]:
    return table.locator("tbody tr[data-run]").evaluate_all("rows => rows.map(row => row.dataset.run)")


def legend(guest: Visit) -> dict[str, str]:
    lines = guest.page.locator(".runs .legend tbody tr").all_inner_texts()
    return {name.strip(): value.strip() for name, value in (line.split("\t") for line in lines)}


def test_the_table_is_filtered_by_words_and_conditions(guest: Visit, family: list[Run]) -> None:
    table = open_table(guest, run="tiny")
    assert names(table)[0] == "tiny"
    assert {*names(table)} >= {"tiny", *(run.name for run in family)}
    box = guest.page.get_by_role("searchbox", name="Filter")
    for text, expected in (
        ("seed-", {"seed-1", "seed-2", "seed-3"}),
        ("SEED-1", {"seed-1"}),
        ("seed- -seed-1", {"seed-2", "seed-3"}),
        ("seed>=2 seed<4", {"seed-2", "seed-3"}),
        ("created < 2001-01-02", {"seed-3"}),
        ("no-such-run", set()),
    ):
        box.fill(text)
        guest.next_frame()
        assert {*names(table)} == expected, text
    expect(guest.page.get_by_text("No run matches the filter.")).to_be_visible()
    box.fill("wrong>3 seed-1")
    expect(guest.page.get_by_text("There is no column or setting wrong")).to_be_visible()
    guest.address_says(run="tiny", show="runs", filter="wrong>3 seed-1")


def test_a_link_brings_back_filter_order_and_pins(guest: Visit, family: list[Run]) -> None:
    table = open_table(guest, filter="seed-", sort="-seed", pin="tiny", hide="seed-2")
    assert names(table) == ["tiny", "seed-3", "seed-1"]
    guest.page.get_by_role("checkbox", name="1 hidden").check()
    assert names(table) == ["tiny", "seed-3", "seed-1", "seed-2"]
    table.get_by_role("button", name="seed", exact=True).click()  # from descending to as they came
    assert names(table)[:3] == ["tiny", "seed-1", "seed-3"]
    guest.address_says(run="tiny", filter="seed-", show="runs", pin="tiny", hide="seed-2")


def test_settings_that_differ_are_columns_and_the_others_are_folded_away(guest: Visit, family: list[Run]) -> None:
    table = open_table(guest, filter="seed-")
    heads = table.get_by_role("columnheader").all_inner_texts()
    assert "seed" in heads
    assert "n_layer" not in heads
    guest.page.get_by_text("settings are the same in all").click()
    expect(guest.page.get_by_text("n_layer 2")).to_be_visible()
    guest.page.get_by_role("searchbox", name="Filter").fill("seed-1")
    guest.next_frame()
    assert "seed" not in table.get_by_role("columnheader").all_inner_texts()


def test_the_rule_reads_all_curves_lowest_first(guest: Visit, family: list[Run]) -> None:
    open_table(guest, filter="seed-", lang="pt")
    guest.until(lambda: len(legend(guest)) == 3)
    assert [*legend(guest)] == ["seed-3", "seed-1", "seed-2"]
    guest.page.locator(".runs .area").focus()
    guest.page.keyboard.press("Home")
    expect(guest.page.locator(".runs .legend thead")).to_contain_text("passo de treino 0")
    first = {run.name: run.metrics()[0]["val_loss"] for run in family}
    for name, text in legend(guest).items():
        assert float(text.replace(",", ".")) == pytest.approx(first[name], abs=6e-4)
    area = guest.page.locator(".runs .area")
    assert str(area.get_attribute("aria-valuetext")).startswith("passo de treino 0; seed-3 ")


def test_a_drag_zooms_and_a_double_click_shows_all_again(guest: Visit, family: list[Run]) -> None:
    open_table(guest, filter="seed-", logs="none")
    area = guest.page.locator(".runs .area")
    guest.until(lambda: area.get_attribute("aria-valuemax") == "60")
    box = area.bounding_box()
    assert box
    mouse, y = guest.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 0.5, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.8, y, steps=5)
    mouse.up()
    guest.next_frame()
    low, high = (float(str(area.get_attribute(f"aria-value{end}"))) for end in ("min", "max"))
    assert 20 < low < 35 < high < 55
    mouse.dblclick(box["x"] + box["width"] * 0.5, y)
    guest.next_frame()
    assert (area.get_attribute("aria-valuemin"), area.get_attribute("aria-valuemax")) == ("0", "60")


def test_keys_pin_hide_name_and_open_a_run(guest: Visit, family: list[Run]) -> None:
    table = open_table(guest, run="tiny", filter="seed-", sort="run")
    row = table.locator('tr[data-run="seed-1"]')
    row.focus()
    guest.page.keyboard.press("ArrowDown")
    expect(table.locator('tr[data-run="seed-2"]')).to_be_focused()
    guest.page.keyboard.press("p")
    assert names(table) == ["seed-2", "seed-1", "seed-3"]
    guest.page.keyboard.press("F2")
    guest.page.keyboard.type("warm <b>up</b>")
    guest.page.keyboard.press("Enter")
    expect(table.get_by_role("link", name="warm <b>up</b>")).to_be_visible()
    guest.settle()
    guest.until(lambda: read_label(family[2]) == Label("warm <b>up</b>"))
    guest.page.keyboard.press("ArrowDown")
    guest.page.keyboard.press("h")
    assert names(table) == ["seed-2", "seed-3"]
    guest.page.keyboard.press("Enter")  # the row after the hidden one has the focus
    guest.settle(step=60)
    expect(guest.page.get_by_role("radio", name="This run")).to_be_checked()
    assert guest.query()["run"] == "seed-3"


def test_a_press_opens_a_run_and_back_leads_to_the_table(guest: Visit, family: list[Run]) -> None:
    table = open_table(guest, run="tiny", filter="seed-")
    table.get_by_role("link", name="seed-2").click()
    guest.settle(step=60)
    assert guest.query()["run"] == "seed-2"
    guest.page.go_back()
    guest.settle()
    expect(table).to_be_visible()
    assert {*names(table)} == {"seed-1", "seed-2", "seed-3"}


def test_a_colour_is_that_of_row_curve_and_legend(guest: Visit, family: list[Run]) -> None:
    table = open_table(guest, filter="seed-1")
    swatch = table.get_by_label("Colour of seed-1")
    before = swatch.input_value()
    swatch.fill("#aa00bb")
    swatch.dispatch_event("change")
    mark = guest.page.locator(".runs .legend tbody i")
    expect(mark).to_have_css("background-color", "rgb(170, 0, 187)")
    guest.until(lambda: read_label(family[1]).color == "#aa00bb")
    assert before != "#aa00bb"


@pytest.mark.slow
@pytest.mark.parametrize(("size", "theme", "lang"), [((390, 844), "light", "pt"), ((1920, 1080), "dark", "en")])
def test_the_page_is_as_wide_as_its_window(
    window: Callable[..., AbstractContextManager[Visit]],
    family: list[Run],
    size: tuple[int, int],
    theme: str,
    lang: str,
) -> None:
    with window(size=size, theme=theme) as guest:
        open_table(guest, lang=lang, run="tiny")
        guest.shot(f"all-runs-{size[0]}-{theme}-{lang}")
        wide = guest.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= size[0]


@pytest.fixture
def modules(guest: Visit) -> Callable[[str], Any]:
    """Evaluate JavaScript with the modules of the table at hand, each as ``$name``."""
    guest.page.goto("about:blank")
    script = runs_script().replace("export default $mount.default_;", "")
    return lambda code: guest.page.evaluate(f"() => {{ {script}; return {code}; }}")


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.93])
def test_smoothing_is_the_debiased_moving_average(modules: Callable[[str], Any], weight: float) -> None:
    values = np.random.default_rng(0).normal(5, 1, size=40)
    found = modules(f"$smoothing.smooth({values.tolist()}, {weight})")
    for n in range(1, len(values) + 1):  # the weights of the past, written out
        weights = weight ** np.arange(n)[::-1]
        assert found[n - 1] == pytest.approx(np.average(values[:n], weights=weights), rel=1e-9)
    holes = modules("$smoothing.smooth([1, NaN, 1, NaN], 0.9)")
    assert np.isnan(holes[1])
    assert holes[2] == pytest.approx(1)


def test_conditions_read_numbers_of_both_languages_and_columns_of_either_name(modules: Callable[[str], Any]) -> None:
    columns = "[{key: 'val_loss', names: ['perda']}, {key: 'text', names: []}]"
    rows = "[{loss: 1.5, text: 'Machado'}, {loss: 2.5, text: 'outro'}, {loss: null, text: null}]"

    def kept(text: str) -> list[int]:
        return modules(
            f"(() => {{ const {{ terms }} = $filter.parseFilter({json.dumps(text)}, {columns});"
            f"return {rows}.map((row, i) => [row, i]).filter(([row]) => $filter.meets({{ haystack: '' }}, terms,"
            " (_, column) => (column.key === 'val_loss' ? row.loss : row.text))).map(([, i]) => i); })()"
        )

    assert kept("perda < 2,0") == kept("VAL_LOSS<2.0") == kept("val_loss≤1.5") == [0]
    assert kept("val_loss>=1e0") == [0, 1]
    assert kept("val_loss!=1.5") == [1, 2]
    assert kept("text=machado") == [0]
    assert kept("val_loss>abc") == []
    assert kept("val_loss>") == [0, 1, 2], "not complete yet"


@pytest.mark.parametrize(("low", "high", "unit"), [(0, 5000, 1), (0, 7e8, 1024), (3e-5, 0.02, 0), (1.2, 4.9, 0)])
def test_an_axis_goes_there_and_back_and_has_round_ticks(
    modules: Callable[[str], Any], low: float, high: float, unit: float
) -> None:
    axis = f"$chart_axis.makeAxis({{ low: {low}, high: {high}, isLog: true, unit: {unit} }})"
    places = np.linspace(0, 1, 7).tolist()
    assert modules(f"{places}.map((p) => {axis}.place({axis}.valueAt(p)))") == pytest.approx(places)
    ticks = modules(f"{axis}.ticks(6)")
    assert len(ticks) >= 3
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == pytest.approx([float(f"{tick:.2g}") for tick in ticks])
