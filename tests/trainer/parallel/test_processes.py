"""What a process of several takes for itself, without starting several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import trainer
from data.errors import InputError
from data.runs import Run
from tests.trainer.test_loop import quiet
from trainer.machine import find_device
from trainer.parallel import processes, torchrun
from trainer.parallel.data_parallel import like, own_part, replicate, whole


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables and the counts of the second process of two."""
    variables = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    for name, value in {**variables, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(processes, "count", lambda: 2)
    monkeypatch.setattr(processes, "rank", lambda: 1)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_each_process_takes_its_own_gpu(second_of_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: None)
    assert find_device("auto") == find_device("cuda") == torch.device("cuda:1")
    assert find_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match="has 1 GPUs and more processes: pass --nproc-per-node=1 to torchrun"):
        find_device("auto")


def test_several_processes_share_a_cpu_and_no_other_device(second_of_two: None, no_gpu: None) -> None:
    assert find_device("auto") == torch.device("cpu")
    for name in ("mps", "cuda"):
        with pytest.raises(InputError, match="several processes train on cuda or cpu"):
            find_device(name)


def test_the_second_process_neither_works_nor_writes(second_of_two: None) -> None:
    done: list[str] = []
    processes.in_first(done.append, "written")
    assert not processes.is_first()
    assert not done


def test_fine_tuning_takes_one_process(second_of_two: None, run: Run, text_file: Path) -> None:
    with pytest.raises(InputError, match="fine-tuning takes one process: start it without torchrun"):
        trainer.fine_tune(model="tiny", corpus=str(text_file), progress=quiet)


def test_under_torchrun_a_run_is_named_by_the_option_that_torchrun_does_not_take(second_of_two: None) -> None:
    command = torchrun.resume_command("python -m trainer", "plays")
    assert command == "torchrun --nproc-per-node=2 -m trainer --resume --run-name plays"


def test_a_process_that_ended_is_found_and_one_that_runs_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    try:
        store = torch.distributed.HashStore()
        for rank, pid in enumerate((os.getpid(), ended.pid)):
            store.set(f"process/{rank}", f"{processes.socket.gethostname()} {pid}")
        monkeypatch.setattr(processes, "count", lambda: 2)
        ended_is_a_zombie = Path("/proc/self/stat").exists()
        if not ended_is_a_zombie:
            ended.wait()
        assert processes.lost(store) == [1]
        monkeypatch.setattr(processes, "count", lambda: 1)
        monkeypatch.setattr(processes, "SECONDS_TO_NOTICE", 0.05)
        assert processes.lost(store) == []
    finally:
        ended.wait()


def test_alone_nothing_is_wrapped_gathered_or_copied() -> None:
    module = torch.nn.Linear(2, 2)
    assert replicate(module) is module
    for function in (whole, own_part, lambda tensor: like(module.weight, tensor)):
        assert function(module.weight) is module.weight
    assert processes.spread(3, float) == [0.0, 1.0, 2.0]
    assert processes.any_of_all(True)
    assert processes.first_decides(lambda: "name") == "name"


@pytest.mark.parametrize(
    ("error", "speakers", "said"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer"), 0, "one on another machine of 2"),
        (RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer"), 1, ""),
        (InputError("run 'x' exists already"), 1, ""),
    ],
)
def test_one_process_says_why_all_end(
    error: Exception,
    speakers: int,
    said: str,
    second_of_two: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = torch.distributed.HashStore()
    if speakers:
        store.add("speakers", 1)
        store.set("said", "1")
    monkeypatch.setattr(processes, "lost", lambda store: [])
    monkeypatch.setattr(torchrun.atexit, "register", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        torchrun._end(error, store, "python -m trainer")
    assert ended.value.code == (2 if isinstance(error, InputError) else 1)
    printed = capsys.readouterr().err
    assert said in printed
    assert bool(printed) == bool(said)


def test_a_mistake_or_a_defect_of_the_first_to_fail_is_left_to_be_reported(
    second_of_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "lost", lambda store: [])
    monkeypatch.setattr(torchrun.atexit, "register", lambda *_: None)
    for error in (InputError("no"), OSError(28, "full"), KeyboardInterrupt(), RuntimeError("a defect")):
        torchrun._end(error, torch.distributed.HashStore(), "python -m trainer")
