"""The banner at a terminal: where the sandbox is, what to try next, and how to stop it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from wallaroo_ext import contract
from wallaroo_ext.sandbox.paths import DOCS_PAGE

_BOLD, _DIM, _CYAN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
_DEMO = Path(__file__).parents[3] / "scripts" / "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxInfo:
    """The facts about a running sandbox that are shown to its user.

    Attributes:
        url: The URL of the sandbox.
        release: The release of Wallaroo that it imitates.
        directory: The data directory.
        is_kept: Whether the data directory is kept when the sandbox ends.
        env_file: The file with the `export` lines, if any.
        trusted: The certificate that clients have to trust, if any.
        auth_url: The URL of another token issuer, if any.
    """

    url: str
    release: str
    directory: Path
    is_kept: bool
    env_file: Path | None
    trusted: Path | None
    auth_url: str | None


def banner(info: SandboxInfo, *, coloured: bool) -> str:
    """Return the banner. It shows no secrets, and each command is one line, so that it can be copied.

    Args:
        info: The facts to show.
        coloured: Whether to use colours.
    """
    paint = _paint if coloured else _plain
    lines = [
        "",
        f"  {paint('The sandbox answers', _BOLD)} at {paint(info.url, _CYAN)} as release {info.release}.",
        "",
        *(f"  {paint(f'{name:<8}', _DIM)}{value}" for name, value in _locations(info)),
        *(line for text, command in _commands(info) for line in ("", f"  {text}", f"  {paint(command, _CYAN)}")),
        "",
    ]
    return "\n".join(lines) + "\n"


def farewell(info: SandboxInfo) -> str:
    """Return the last line, for when the sandbox has ended."""
    outcome = f"its data stays in {info.directory}" if info.is_kept else "its data is gone"
    return f"The sandbox has ended; {outcome}.\n"


def _locations(info: SandboxInfo) -> list[tuple[str, str]]:
    kept = "" if info.is_kept else "  (until it ends; --data-dir keeps it)"
    trust = [] if info.trusted is None else [("Trust", f"{info.trusted}  (in the browser, too)")]
    return [("Page", info.url + DOCS_PAGE), ("Data", f"{info.directory}{kept}"), *trust, ("Stop", "Ctrl-C")]


def _commands(info: SandboxInfo) -> list[tuple[str, str]]:
    """Return commands to try next, each with a sentence before it."""
    commands: list[tuple[str, str]] = []
    if info.env_file is not None:
        commands.append(("In another terminal, tell clients of it:", f"source {shlex.quote(str(info.env_file))}"))
        introduction = "There, sign in:"
    else:
        introduction = "Paste the export lines above into another terminal, and sign in there:"
    if info.auth_url is None:
        commands.append((introduction, sign_in_command(trusts=info.trusted is not None)))
    if _DEMO.exists():
        commands.append(
            ("Watch a model being uploaded, deployed and scored, on a sandbox of its own:", shlex.quote(str(_DEMO)))
        )
    return commands


def sign_in_command(*, trusts: bool) -> str:
    """Return a shell command that requests a token with the variables of the `export` lines.

    Args:
        trusts: Whether the variables name a certificate that has to be trusted.
    """
    return (
        "curl -s "
        + ('--cacert "$WALLAROO_CA_BUNDLE" ' if trusts else "")
        + '-u "$WALLAROO_CLIENT_ID:$WALLAROO_CLIENT_SECRET" -d grant_type=password '
        + '-d "username=$WALLAROO_USER" -d "password=$WALLAROO_PASSWORD" '
        + f'"$WALLAROO_AUTH_URL{contract.operation("request_token").path}"'
    )


def _paint(text: str, code: str) -> str:
    return f"{code}{text}{_PLAIN}"


def _plain(text: str, _: str) -> str:
    return text
