"""Makes the documentation site with Sphinx; warnings, broken links and whatever comes from elsewhere are errors."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

from scripts.lib.called_from import called_path
from scripts.lib.docs.links import broken_links
from scripts.lib.regenerate.contract_page import contract_page

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "docs"
CONTRACT = "contract.html"
_NOTE = ".buildinfo"
"""The file that Sphinx writes beside the pages, by which a directory is known to be a site that may be replaced."""


def main() -> int:
    """Make the site. Returns 1 if there is something wrong with a page, 2 if the directory cannot be used."""
    parser = argparse.ArgumentParser(prog="scripts/docs", description=__doc__)
    parser.add_argument("--output", metavar="DIR", help="where the site is written; docs/_build by default")
    parser.add_argument(
        "--notebooks", action="store_true", help="run the notebooks first, and write their outputs anew"
    )
    options = parser.parse_args()
    target = called_path(options.output) if options.output else SOURCE / "_build"
    if target.exists() and not _is_replaceable(target):
        print(f"{target} is neither empty nor a site that this program made: name another directory.", file=sys.stderr)
        return 2
    if options.notebooks:
        from scripts.lib.docs import notebooks

        notebooks.write_all()
    problems = build(target)
    print("\n".join(problems) if problems else f"The site begins at {target / 'index.html'}.")
    return 1 if problems else 0


def build(target: Path) -> list[str]:
    """Make the site in a directory, which it replaces once the pages are right, and return what is wrong with them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=target.parent) as made:
        site = Path(made) / "site"
        arguments = ["-W", "--keep-going", "-q", "-E", "-d", str(Path(made) / "doctrees"), str(SOURCE), str(site)]
        if build_main(arguments):
            return ["Sphinx found what stands above."]
        (site / CONTRACT).write_text(contract_page(), encoding="utf-8")
        problems = broken_links(site, but=frozenset({CONTRACT}))
        if not problems:
            shutil.rmtree(target, ignore_errors=True)
            site.rename(target)
    return problems


def _is_replaceable(target: Path) -> bool:
    return target.is_dir() and ((target / _NOTE).is_file() or not any(target.iterdir()))


if __name__ == "__main__":
    sys.exit(main())
