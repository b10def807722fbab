"""An instance of the Wallaroo MLOps API on one's own machine, with real models.

    with wallaroo_ext.sandbox() as instance:
        models = wallaroo_ext.find_workspace(instance.client).models

Its routes and its validation come from the contract; the handlers are named by `operationId`. It needs the extra
`sandbox`. `wallaroo-ext sandbox` runs it at a terminal, and `wallaroo_ext.sandbox()` while a `with` block runs: this
package can be called, as the function `wallaroo_ext.sandbox.process.sandbox`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from wallaroo_ext.sandbox.control_client import Sandbox


class _CallablePackage(ModuleType):
    """A package that runs a sandbox when it is called, because both have one name."""

    def __call__(
        self,
        *,
        data_dir: str | os.PathLike[str] | None = None,
        release: str | None = None,
        log: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
    ) -> AbstractContextManager[Sandbox]:
        """Run a sandbox for the duration of a `with` block; see `wallaroo_ext.sandbox.process.sandbox`."""
        from wallaroo_ext.sandbox.process import sandbox as run

        return run(data_dir=data_dir, release=release, log=log, arguments=arguments)


sandbox = sys.modules[__name__]
sandbox.__class__ = _CallablePackage
