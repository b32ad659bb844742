"""A server over a tiny run and a headless Chromium; without Debian's browser or Playwright these tests are skipped, saying why."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.runs import Run
from tests.browser.visit import FLAGS, PATIENCE_S, Visit, chromium, served, shots_folder, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep browser tests on one worker: one server and one browser serve them all."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


# Of the package, not the session: while Playwright is at work, its event loop counts as running in the thread of the tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
    )
    found = chromium()
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    playwright.expect.set_options(timeout=PATIENCE_S * 1000)
    with playwright.sync_playwright() as player:
        window = player.chromium.launch(executable_path=found, args=list(FLAGS))
        yield window
        window.close()


@pytest.fixture(scope="package")
def shelf(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs that the server reads: it holds ``tiny``, which is not to be changed."""
    folder = tmp_path_factory.mktemp("dashboard") / "runs"
    shutil.copytree(trained, folder)
    return folder


@pytest.fixture(scope="package")
def address(browser: Browser, shelf: Path) -> Iterator[str]:
    """Where the server answers. It asks for the browser first: without one, no server is started."""
    with served(shelf) as here:
        yield here


@pytest.fixture(scope="package")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages are kept."""
    return shots_folder(tmp_path_factory.mktemp("shots"))


@pytest.fixture
def window(browser: Browser, address: str, shots: Path) -> Callable[..., AbstractContextManager[Visit]]:
    """Open windows of any size and theme: ``with window(size=(1920, 1080), theme="dark") as guest``."""
    return partial(visit, browser, address, shots)


@pytest.fixture
def guest(window: Callable[..., AbstractContextManager[Visit]]) -> Iterator[Visit]:
    """A visit in a laptop's window; it fails if the console complained of anything."""
    with window() as one:
        yield one


@pytest.fixture
def own_run(shelf: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    """A run on the server's shelf that a test may change or delete: a copy of ``tiny`` under a name of its own."""
    path = shelf / f"own-{abs(hash(request.node.nodeid)) % 10**8}"
    shutil.copytree(shelf / "tiny", path)
    yield Run(path)
    shutil.rmtree(path, ignore_errors=True)
