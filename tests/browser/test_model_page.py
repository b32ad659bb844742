"""The model at work in a real browser: its numbers are those of torch at every step, sums add up, and clicks lead where they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, expect

from data.runs import Run
from tests.browser.visit import Visit
from trainer.loading import load_model

Window = Callable[..., AbstractContextManager[Visit]]
PROMPT = "bagulha"


@pytest.fixture
def reader(guest: Visit) -> Visit:
    guest.open("model", run="tiny", prompt=PROMPT)
    guest.step()
    return guest


def part(guest: Visit, name: str) -> Locator:
    return guest.player.locator(f'.flow [data-part="{name}"]')


def explanation(guest: Visit) -> Locator:
    return guest.player.locator(".explanation")


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+\.\d+", text)]


def passage(shelf: Path, step: int) -> dict[str, Any]:
    """Compute what a model does with the prompt from its weights, without the probes."""
    run = Run(shelf / "tiny")
    model: Any = load_model(run, step)
    ids = torch.tensor(run.tokenizer.encode(PROMPT))[None]
    x = model.wte(ids) + model.wpe.weight[: ids.shape[1]]
    found: dict[str, Any] = {"input": x[0, -1].norm().item(), "weights": [], "stream": [], "lens": []}
    for block in model.h:
        q, k, _ = block.attn.c_attn(block.ln_1(x))[0].split(16, dim=-1)
        scores = torch.stack([q[-1, i : i + 8] @ k[:, i : i + 8].T / 8**0.5 for i in (0, 8)])
        found["weights"].append(scores.softmax(-1))
        x = block(x)
        found["stream"].append(x[0, -1].norm().item())
        found["lens"].append((model.ln_f(x[0, -1]) @ model.wte.weight.T).softmax(-1))
    found["next"] = model(ids)[0][0, -1].softmax(-1)
    return found


def test_the_numbers_are_those_of_torch_at_several_steps(reader: Visit, shelf: Path) -> None:
    for key, step in (("End", 60), ("Home", 0), ("ArrowRight", 1)):
        reader.page.keyboard.press(key)
        reader.settle(step=step)
        expected = passage(shelf, step)
        for layer in range(2):
            weights = expected["weights"][layer].mean(0)
            for position in range(len(PROMPT)):
                text = part(reader, f"weight:{layer}:{position}").locator(".share").text_content() or ""
                assert float(text.removeprefix("<")) == pytest.approx(float(weights[position]), abs=0.0051), (
                    step,
                    layer,
                    position,
                )
            norm = float(part(reader, f"norm:residual:{layer}").inner_text())
            assert norm == pytest.approx(expected["stream"][layer], abs=0.0051)
            best = int(expected["lens"][layer].argmax())
            says = reader.player.locator(".flow .says").nth(layer + 1).locator(".leader").first
            if layer == 0:
                assert says.get_attribute("data-part") == f"leader:1:{best}"
        leaders = reader.player.locator(".flow .next .leader:visible")
        top = expected["next"].topk(leaders.count())
        shares = [numbers(row.get_attribute("aria-label") or "")[-1] for row in leaders.all()]
        assert shares == pytest.approx(top.values.tolist(), rel=2e-3)


def check_sums(guest: Visit) -> None:
    """Check that the printed terms of every sum add up to the printed total, to the last digit."""
    blocks = explanation(guest).locator("table")
    assert blocks.count()
    for table in blocks.all():
        cells = table.locator("td").all_inner_texts()
        decimals = len(cells[-1].partition(".")[2])
        terms = [round(float(cell) * 10**decimals) for cell in cells]
        assert sum(terms[:-1]) == terms[-1], cells


def test_every_sum_adds_up_as_it_is_printed(reader: Visit) -> None:
    names = [
        "norm:token",
        "norm:position",
        "norm:input",
        "norm:attention:1",
        "norm:mlp:0",
        "norm:residual:1",
        "weight:0:6",
    ]
    for name in names:
        part(reader, name).click()
        title = explanation(reader).locator("h5").inner_text()
        assert title
        for step in (0, 60):
            reader.page.keyboard.press("Home" if step == 0 else "End")
            reader.settle(step=step)
            check_sums(reader)
    for leader in reader.player.locator(".flow .leader:visible").all()[::4]:
        leader.click()
        check_sums(reader)


def test_a_probability_comes_from_the_stream_and_the_row_of_its_token(reader: Visit, shelf: Path) -> None:
    leader = reader.player.locator(".flow .next .leader").first
    leader.click()
    expected = passage(shelf, 60)["next"]
    best = int(expected.argmax())
    assert numbers(explanation(reader).locator("h5").inner_text()) == pytest.approx([float(expected.max())], rel=2e-3)
    check_sums(reader)
    cells = explanation(reader).locator(".total td").all_inner_texts()
    assert float(cells[1]) == pytest.approx(float(expected.max().log()), abs=2e-4)
    marked = reader.player.locator(".flow .vector.source")
    assert {one.get_attribute("data-vector") for one in marked.all()} == {"residual:1", "final"}
    link = explanation(reader).locator("a")
    label = Run(shelf / "tiny").tokenizer.labels[best]
    assert "embeddings?" in (link.get_attribute("href") or "")
    link.click()
    reader.page.wait_for_url(re.compile(r"/embeddings\?"))
    reader.settle()
    assert reader.query()["run"] == "tiny"
    assert "item" in reader.query()
    if label.isalnum():
        assert reader.query()["item"] == label


def test_a_weight_opens_its_score_and_a_head_its_page(reader: Visit, shelf: Path) -> None:
    part(reader, "head:1:1").click()
    reader.page.wait_for_function("new URLSearchParams(location.search).get('head') === '1'")
    expect(part(reader, "head:1:1")).to_have_attribute("aria-pressed", "true")
    check_sums(reader)
    weights = passage(shelf, 60)["weights"][1][1]
    strongest = int(weights.argmax())
    part(reader, f"weight:1:{strongest}").click()
    title = explanation(reader).locator("h5")
    expect(title).to_contain_text("layer 1, head 1")
    wanted = pytest.approx(float(weights[strongest]), rel=1e-3)
    reader.until(lambda: numbers(title.inner_text())[-1] == wanted, title.inner_text)  # numbers glide to their values
    check_sums(reader)
    assert "√8" in explanation(reader).inner_text()
    explanation(reader).locator("a").click()
    reader.page.wait_for_url(re.compile(r"/attention\?"))
    reader.settle()
    said = reader.query()
    assert (said["layer"], said["head"], said["prompt"]) == ("1", "1", PROMPT)


def test_a_token_is_followed_by_keys_alone(reader: Visit) -> None:
    part(reader, "token:3").focus()
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_function("new URLSearchParams(location.search).get('position') === '3'")
    reader.settle()
    expect(part(reader, "token:3")).to_have_attribute("aria-pressed", "true")
    expect(part(reader, "weight:0:3")).to_have_count(1)
    expect(part(reader, "weight:0:4")).to_have_count(0)
    for name in ("norm:mlp:1", "strip:residual:0"):
        part(reader, name).focus()
        reader.page.keyboard.press("Enter")
        expect(part(reader, name)).to_have_class(re.compile("explained"))
        check_sums(reader) if name != "strip:residual:0" else None
    reader.page.go_back()
    reader.settle()
    expect(part(reader, "token:6")).to_have_attribute("aria-pressed", "true")


def test_everything_that_can_be_pressed_has_a_name_and_a_tip(reader: Visit) -> None:
    buttons = reader.player.locator(".flow button:visible")
    for button in buttons.all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()
    norm = part(reader, "norm:mlp:0")
    norm.hover()
    expect(reader.player.locator('[data-panel="flow"] .tooltip')).to_contain_text("What the MLP adds in layer 0")
    tip = reader.player.locator('[data-panel="flow"] .tooltip').inner_text()
    assert numbers(tip)[-1] == pytest.approx(float(norm.inner_text()), abs=0.006)


def test_a_row_of_a_sum_leads_on_to_its_own(reader: Visit) -> None:
    part(reader, "norm:residual:1").click()
    explanation(reader).get_by_role("button", name=re.compile("^attention")).click()
    expect(explanation(reader).locator("h5")).to_contain_text("What attention adds in layer 1")
    explanation(reader).get_by_role("button", name=re.compile("^head 0")).click()
    expect(explanation(reader).locator("h5")).to_contain_text("layer 1, head 0")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (390, 844)])
def test_the_page_fits_the_window_in_both_languages_and_themes(window: Window, size: tuple[int, int]) -> None:
    for theme, language in (("light", "en"), ("dark", "pt")):
        with window(size=size, theme=theme) as guest:
            guest.open("model", run="tiny", prompt=PROMPT, lang=language)
            guest.step()
            guest.shot(f"model-{theme}-{size[0]}")
            assert guest.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
            slider = guest.slider.bounding_box()
            assert slider
            assert slider["y"] + slider["height"] <= size[1]
            if size[0] > 700:
                words = guest.player.locator(".flow .words").bounding_box()
                assert words
                assert slider["y"] > words["y"] + words["height"]  # under the model
