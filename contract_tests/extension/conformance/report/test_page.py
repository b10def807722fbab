"""Can a person read the report of a contract run in a browser, whatever an instance has put into it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.browser import Browser, browsing
from contract_tests.support.conformance import runs
from wallaroo_ext.conformance.report import write_report

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.slow  # it starts a browser

MADE = {"failing": runs.failing, "conforming": runs.conforming, "early": runs.early, "hostile": runs.hostile}
SCHEMES = ("light", "dark")
WIDTHS = {"a desk": 1280, "a phone": 390}
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3

LOADED = "return performance.getEntriesByType('resource').map(entry => entry.name)"
WIDTH = "return document.documentElement.scrollWidth"
# The least contrast of a text with what is behind it, and that text.
CONTRAST = """
    const light = ([r, g, b]) => [r, g, b]
        .map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const colour = text => text.match(/[\\d.]+/g).map(Number);
    const behind = element => {
        for (let each = element; each; each = each.parentElement) {
            const found = colour(getComputedStyle(each).backgroundColor);
            if (found.length === 3 || found[3] === 1) return found;
        }
        return [255, 255, 255];
    };
    const shown = [...document.querySelectorAll('body *')].filter(element => element.checkVisibility()
        && [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
    const ratios = shown.map(element => {
        const both = [light(colour(getComputedStyle(element).color)), light(behind(element))];
        const [low, high] = both.sort((a, b) => a - b);
        return [(high + 0.05) / (low + 0.05), element.textContent.slice(0, 80)];
    });
    return ratios.sort((a, b) => a[0] - b[0])[0];
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
def desk(browser: Browser) -> Browser:
    """Return the browser as it is on a desk, by day."""
    set_up(browser)
    return browser


def set_up(browser: Browser, *, width: int = 1280, scheme: str = "light", media: str = "screen") -> None:
    browser.devtools("Emulation.setScrollbarsHidden", hidden=True)  # they take a part of the width on a desk
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.devtools("Emulation.setEmulatedMedia", media=media, features=[feature])
    browser.devtools(
        "Emulation.setDeviceMetricsOverride", width=width, height=1600, deviceScaleFactor=1, mobile=width < 600
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the page of each kind of run."""
    return {kind: write_report(made(), tmp_path_factory.mktemp(kind)).page for kind, made in MADE.items()}


def show(browser: Browser, page: Path) -> None:
    """Open a run's page."""
    browser.complaints()
    browser.open(page.as_uri())


@pytest.mark.parametrize("kind", MADE)
class TestEveryPage:
    def test_it_renders_without_an_error_or_a_request(self, kind: str, desk: Browser, pages: dict[str, Path]) -> None:
        show(desk, pages[kind])
        assert desk.text("h1").endswith(("Does not conform", "Conforms", "Could not run"))
        assert desk.run("return document.querySelectorAll('main > section').length") == 11
        assert desk.run(LOADED) == []
        assert desk.complaints() == []

    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_it_can_be_read(self, kind: str, scheme: str, width: str, browser: Browser, pages: dict[str, Path]) -> None:
        set_up(browser, width=WIDTHS[width], scheme=scheme)
        show(browser, pages[kind])
        browser.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert browser.run(WIDTH) == WIDTHS[width]
        ratio, text = browser.run(CONTRAST)
        assert ratio >= LEAST_CONTRAST, text


class TestWhatIsWrong:
    def test_each_cause_is_seen_without_scrolling_and_leads_to_its_failure(
        self, desk: Browser, pages: dict[str, Path]
    ) -> None:
        show(desk, pages["failing"])
        causes = desk.run("return [...document.querySelectorAll('.causes tbody tr')].map(row => row.innerText)")
        assert len(causes) == 8
        assert causes[0].split("\t")[0].startswith('$.models[3].id: "one" is not of type "integer"')
        assert "list_models" in causes[0]
        assert "mlops-api-tutorial, “List Models”" in causes[0]
        assert desk.run("return document.querySelector('.causes').getBoundingClientRect().bottom") < 1600
        desk.click(".causes tbody tr:nth-child(2) th a")
        assert "418" in desk.text(".failure:target .message")
        assert desk.run("return document.querySelector('.failure:target').getBoundingClientRect().top") < 100

    def test_each_failure_has_its_line_to_repeat_it(self, desk: Browser, pages: dict[str, Path]) -> None:
        show(desk, pages["failing"])
        without = "return [...document.querySelectorAll('.failure')].filter(card => !card.querySelector('.curl'))"
        assert desk.run(f"{without}.map(card => card.querySelector('.chips').innerText)") == [
            "undeployed_is_gone",
            "test",
        ]

    def test_a_search_leaves_what_has_the_word(self, desk: Browser, pages: dict[str, Path]) -> None:
        show(desk, pages["failing"])
        desk.type("input[type=search]", "teapot")
        seen = "return [...document.querySelectorAll('.failure')].filter(card => card.checkVisibility()).length"
        assert desk.run(seen) == 1
        assert desk.run("return [...document.querySelectorAll('.operation')].filter(g => !g.hidden).length") == 1

    def test_all_requests_can_be_opened_at_once(self, desk: Browser, pages: dict[str, Path]) -> None:
        show(desk, pages["failing"])
        closed = "return document.querySelectorAll('.exchange:not([open])').length"
        assert desk.run(closed) > 0
        desk.click("//button[text()='Open all']")
        assert desk.run(closed) == 0

    def test_a_line_is_copied_to_the_letter(self, desk: Browser, pages: dict[str, Path]) -> None:
        show(desk, pages["failing"])
        desk.run(
            "window.copied = []; Object.defineProperty(navigator, 'clipboard', "
            "{value: {writeText: async text => window.copied.push(text)}})"
        )
        desk.click(".copy")
        desk.wait_until("return window.copied.length === 1")
        copied = desk.run("return window.copied[0]")
        assert copied.startswith("curl -i https://")
        assert copied.endswith("'{\"workspace_id\": 1}'")


def test_on_a_phone_each_cell_says_what_it_is(browser: Browser, pages: dict[str, Path]) -> None:
    set_up(browser, width=WIDTHS["a phone"])
    show(browser, pages["failing"])
    heads = "return [...document.querySelectorAll('.stacked thead')].filter(head => head.checkVisibility()).length"
    assert browser.run(heads) == 0
    labels = (
        "return [...document.querySelectorAll('.stacked td')].map(cell => getComputedStyle(cell, '::before').content)"
    )
    assert [label for label in browser.run(labels) if ": " not in label] == []


def test_it_is_whole_without_a_script(browser: Browser, pages: dict[str, Path]) -> None:
    set_up(browser)
    browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        show(browser, pages["failing"])
        assert browser.text("h1").endswith("Does not conform")
        browser.click(".exchange summary")
        assert "I am a teapot" in browser.text(".exchange[open]")
    finally:
        browser.devtools("Emulation.setScriptExecutionDisabled", value=False)


def test_a_printed_page_has_everything(browser: Browser, pages: dict[str, Path]) -> None:
    set_up(browser, scheme="dark", media="print")
    show(browser, pages["failing"])
    hidden = "return [...document.querySelectorAll('.exchange .body')].filter(each => !each.checkVisibility())"
    assert browser.run(f"{hidden}.length") == 0
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("return getComputedStyle(document.querySelector('.tools')).display") == "none"


class TestHostileContent:
    @pytest.fixture
    def attacked(self, desk: Browser, pages: dict[str, Path]) -> Browser:
        show(desk, pages["hostile"])
        return desk

    def test_nothing_of_it_runs_or_loads(self, attacked: Browser) -> None:
        title = attacked.run("return document.title")
        attacked.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        attacked.run("document.querySelectorAll('a, button, summary').forEach(each => each.click())")
        assert attacked.run("return document.title") == title != "owned"
        assert attacked.run("return document.querySelectorAll('img, iframe, object, form').length") == 0
        assert attacked.run("return document.querySelectorAll('script').length") == 1
        assert attacked.run(LOADED) == []

    def test_all_of_it_is_shown(self, attacked: Browser) -> None:
        shown: Any = attacked.run("return document.body.textContent")
        assert "<script>document.title='owned'</script><img src=x onerror=" in shown
        assert "{{ 7 * 7 }}{% raw %}&lt;'" in shown

    def test_a_script_that_got_in_would_not_run(self, attacked: Browser) -> None:
        attacked.run(
            "const script = document.createElement('script'); script.textContent = \"document.title = 'owned'\";"
            "document.body.append(script);"
            "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title = `owned`\">')"
        )
        assert attacked.run("return document.title") != "owned"
        assert any("Content Security Policy" in complaint for complaint in attacked.complaints())
