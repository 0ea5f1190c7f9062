"""The status page in a browser: headless Chromium, driven through its own driver."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from sidecar.addresses import Address
from sidecar.server import Listener, ListenerOptions
from sidecar.status.application import status_application
from tests.sidecar.hostile import HOSTILE, hostile_report
from updater.clock import Deadline, SystemClock
from updater.model.report import Report
from updater.ports.log import NullLog
from updater.ports.status import Rhythm
from updater.telemetry.status_store import StatusStore

pytestmark = [pytest.mark.wire, pytest.mark.slow]
PATIENCE_S = 20.0
CLOCK = SystemClock()


def program(name: str) -> str:
    """The path of an installed program; a missing one skips the test unless real peers are required."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("UPDATER_REQUIRE_REAL"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = program("chromium")
    profile = tmp_path_factory.mktemp("chromium")
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(program("chromedriver"), log_output=os.devnull))
    driver.set_window_size(1200, 800)
    yield driver
    driver.quit()


@pytest.fixture
def store() -> StatusStore:
    found = StatusStore(Rhythm("cycle", 120.0), CLOCK, str)
    report = hostile_report()
    for each in report.applications:
        found.note_known(str(each.key))
    found.note_cycle(report)
    return found


@pytest.fixture
def page(browser: Chrome, store: StatusStore) -> Iterator[Callable[[str], None]]:
    address = Address("127.0.0.1", 0)
    application = status_application(store, address, NullLog(), instance="i")
    listener = Listener(address, application, ListenerOptions("status"), CLOCK, NullLog())
    listener.bind()
    listener.start()

    def visit(anchor: str = "") -> None:
        browser.get("about:blank")
        browser.get(f"http://127.0.0.1:{listener.address.port}/{anchor}")
        wait(browser, lambda: find(browser, "#rhythm").text)

    browser.get_log("browser")
    yield visit
    complaints = [entry["message"] for entry in browser.get_log("browser")]
    listener.stop(Deadline.after(CLOCK, 5))
    assert complaints == []


def wait(browser: Chrome, holds: Callable[[], object]) -> None:
    WebDriverWait(browser, PATIENCE_S, poll_frequency=0.05).until(lambda _: holds())


def find(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def names(browser: Chrome) -> list[str]:
    # In one step: rows that were found one moment may be replaced the next.
    found = browser.execute_script(
        "return [...document.querySelectorAll('#rows .name')].map((each) => each.textContent)"
    )
    return [str(name) for name in found]


def is_open(browser: Chrome, name: str) -> bool:
    return find(browser, f"[id='app-argocd/{name}']").get_attribute("aria-expanded") == "true"


def test_a_filter_shows_the_applications_with_that_reason(browser: Chrome, page: Callable[..., None]) -> None:
    page()
    wait(browser, lambda: names(browser) == ["plain", "zz-hostile"])
    find(browser, "#reason-tags_unavailable").click()
    wait(browser, lambda: names(browser) == ["zz-hostile"])
    assert find(browser, "#count").text == "1 of 2 Applications"
    assert find(browser, "#reason-tags_unavailable").get_attribute("aria-pressed") == "true"
    assert "reason=tags_unavailable" in browser.current_url
    find(browser, "#reason-tags_unavailable").click()
    wait(browser, lambda: len(names(browser)) == 2)


def test_the_keyboard_alone_searches_and_unfolds(browser: Chrome, page: Callable[..., None]) -> None:
    page()
    wait(browser, lambda: len(names(browser)) == 2)
    find(browser, "body").send_keys("/")
    browser.switch_to.active_element.send_keys("PLAIN")
    wait(browser, lambda: names(browser) == ["plain"])
    while browser.switch_to.active_element.get_attribute("id") != "app-argocd/plain":
        browser.switch_to.active_element.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait(browser, lambda: is_open(browser, "plain") and browser.find_elements(By.CSS_SELECTOR, ".image"))
    assert browser.switch_to.active_element.get_attribute("id") == "app-argocd/plain"


def test_an_unfolded_application_tells_why_the_winner_won(browser: Chrome, page: Callable[..., None]) -> None:
    page("#open=argocd/plain")
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".candidates tbody tr"))
    rows = [row.text for row in browser.find_elements(By.CSS_SELECTOR, ".candidates tbody tr")]
    assert rows[:2] == ["1.0.1 chosen", "1.0.0 older"]
    assert find(browser, ".chosen").text == "1.0.1 chosen"
    detail = find(browser, ".detail").text
    assert "Strategy semver: the highest version allowed by ~1.0, out of 3 tags." in detail
    assert "The change was written, commit c0ffee, pull request." in detail
    assert "registry.example.com/shop/web 1.0.0 → 1.0.1" in detail
    assert find(browser, ".detail a").get_attribute("href") == "https://git.example.com/pull/7"


def test_hostile_texts_stay_texts(browser: Chrome, page: Callable[..., None]) -> None:
    page("#open=argocd/plain&open=argocd/zz-hostile")
    wait(browser, lambda: browser.page_source.count("owned") >= 4)
    assert browser.title == "Argo CD Image Updater"
    assert browser.find_elements(By.CSS_SELECTOR, "img, #list script, a[href^=javascript]") == []
    assert HOSTILE in find(browser, ".candidates").text
    assert f"the registry said {HOSTILE}" in find(browser, "#rows").text


def test_news_appear_while_the_page_is_followed(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    page()
    wait(browser, lambda: len(names(browser)) == 2)
    store.note_known("argocd/new")
    wait(browser, lambda: names(browser) == ["new", "plain", "zz-hostile"])


def test_more_than_a_page_is_shown_on_demand(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    for number in range(150):
        store.note_known(f"argocd/service-{number:03}")
    page()
    wait(browser, lambda: len(names(browser)) == 100)
    assert find(browser, "#count").text == "152 Applications"
    find(browser, "#more").click()
    wait(browser, lambda: len(names(browser)) == 152)
    assert not find(browser, "#more").is_displayed()


def test_what_is_overdue_is_due(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    page()
    wait(browser, lambda: "in 2 min" in find(browser, "#rows [data-label=Next]").text)
    store.change_interval(0.001)
    find(browser, "#live").click()
    find(browser, "#live").click()
    wait(browser, lambda: find(browser, "#rows [data-label=Next]").text == "due")


def test_cycles_are_a_view_of_their_own(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    page()
    store.note_cycle(Report(seconds=3.0))
    find(browser, "#show-cycles").click()
    wait(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "#cycle-rows tr")) == 2)
    assert "3.0 s" in find(browser, "#cycle-rows tr").text
    assert not find(browser, "#applications").is_displayed()


def test_headings_break_between_words_only(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    store.note_cycle(hostile_report())
    page("#view=cycles")
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#cycle-rows tr"))
    broken = browser.execute_script("""
        document.querySelector("#cycles").style.width = "22rem";
        return [...document.querySelectorAll("#cycles th")].filter((heading) => {
            const letters = document.createRange();
            letters.selectNodeContents(heading);
            const lines = new Set([...letters.getClientRects()].map((each) => each.top)).size;
            return lines > heading.textContent.trim().split(" ").length;
        }).map((heading) => heading.textContent)""")
    assert broken == []


def test_an_updater_that_is_away_is_said_and_what_was_known_stays(browser: Chrome, store: StatusStore) -> None:
    address = Address("127.0.0.1", 0)
    listener = Listener(
        address,
        status_application(store, address, NullLog(), instance="i"),
        ListenerOptions("status"),
        CLOCK,
        NullLog(),
    )
    listener.bind()
    listener.start()
    browser.get(f"http://127.0.0.1:{listener.address.port}/")
    wait(browser, lambda: len(names(browser)) == 2)
    listener.stop(Deadline.after(CLOCK, 5))
    for _ in range(2):
        find(browser, "#live").click()
    wait(browser, lambda: "may be old" in find(browser, "#notice").text)
    assert len(names(browser)) == 2
    browser.get_log("browser")


def test_a_fleet_that_cannot_be_listed_is_said_until_it_can(
    browser: Chrome, page: Callable[..., None], store: StatusStore
) -> None:
    store.note_unlisted(f"refused {HOSTILE}", "argocd_unreachable")
    page()
    wait(browser, lambda: "cannot be listed" in find(browser, "#trouble").text)
    assert find(browser, "#trouble").text.endswith(f"): refused {HOSTILE}")
    assert len(names(browser)) == 2
    store.note_listed()
    for _ in range(2):
        find(browser, "#live").click()
    wait(browser, lambda: not find(browser, "#trouble").is_displayed())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(browser: Chrome, page: Callable[..., None], scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    page("#open=argocd/plain&open=argocd/zz-hostile")
    wait(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, ".image")) == 2)
    worst = browser.execute_script((Path(__file__).parent / "contrast.js").read_text(encoding="utf-8"))
    assert worst["ratio"] >= 4.5, worst


@pytest.mark.parametrize("width", [360, 800])
def test_a_narrow_window_needs_no_sideways_scrolling(browser: Chrome, page: Callable[..., None], width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page("#open=argocd/plain&open=argocd/zz-hostile")
    wait(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, ".image")) == 2)
    sizes = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert sizes[0] <= sizes[1]
