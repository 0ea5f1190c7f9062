"""The status page in a browser: headless Chromium, driven through its own driver."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

from sidecar.addresses import Address
from sidecar.server import Listener, ListenerOptions
from sidecar.status.application import status_application
from tests.ports import free_port
from tests.sidecar.hostile import HOSTILE, hostile_report
from updater.clock import Deadline, SystemClock
from updater.model.report import Report
from updater.ports.log import NullLog
from updater.ports.status import Rhythm
from updater.telemetry.status_store import StatusStore

pytestmark = [pytest.mark.wire, pytest.mark.slow]
PATIENCE_S = 60.0
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
    service = ChromeService(program("chromedriver"), port=free_port(), log_output=os.devnull)
    driver = Chrome(options=options, service=service)
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
        browser.get(f"http://127.0.0.1:{listener.address.port}/{anchor}")
        wait(browser, lambda: text(browser, "#rhythm"))

    leave(browser)
    yield visit
    complaints = leave(browser)
    listener.stop(Deadline.after(CLOCK, 5))
    assert complaints == []


def leave(browser: Chrome) -> list[str]:
    """What the page complained of; it is left, for it goes on asking its server, and complains once that has gone."""
    browser.get("about:blank")
    return [entry["message"] for entry in browser.get_log("browser")]


def wait(browser: Chrome, holds: Callable[[], object]) -> None:
    WebDriverWait(browser, PATIENCE_S, poll_frequency=0.05).until(lambda _: holds())


# The page replaces its rows whenever news arrive. What is read of it is read in one step inside the browser:
# an element that was found one moment may be gone the next.


def texts(browser: Chrome, selector: str) -> list[str]:
    """The visible text of every element that the selector finds, in the order of the page; gaps are one blank."""
    script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)"
    return [" ".join(str(text).split()) for text in browser.execute_script(script, selector)]


def text(browser: Chrome, selector: str) -> str:
    """The visible text of the first element that the selector finds; empty where there is none."""
    return next(iter(texts(browser, selector)), "")


def attribute(browser: Chrome, selector: str, name: str) -> str | None:
    script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1])"
    found = browser.execute_script(script, selector, name)
    return None if found is None else str(found)


def is_shown(browser: Chrome, selector: str) -> bool:
    return bool(browser.execute_script("return document.querySelector(arguments[0])?.checkVisibility()", selector))


def click(browser: Chrome, selector: str) -> None:
    """A real click; an element that was replaced before the click came to it is looked up again."""
    button = expected_conditions.element_to_be_clickable((By.CSS_SELECTOR, selector))

    def clicked() -> bool:
        found = button(browser)
        if found:
            found.click()
        return bool(found)

    patience = WebDriverWait(browser, PATIENCE_S, 0.05, ignored_exceptions=[StaleElementReferenceException])
    patience.until(lambda _: clicked())


def focused(browser: Chrome) -> str:
    """The id of the element that has the keyboard."""
    return str(browser.execute_script("return document.activeElement.id"))


def press(browser: Chrome, keys: str) -> None:
    """Keys go to whatever has the keyboard."""
    ActionChains(browser).send_keys(keys).perform()


def names(browser: Chrome) -> list[str]:
    return texts(browser, "#rows .name")


def is_open(browser: Chrome, name: str) -> bool:
    return attribute(browser, f"[id='app-argocd/{name}']", "aria-expanded") == "true"


def test_a_filter_shows_the_applications_with_that_reason(browser: Chrome, page: Callable[..., None]) -> None:
    page()
    wait(browser, lambda: names(browser) == ["plain", "zz-hostile"])
    click(browser, "#reason-tags_unavailable")
    wait(browser, lambda: names(browser) == ["zz-hostile"])
    assert text(browser, "#count") == "1 of 2 Applications"
    assert attribute(browser, "#reason-tags_unavailable", "aria-pressed") == "true"
    assert "reason=tags_unavailable" in browser.current_url
    click(browser, "#reason-tags_unavailable")
    wait(browser, lambda: len(names(browser)) == 2)


def test_the_keyboard_alone_searches_and_unfolds(browser: Chrome, page: Callable[..., None]) -> None:
    page()
    wait(browser, lambda: len(names(browser)) == 2)
    press(browser, "/")
    press(browser, "PLAIN")
    wait(browser, lambda: names(browser) == ["plain"])
    while focused(browser) != "app-argocd/plain":
        press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    wait(browser, lambda: is_open(browser, "plain") and texts(browser, ".image"))
    assert focused(browser) == "app-argocd/plain"


def test_an_unfolded_application_tells_why_the_winner_won(browser: Chrome, page: Callable[..., None]) -> None:
    page("#open=argocd/plain")
    wait(browser, lambda: texts(browser, ".candidates tbody tr"))
    rows = texts(browser, ".candidates tbody tr")
    assert rows[:2] == ["1.0.1 chosen", "1.0.0 older"]
    assert text(browser, ".chosen") == "1.0.1 chosen"
    detail = text(browser, ".detail")
    assert "Strategy semver: the highest version allowed by ~1.0, out of 3 tags." in detail
    assert "The change was written, commit c0ffee, pull request." in detail
    assert "registry.example.com/shop/web 1.0.0 → 1.0.1" in detail
    assert attribute(browser, ".detail a", "href") == "https://git.example.com/pull/7"


def test_hostile_texts_stay_texts(browser: Chrome, page: Callable[..., None]) -> None:
    page("#open=argocd/plain&open=argocd/zz-hostile")
    wait(browser, lambda: browser.page_source.count("owned") >= 4)
    assert browser.title == "Argo CD Image Updater"
    assert texts(browser, "img, #list script, a[href^=javascript]") == []
    assert HOSTILE in text(browser, ".candidates")
    assert f"the registry said {HOSTILE}" in text(browser, "#rows")


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
    assert text(browser, "#count") == "152 Applications"
    click(browser, "#more")
    wait(browser, lambda: len(names(browser)) == 152)
    assert not is_shown(browser, "#more")


def test_what_is_overdue_is_due(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    page()
    wait(browser, lambda: "in 2 min" in text(browser, "#rows [data-label=Next]"))
    store.change_interval(0.001)
    click(browser, "#live")
    click(browser, "#live")
    wait(browser, lambda: text(browser, "#rows [data-label=Next]") == "due")


def test_cycles_are_a_view_of_their_own(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    page()
    store.note_cycle(Report(seconds=3.0))
    click(browser, "#show-cycles")
    wait(browser, lambda: len(texts(browser, "#cycle-rows tr")) == 2)
    assert "3.0 s" in text(browser, "#cycle-rows tr")
    assert not is_shown(browser, "#applications")


def test_headings_break_between_words_only(browser: Chrome, page: Callable[..., None], store: StatusStore) -> None:
    store.note_cycle(hostile_report())
    page("#view=cycles")
    wait(browser, lambda: texts(browser, "#cycle-rows tr"))
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
        click(browser, "#live")
    wait(browser, lambda: "may be old" in text(browser, "#notice"))
    assert len(names(browser)) == 2
    leave(browser)


def test_a_fleet_that_cannot_be_listed_is_said_until_it_can(
    browser: Chrome, page: Callable[..., None], store: StatusStore
) -> None:
    store.note_unlisted(f"refused {HOSTILE}", "argocd_unreachable")
    page()
    wait(browser, lambda: "cannot be listed" in text(browser, "#trouble"))
    assert text(browser, "#trouble").endswith(f"): refused {HOSTILE}")
    assert len(names(browser)) == 2
    store.note_listed()
    for _ in range(2):
        click(browser, "#live")
    wait(browser, lambda: not is_shown(browser, "#trouble"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(browser: Chrome, page: Callable[..., None], scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    page("#open=argocd/plain&open=argocd/zz-hostile")
    wait(browser, lambda: len(texts(browser, ".image")) == 2)
    worst = browser.execute_script((Path(__file__).parent / "contrast.js").read_text(encoding="utf-8"))
    assert worst["ratio"] >= 4.5, worst


def luminance(browser: Chrome, selector: str, side: str) -> float:
    """The relative luminance of a colour of the first element that the selector finds (WCAG 2.2)."""
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    numbers = re.findall(r"[\d.]+", str(browser.execute_script(script, selector, side)))
    assert len(numbers) == 3, "no colour of its own"
    channels = [int(number) / 255 for number in numbers]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("selector", ["#live", "#reason-update"])
def test_the_state_of_a_switch_is_plain_to_see(
    browser: Chrome, page: Callable[..., None], scheme: str, selector: str
) -> None:
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    emulated = [{"name": name, "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": emulated})
    page()
    wait(browser, lambda: texts(browser, selector))
    seen = {}
    for _ in range(2):
        state = attribute(browser, selector, "aria-pressed")
        name = browser.find_element(By.CSS_SELECTOR, selector).accessible_name
        seen[state] = (name, luminance(browser, selector, "backgroundColor"))
        own = luminance(browser, selector, "color")
        assert contrast(own, seen[state][1]) >= 4.5
        click(browser, selector)
        wait(browser, lambda before=state: attribute(browser, selector, "aria-pressed") != before)
    assert contrast(seen["true"][1], seen["false"][1]) >= 3.0
    assert seen["true"][0] == seen["false"][0], "the name of a switch says what it switches, not its state"


@pytest.mark.parametrize("width", [360, 800])
def test_a_narrow_window_needs_no_sideways_scrolling(browser: Chrome, page: Callable[..., None], width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page("#open=argocd/plain&open=argocd/zz-hostile")
    wait(browser, lambda: len(texts(browser, ".image")) == 2)
    sizes = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert sizes[0] <= sizes[1]
