"""Is the documentation site whole: built without a warning, links good, and all that is public on it?"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sphinx.errors import ExtensionError

import wallaroo_ext
from contract_tests.support.documentation import DOCS, README, ROOT, pages
from contract_tests.support.scripts import call_main
from contract_tests.support.servers.forks.forking import run_in_child
from scripts.lib.docs import build
from scripts.lib.docs.links import broken_links
from scripts.lib.docs.repository_pages import included, shown_files
from wallaroo_ext import aio
from wallaroo_ext.cli.main import COMMANDS
from wallaroo_ext.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

slow = pytest.mark.slow
SCREENS = 100
"""How many lines two screens have."""


def run(target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", build.__file__, "--output", str(target)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the site, built by the program of `scripts/docs`."""
    target = tmp_path_factory.mktemp("built") / "site"
    done = run(target)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def text_of(site: Path, page: str) -> str:
    return re.sub(r"<[^>]+>", "", (site / f"{page}.html").read_text(encoding="utf-8"))


@slow
class TestSite:
    def test_every_public_name_is_in_the_reference(self, site: Path) -> None:
        text = "".join((site / f"reference/{page}.html").read_text() for page in ("functions", "errors", "aio"))
        known = set(re.findall(r'id="(wallaroo_ext\.[\w.]+)"', text))
        assert {f"wallaroo_ext.{name}" for name in wallaroo_ext.__all__} <= known
        assert {f"wallaroo_ext.aio.{name}" for name in aio.__all__} - known == {"wallaroo_ext.aio.connect"}

    def test_every_command_with_its_options_is_in_the_reference(self, site: Path) -> None:
        text = text_of(site, "reference/command-line")
        for command in COMMANDS:
            assert f"wallaroo-ext {command} " in text
        for option in ("--vector", "--data-dir", "--allow-user-changes", "--json"):
            assert option in text

    def test_every_kind_of_fault_is_on_the_sandboxs_page(self, site: Path) -> None:
        text = text_of(site, "guides/sandbox")
        assert all(kind in text for kind in KINDS)

    def test_the_search_finds_words_of_pages_and_of_the_reference(self, site: Path) -> None:
        index = (site / "searchindex.js").read_text(encoding="utf-8")
        words = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["terms"]
        assert {"zipmap", "keycloak", "seccomp"} <= set(words)

    def test_the_contract_is_there_as_a_page(self, site: Path) -> None:
        assert "deploy_pipeline" in (site / build.CONTRACT).read_text(encoding="utf-8")

    def test_every_page_is_in_the_table_of_contents(self, site: Path) -> None:
        made = {str(page.relative_to(site).with_suffix("")) for page in site.rglob("*.html")}
        written = {str(page.relative_to(DOCS).with_suffix("")) for page in pages()}
        notebooks = {f"notebooks/{page.stem}" for page in (DOCS / "notebooks").glob("*.ipynb")}
        assert written | notebooks <= made
        assert made - written - notebooks == {"contract", "genindex", "search", "py-modindex"} & made
        assert {page.relative_to(DOCS) for page in DOCS.rglob("*.md")} == {page.relative_to(DOCS) for page in pages()}


def build_of(source: Path, target: Path) -> None:
    """Build a site from other pages, in a child, because Sphinx changes the process that it runs in."""

    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "SOURCE", source)
            done = call_main(build.main, "--output", str(target))
        assert done.code == 0, done.out + done.err

    assert run_in_child(work) == 0


def test_another_build_replaces_a_site(tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    (source / "conf.py").write_text('html_theme = "basic"\n', encoding="utf-8")
    (source / "index.rst").write_text("First\n=====\n\n.. toctree::\n\n   second\n", encoding="utf-8")
    (source / "second.rst").write_text("Second\n======\n", encoding="utf-8")
    build_of(source, site)
    assert "First" in (site / "index.html").read_text(encoding="utf-8")
    (site / "genindex.html").unlink()
    (site / "gone.html").touch()
    build_of(source, site)
    assert (site / "genindex.html").exists()
    assert not (site / "gone.html").exists()
    assert {found.name for found in tmp_path.iterdir()} == {"source", "site"}


def test_a_directory_that_is_no_site_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    done = call_main(build.main, "--output", str(tmp_path))
    assert (done.code, "name another directory" in done.err) == (2, True)
    assert [found.name for found in tmp_path.iterdir()] == ["mine.txt"]


def test_the_types_that_signatures_name_are_explained() -> None:
    named: set[str] = set()
    for name in wallaroo_ext.__all__:
        subject = getattr(wallaroo_ext, name)
        if inspect.isfunction(subject):
            annotations = [str(found.annotation) for found in inspect.signature(subject).parameters.values()]
            named |= {found for text in annotations for found in re.findall(r"(?<![\w.])[A-Z][A-Za-z]+", text)}
    known = {"Any", "Callable", "Iterable", "Literal", "Mapping", "None", "Sequence", *wallaroo_ext.__all__}
    page = (DOCS / "reference/functions.md").read_text(encoding="utf-8")
    assert len(named) > 15
    assert [name for name in named - known if f"`{name}`" not in page] == []


def test_links_that_lead_nowhere_and_things_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text('<p id="here">b</p>', encoding="utf-8")
    links = '<a href="b.html#here">1</a><a href="b.html#there">2</a><a href="c.html">3</a>'
    elsewhere = '<a href="https://example.com">4</a><a href="../outside.html">5</a>'
    loaded = '<img src="https://example.com/i.png"><script src="//example.com/s.js"></script>'
    (tmp_path / "a.html").write_text(links + elsewhere + loaded, encoding="utf-8")
    (tmp_path.parent / "outside.html").touch()
    assert broken_links(tmp_path) == [
        "a.html: links to b.html#there, a place that the page does not have.",
        "a.html: links to c.html, which is not there.",
        "a.html: links to ../outside.html, which is not there.",
        "a.html: loads https://example.com/i.png from elsewhere.",
        "a.html: loads //example.com/s.js from elsewhere.",
    ]


def test_links_of_included_pages_lead_to_pages_or_name_the_file() -> None:
    shown = shown_files()
    text = included(ROOT / "ARCHITECTURE.md", DOCS / "made/architecture.md")
    assert "[reasons](../tables/measured.md)" in text
    assert ROOT / "openapi/releases/evidence.md" in shown
    guide = included(ROOT / "openapi/dist/README.md", DOCS / "guides/other-tools.md")
    assert "`scripts/lib/consumers/clients`" in guide


def test_a_link_of_an_included_page_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`[kept](as-code.md)` and [gone](gone.md)", encoding="utf-8")
    with pytest.raises(ExtensionError, match=r"gone\.md, which is not there"):
        included(page, DOCS / "made/page.md")


def test_the_readme_fits_two_screens_and_its_links_are_good() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= SCREENS
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert len(targets) > 20
    assert [target for target in targets if not (ROOT / target).exists()] == []
