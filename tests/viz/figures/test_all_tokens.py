"""The next-token figure with a bar for every token of the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from matplotlib.patches import Rectangle

from data.errors import InputError
from data.runs import Run
from tests.commands import assert_mistake, command
from tests.viz.figures.stills import defects, drawn_texts
from viz.drawing.slide import SIZES
from viz.drawing.text import short_label
from viz.drawing.theme import THEMES, Theme
from viz.figures.figure import make_figure
from viz.figures.next_token_figure import LEAST_LABEL_PT, draw_all_tokens
from viz.request import FigureRequest

MACHADO = "\n !\"'()*,-./0123456789:;?ABCDEFGHIJKLMNOPQRSTUVXYZ_abcdefghijklmnopqrstuvwxyzªºÀÁÂÃÉÊÍÓÔÕÚàáâãçèéêíïòóôõúü–—“”…§¿æñ"
WORDS = {"title": "What comes next?", "subtitle": "a run at step 5,000: all tokens, values above 0.01 printed"}


def made(tokens: Sequence[str], seed: int = 0) -> xr.DataArray:
    shares = np.random.default_rng(seed).dirichlet(np.full(len(tokens), 0.05))
    return xr.DataArray(shares, {"token": np.array(list(tokens), dtype=object)}, ("token",))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n", [1, 2, 65, 115])
def test_every_token_has_a_bar_and_values_above_a_hundredth_are_printed(
    n: int, size: str, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = made(MACHADO[:n])
    figure = draw_all_tokens(shown, "A figura é poética", **WORDS, theme=theme, inches=SIZES[size])
    assert not list(defects(figure, monkeypatch, least_pt=LEAST_LABEL_PT))
    texts = [text for text, _, _ in drawn_texts(figure, monkeypatch)]
    assert all(short_label(token) in texts for token in MACHADO[:n])
    printed = sorted(text for text in texts if text[:2] in ("0.", "1."))
    assert printed == sorted(f"{value:.2f}" for value in shown.values if value >= 0.01)
    bars = [bar for bar in figure.artists + figure.patches if isinstance(bar, Rectangle) and bar is not figure.patch]
    assert len(bars) == n
    lengths = np.array([bar.get_width() for bar in bars])
    np.testing.assert_allclose(lengths / lengths.max(), shown.values / shown.values.max(), atol=1e-9)


@pytest.mark.parametrize("n", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_more_tokens_than_can_be_read_are_refused(n: int) -> None:
    shown = made([f"t{i}" for i in range(n)])
    with pytest.raises(
        InputError, match=f"{n:,} tokens are too many for a bar each: leave out `all_tokens`"
    ) as refused:
        draw_all_tokens(shown, "a", **WORDS, inches=SIZES["16:9"])
    assert ("`size=large`" in str(refused.value)) == (n == 300)


def test_it_is_an_option_of_the_command_the_face_and_the_files_name(run: Run) -> None:
    request = FigureRequest(only=("next-token",), all_tokens=True, prompt="a")
    figure = make_figure(run, request)
    assert "all-tokens" in request.file_name
    assert request.arguments()[1] == "--prompt=a"
    assert "--all-tokens" in request.arguments()
    n = run.tokenizer.vocab_size
    assert f"all {n} tokens" in " ".join(text.get_text() for text in figure.drawing.texts)
    assert_mistake(command("viz.figures", "--only", "lens", "--all-tokens"), "--all-tokens does not concern lens")
