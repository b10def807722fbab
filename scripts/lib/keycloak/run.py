"""Run a real Keycloak on loopback, with the realm of the tests, until it is interrupted.

Once it answers, it prints lines for a shell that set a client's environment and the administrator's name and password.
To start an instance that trusts it, run `wallaroo-ext sandbox --auth-url "$WALLAROO_AUTH_URL"` in another terminal.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import closing
from typing import Any, NoReturn

from rich.console import Console

from scripts.lib.called_from import called_path
from scripts.lib.keycloak.archive import KeycloakUnavailableError
from scripts.lib.keycloak.realm import Admin, environment, read_realm
from scripts.lib.keycloak.server import ADMIN, KeycloakFailedError, KeycloakServer, running
from wallaroo_ext.sandbox.server.env_file import EnvFileError, check_env_file, env_lines, write_env_file

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/keycloak", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port of 127.0.0.1 to listen on; a free one by default")
    parser.add_argument("--env-file", type=called_path, metavar="FILE", help="a file to write the lines to as well")
    return parser.parse_args()


def export_lines(server: KeycloakServer, realm: dict[str, Any]) -> str:
    """Return lines for a shell that set the environment of a client and of the administrator."""
    admin = {"KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": server.admin_password}
    variables = environment(server, realm) | admin
    return env_lines(variables)


def serve(options: argparse.Namespace) -> NoReturn:
    """Run it until it is interrupted."""
    if options.env_file is not None:
        check_env_file(options.env_file)
    realm = read_realm()
    with (
        Console(stderr=True).status("Keycloak starts; the first time, it is downloaded and built ...") as status,
        running(options.port) as server,
        closing(Admin(server)) as admin,
    ):
        admin.set_up(realm)
        status.stop()
        lines = export_lines(server, realm)
        if options.env_file is not None:
            write_env_file(options.env_file, lines)
        print(lines, end="", flush=True)
        while True:
            signal.pause()


def interrupt(_: int, __: Any) -> NoReturn:
    """Raise KeyboardInterrupt, and ignore further signals while the server stops."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Run it. Returns 2 if this machine cannot run it or the env file is not ours, and 1 if Keycloak fails."""
    options = parse_arguments()
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        serve(options)
    except KeyboardInterrupt:
        return 0
    except (KeycloakUnavailableError, EnvFileError) as error:
        print(error, file=sys.stderr)
        return 2
    except (KeycloakFailedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
