"""Revisions are found in folders and on the hub; names and steps of revisions are parsed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from trainer.pretrained.revisions import fetch, locate_revisions, parse_revisions


def test_a_revision_missing_on_the_hub_is_a_gap_and_a_missing_model_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    class NoModel(RepositoryNotFoundError):
        def __init__(self) -> None:  # without the answer of a server
            pass

    class NoRevision(RevisionNotFoundError):
        def __init__(self) -> None:
            pass

    requested: list[tuple[str, Any]] = []

    def answer(model: str, revision: str, allow_patterns: list[str], **_: Any) -> str:
        requested.append((revision, allow_patterns))
        if model == "no/model":
            raise NoModel
        if revision == "step3":
            raise NoRevision
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", answer)
    (tmp_path / "pytorch_model.bin").touch()
    located = locate_revisions("some/model", parse_revisions("step1,step3"))
    assert located[0] == (1, tmp_path)
    assert located[1][0] == 3
    assert not located[1][1].exists()
    assert [revision for revision, _ in requested] == [
        "step1",
        "step1",
        "step3",
    ]  # pickles only where there is no safetensors
    assert "*.safetensors" in requested[0][1]
    assert requested[1][1] == ["*.bin"]
    with pytest.raises(InputError, match="the hub has no model 'no/model' that may be read"):
        fetch("no/model", "main")
