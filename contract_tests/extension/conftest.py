"""Fixtures of the tests of the extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.support.command_line import Done, in_process

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def wallaroo(
    sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return a function that runs the command in this process, with the sandbox's environment or another one."""
    return in_process(sandbox, monkeypatch, capsys)
