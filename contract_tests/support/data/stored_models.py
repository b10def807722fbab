"""Making data directories of sandboxes with model files, without a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import closing
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.auth.users import add_user, find_user_by_email
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def add_models(store: Store, names: list[str]) -> None:
    """Store model files with their rows, as an upload does."""
    with store.transaction() as db:
        if find_user_by_email(db, "user@example.com") is None:
            add_user(db, "user@example.com", "password")
    for name in names:
        staged = store.staging / name
        staged.touch(0o600)
        staged.write_bytes(b"a model")
        with store.add_model_file(staged, name), store.transaction() as db:
            cursor = db.execute(
                "INSERT INTO model_versions (model_id, version, sha, file_name, metadata, status, created_at) "
                "VALUES (0, ?, '', '', '{}', 'ready', '')",
                (name,),
            )
            db.execute("UPDATE model_versions SET model_id = id WHERE id = ?", (cursor.lastrowid,))
            db.execute("INSERT INTO models VALUES (?, 1, ?, 'private', '', '')", (cursor.lastrowid, name))


def with_models(directory: Path, names: list[str]) -> Path:
    """Return a data directory with model files, whose sandbox has ended."""
    with closing(Store(directory)) as store:
        add_models(store, names)
    return directory


def killed_with_models(directory: Path, names: list[str]) -> Path:
    """Return a data directory whose sandbox was killed, so that its newest rows are in the write-ahead log only."""
    program = """
        import os, signal, sys
        from pathlib import Path
        from wallaroo_ext.sandbox.storage.store import Store
        from contract_tests.support.data.stored_models import add_models
        add_models(Store(Path(sys.argv[1])), sys.argv[2:])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    here = {"PYTHONPATH": os.pathsep.join(filter(None, map(str, sys.path)))}
    command = [sys.executable, "-c", textwrap.dedent(program), str(directory), *names]
    assert subprocess.run(command, check=False, env=os.environ | here).returncode == -signal.SIGKILL
    return directory
