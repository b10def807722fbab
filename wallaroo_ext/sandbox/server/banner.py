"""What a person at a terminal reads once the sandbox answers: where it is, what to try next, how to end it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from wallaroo_ext import contract
from wallaroo_ext.sandbox.paths import DOCS_PAGE

_BOLD, _DIM, _CYAN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
_DEMO = Path(__file__).parents[3] / "scripts" / "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the screen tells.

    Attributes:
        url: The sandbox's URL.
        release: The release that it answers as.
        directory: Where its state is.
        is_kept: Whether that stays when it ends.
        env_file: Where the `export` lines are as well.
        trusted: The certificate that clients have to be told to trust.
        auth_url: Another issuer of tokens.
    """

    url: str
    release: str
    directory: Path
    is_kept: bool
    env_file: Path | None
    trusted: Path | None
    auth_url: str | None


def first_screen(facts: Facts, *, coloured: bool) -> str:
    """Return the screen; no secret is on it, and a command is never broken, so that it can be copied whole.

    Args:
        facts: What to tell.
        coloured: Whether the terminal shows colours.
    """
    paint = _paint if coloured else _leave
    lines = [
        "",
        f"  {paint('The sandbox answers', _BOLD)} at {paint(facts.url, _CYAN)} as release {facts.release}.",
        "",
        *(f"  {paint(f'{name:<8}', _DIM)}{value}" for name, value in _places(facts)),
        *(line for text, command in _commands(facts) for line in ("", f"  {text}", f"  {paint(command, _CYAN)}")),
        "",
    ]
    return "\n".join(lines) + "\n"


def last_line(facts: Facts) -> str:
    """Return what is said at the end."""
    what = f"its data stays in {facts.directory}" if facts.is_kept else "its data is gone"
    return f"The sandbox has ended; {what}.\n"


def _places(facts: Facts) -> list[tuple[str, str]]:
    kept = "" if facts.is_kept else "  (until it ends; --data-dir keeps it)"
    trust = [] if facts.trusted is None else [("Trust", f"{facts.trusted}  (in the browser, too)")]
    return [("Page", facts.url + DOCS_PAGE), ("Data", f"{facts.directory}{kept}"), *trust, ("Stop", "Ctrl-C")]


def _commands(facts: Facts) -> list[tuple[str, str]]:
    """Sentences, and the command that each leads to."""
    commands: list[tuple[str, str]] = []
    if facts.env_file is not None:
        commands.append(("In another terminal, tell clients of it:", f"source {shlex.quote(str(facts.env_file))}"))
        where = "There, sign in:"
    else:
        where = "Paste the export lines above into another terminal, and sign in there:"
    if facts.auth_url is None:
        commands.append((where, sign_in_command(trusts=facts.trusted is not None)))
    if _DEMO.exists():
        commands.append(
            ("Watch a model being uploaded, deployed and scored, on a sandbox of its own:", shlex.quote(str(_DEMO)))
        )
    return commands


def sign_in_command(*, trusts: bool) -> str:
    """Return a command for a shell with the `export` lines, which answers with a token.

    Args:
        trusts: Whether a certificate has to be trusted that the lines name.
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


def _leave(text: str, _: str) -> str:
    return text
