"""Takes the pictures of the status page: ``python -m docs.screenshots``. Needs Chromium and its driver."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from updater.assembly import build_runtime
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import helm_application
from updater.playground.showcase import REGISTRY_HOST, Showcase
from updater.ports.log import NullLog
from updater.settings.parts import ConnectionSettings, FaceSettings, RegistrySettings, RunSettings
from updater.transport.redaction import Secret

FOLDER = Path(__file__).parent / "images"
PICTURES = (
    ("status-light", "light", 1200, 640, ""),
    ("status-dark", "dark", 1200, 1040, "#reason=update&open=argocd/shop-web"),
    ("status-narrow", "light", 400, 860, "#open=argocd/shop-typo"),
)
"""Name, colours, width, height, and what is filtered and unfolded."""

_FURTHER = {
    "billing": f"web={REGISTRY_HOST}/shop/web:~9.0",
    "catalog": f"web={REGISTRY_HOST}/shop/web",
    "ledger": f"web={REGISTRY_HOST}/shop/web, ledger={REGISTRY_HOST}/shop/ledger:~1.0",
}


@contextmanager
def _address() -> Iterator[str]:
    """The page of a process that has just made a round."""
    with Showcase() as showcase, tempfile.TemporaryDirectory() as folder:
        for name, images in _FURTHER.items():
            showcase.world.add_sample(helm_application(name, annotations={f"{ANNOTATION_PREFIX}image-list": images}))
        showcase.push_release("web", "1.0.1")
        registries = Path(folder) / "registries.conf"
        registries.write_text(showcase.registries_conf, encoding="utf-8")
        settings = RunSettings(
            ConnectionSettings(showcase.web.url, is_grpc_web=True, token=Secret(showcase.token)),
            registry=RegistrySettings(conf_path=str(registries)),
            interval_s=120.0,
            is_warmed_up=False,
            face=FaceSettings(status_addr="127.0.0.1:0"),
        )
        runtime = build_runtime(settings, log=NullLog(), environment={})
        runtime.open()
        working = threading.Thread(target=runtime.run)
        working.start()
        try:
            yield f"http://{runtime.addresses['status']}/"
        finally:
            runtime.stop()
            working.join()
            runtime.close()


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    service = ChromeService(shutil.which("chromedriver"), log_output=os.devnull)
    with _address() as address, Chrome(options=options, service=service) as browser:
        for name, scheme, width, height, anchor in PICTURES:
            feature = {"name": "prefers-color-scheme", "value": scheme}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get("about:blank")
            browser.get(address + anchor)
            WebDriverWait(browser, 20).until(_is_complete)
            browser.save_screenshot(str(FOLDER / f"{name}.png"))
            print(FOLDER / f"{name}.png")


def _is_complete(browser: Chrome) -> bool:
    shown = browser.find_elements(By.CSS_SELECTOR, "#rows .badge")
    folded = browser.find_elements(By.CSS_SELECTOR, "[aria-expanded=true]")
    unfolded = browser.find_elements(By.CSS_SELECTOR, ".image")
    return bool(shown) and "pending" not in browser.page_source.split("<script>")[0] and len(unfolded) >= len(folded)


if __name__ == "__main__":
    main()
