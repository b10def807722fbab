"""The form of a tool that reads the contract, and the place where its work is done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.lib.consumers.scene import ConsumerError, Scene, run
from scripts.lib.regenerate import dist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
CLIENTS = HERE / "clients"
BIN = HERE / "node_modules/.bin"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a tool works.

    Attributes:
        directory: The tool's own directory, which is empty when it begins.
        kept: A directory that later runs find again, for what was downloaded or built.
        scene: The sandbox that clients call.
        contract: The copy of the contract for other tools, as JSON.
    """

    directory: Path
    kept: Path
    scene: Scene
    contract: Path = dist.DIRECTORY / f"{dist.NAME}.json"

    def run(self, *command: str | Path, variables: Mapping[str, str] | None = None) -> str:
        """Run a program in the tool's directory, and return what it printed.

        Raises:
            ConsumerError: It failed.
        """
        return run(*map(str, command), cwd=self.directory, variables=variables)

    def call(self, *command: str | Path) -> str:
        """Run a client's program with what it is told of the sandbox, and return what it printed.

        Raises:
            ConsumerError: It failed.
        """
        return self.run(*command, variables=self.scene.variables)

    def copy(self, name: str, target: str | None = None) -> Path:
        """Copy a client's source into the tool's directory, and return its path there."""
        path = self.directory / (target or name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLIENTS / name, path)
        return path


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that reads the contract.

    Attributes:
        name: Its name, and of a generator the language of its client.
        version: The pinned version.
        needs: The programs without which it is skipped.
        try_out: Lets it work, and returns what a user has to know; raises ConsumerError where it fails.
    """

    name: str
    version: str
    needs: tuple[str, ...]
    try_out: Callable[[Workshop], str]

    @property
    def lacks(self) -> list[str]:
        """Return the programs that are not on this machine."""
        return [each for each in self.needs if shutil.which(each) is None]


__all__ = ["BIN", "CLIENTS", "HERE", "ConsumerError", "Tool", "Workshop"]
