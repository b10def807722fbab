"""The release that an instance is held to: as an option names it, or as the instance says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.contract import RELEASES
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS
from wallaroo_ext.sandbox.paths import CONTROL
from wallaroo_ext.transport.connections.proxies import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.options import SuiteOptions

_MOST_WORKSPACES = 20
"""How many workspaces are looked into for model versions, which say by which release they were made."""

_MADE_BY = "created_on_version"
_VERSION = re.compile(r"(\d{4})\.(\d+)")


@dataclass(frozen=True, slots=True)
class HeldTo:
    """The release that an instance is held to.

    Attributes:
        release: The release; None for the contract without an overlay.
        known_by: How that is known, or why there is none.
    """

    release: str | None
    known_by: str

    @classmethod
    def by_options(cls, options: SuiteOptions) -> Self | None:
        """Return the release by the options alone; None where only the instance can say it."""
        if options.release is not None:
            return cls(options.release, "--release names it")
        if options.contract is not None:
            return cls(None, "a contract of your own is taken as it is, unless --release names a release")
        if options.instance == "sandbox" and options.running is None:
            return cls(DEFAULT_OPTIONS.release, "the sandbox is started with it")
        if options.instance == "recorded":
            return cls(None, "recordings may be of several releases")
        return None

    @property
    def text(self) -> str:
        """A sentence about it."""
        if self.release is None:
            return f"The instance is held to the contract without the overlay of a release: {self.known_by}."
        return f"The instance is held to the contract of release {self.release}: {self.known_by}."


def release_of_instance(client: Client, url: str) -> HeldTo:
    """Return the release that an instance is held to by what it says; only requests that read are sent.

    Args:
        client: A client of the instance.
        url: The URL of its API.

    Raises:
        AuthenticationError: It gives no token.
    """
    return _of_sandbox(client, url) or _of_versions(client) or HeldTo(None, "the instance does not say which it is")


def release_of_version(version: str) -> str | None:
    """Return the release that a server of a version is held to: its own, or the next one that has an overlay.

    A version after the last release is held to the last; None for what is no version.
    """
    found = _number(version)
    if found is None:
        return None
    return next((release for release in RELEASES if (_number(release) or found) >= found), RELEASES[-1])


def _number(version: str) -> tuple[int, int] | None:
    found = _VERSION.match(version)
    return None if found is None else (int(found[1]), int(found[2]))


def _of_sandbox(client: Client, url: str) -> HeldTo | None:
    """Return the release of a sandbox, which tells it on its own machine; None for other instances."""
    if not is_loopback(urlsplit(url).hostname or ""):
        return None
    release = object_of(_asked(client, "GET", f"{CONTROL}/state")).get("release")
    return HeldTo(release, "the sandbox says so") if release in RELEASES else None


def _of_versions(client: Client) -> HeldTo | None:
    """Return the release by the newest server that made one of the model versions; None where none says it."""
    reported = {version for version in _versions(client) if _number(version)}
    if not reported:
        return None
    newest = max(reported, key=lambda version: _number(version) or (0, 0))
    return HeldTo(release_of_version(newest), f"its newest model version was made on {newest}")


def _versions(client: Client) -> Iterator[str]:
    """Yield the versions of the servers that made the model versions; nothing where the instance does not show them."""
    for workspace in list_of(object_of(_answer(client, "list_workspaces", {})).get("workspaces"))[-_MOST_WORKSPACES:]:
        listed = object_of(_answer(client, "list_models", {"workspace_id": object_of(workspace).get("id")}))
        yield from list(_told(listed)) or _told_by_id(client, list_of(listed.get("models")))


def _told_by_id(client: Client, models: list[Any]) -> Iterator[str]:
    """Yield the version of the server that made the newest version of the first of some models."""
    for model in map(object_of, models[:1]):
        versions = list_of(_answer(client, "list_model_versions", {"models_pk_id": model.get("id")}))
        for version in map(object_of, versions[-1:]):
            yield from _told(_answer(client, "get_model_version_by_id", {"model_version_id": version.get("id")}))


def _answer(client: Client, operation: str, body: dict[str, Any]) -> Any:
    return _asked(client, "POST", contract.operation(operation).path, json=body)


def _asked(client: Client, method: str, path: str, **body: Any) -> Any:
    """Return the JSON of an answer; None for a refusal, and where no answer came, which the run itself finds out."""
    try:
        answer = client.get_httpx_client().request(method, path, **body)
        return answer.json() if answer.is_success else None
    except (httpx.HTTPError, ValueError, NoAnswerError):
        return None


def _told(value: Any) -> Iterator[str]:
    """Yield what fields of a name say, at any depth."""
    for name, inner in object_of(value).items():
        if name == _MADE_BY and isinstance(inner, str):
            yield inner
        yield from _told(inner)
    for item in list_of(value):
        yield from _told(item)
