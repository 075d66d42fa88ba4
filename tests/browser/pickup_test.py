#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A recipient in a real Chromium: pickup_test.py CASE, with LINK and CODE of a fresh notification and an empty directory PLACE in the
environment. Exits 0 when all holds. Started by pickup_browser_test.cpp."""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

LINK = os.environ["LINK"]
CODE = os.environ["CODE"]
PLACE = pathlib.Path(os.environ["PLACE"])
DEADLINE = 60
FILE = "mail-key.p12"


class Browser:
    """A Chromium of its own, with a private profile; ends with the block."""

    def __init__(self, script=True, width=1000, height=900, dark=False, language="en"):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
                         f"--user-data-dir={tempfile.mkdtemp(dir=PLACE)}", f"--window-size={width},{height}",
                         f"--accept-lang={language}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        if not script:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(PLACE)})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.driver.quit()

    def wait(self, condition):
        # A page that is being replaced under the condition is not there yet.
        def settled(driver):
            try:
                return condition(driver)
            except (NoSuchElementException, StaleElementReferenceException):
                return False
            except WebDriverException as why:
                if "does not belong to the document" in str(why):
                    return False
                raise

        return WebDriverWait(self.driver, DEADLINE).until(settled)

    def heading(self, text):
        """Waits for the page that has this heading."""
        self.wait(lambda driver: text in [h.text for h in driver.find_elements(By.TAG_NAME, "h1")])

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def enter(self, code):
        field = self.find("#code")
        field.clear()
        field.send_keys(code)
        self.find("form button").click()

    def guess(self, seen):
        """Enters a wrong code until it was looked at: after some of them the page asks to wait, and leads back."""
        waits = lambda: self.find("h1").text == "Please wait a moment"
        while True:
            self.enter("ZZZZ-ZZZZ-ZZZZ")
            self.wait(lambda _: waits() or seen())
            if not waits():
                return
            self.find("main a.button").click()
            self.wait(lambda _: self.find("#code"))

    def keys(self, *keys):
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def focused(self):
        return self.driver.switch_to.active_element

    def requests(self):
        """Every URL that the browser asked a network for so far; its own chrome: pages are none."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if urllib.parse.urlsplit(url).scheme not in ("chrome", "data"):
                    yield url

    def picture(self, name):
        height = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["height"]
        width = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"]
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})

        (PLACE / name).write_bytes(base64.b64decode(shot["data"]))


def check(holds, what):
    if not holds:
        sys.exit(f"does not hold: {what}")


def open_file(browser, password):
    """The downloaded file, as openssl reads it."""
    path = PLACE / FILE
    browser.wait(lambda _: path.exists())
    opened = subprocess.run(["openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"], input=password + "\n",
                            capture_output=True, text=True, check=False)
    check(opened.returncode == 0 and "PRIVATE KEY" in opened.stdout, "openssl opens the file: " + opened.stderr)


def take_key(browser):
    browser.driver.get(LINK)
    browser.heading("Open your encrypted mail")
    check("@" not in browser.find("main").text, "nothing of the address is shown before the code")
    browser.enter(CODE)
    browser.heading("Your key is ready")
    browser.find("form button").click()
    browser.heading("Your key file")
    password = browser.find(".password code").text
    browser.find("a[download]").click()
    open_file(browser, password)


def expect_own_host_only(browser):
    host = urllib.parse.urlsplit(LINK).netloc
    asked = list(browser.requests())
    check(len(asked) > 3, "the requests were seen")
    for url in asked:
        check(urllib.parse.urlsplit(url).netloc == host, "no request leaves to another host: " + url)


def with_script():
    with Browser() as browser:
        take_key(browser)
        expect_own_host_only(browser)


def without_script():
    with Browser(script=False) as browser:
        browser.driver.get("data:text/html,<script>document.title='on'</script>")
        check(browser.driver.title != "on", "script is off")
        take_key(browser)
        expect_own_host_only(browser)


def wrong_code():
    with Browser() as browser:
        browser.driver.get(LINK)
        for left in (4, 3, 2, 1):
            browser.guess(lambda: f"Attempts left: {left}" in browser.find("[role=alert]").text)
            check(browser.focused().get_attribute("id") == "code", "the field has the focus for the next try")
            check(browser.find("#code").get_attribute("aria-invalid") == "true", "the field is marked as wrong")
        browser.guess(lambda: browser.find("h1").text == "This link is locked")
        browser.find("#address").send_keys("somebody@example.net")
        browser.find("form button").click()
        browser.heading("Look into your mailbox")


def keyboard_only():
    with Browser() as browser:
        browser.driver.get(LINK)
        browser.keys(Keys.TAB)
        check(browser.focused().get_attribute("id") == "code", "Tab leads to the code")
        browser.keys(CODE, Keys.ENTER)
        browser.heading("Your key is ready")
        browser.keys(Keys.TAB)
        check(browser.focused().get_attribute("name") == "format", "Tab leads to the choice of programs")
        browser.keys(Keys.ARROW_DOWN)
        check(browser.focused().get_attribute("value") == "compatible", "arrows choose")
        browser.keys(Keys.TAB)
        check(browser.focused().tag_name == "button", "Tab leads to the button")
        outline = browser.focused().value_of_css_property("outline-style")
        check(outline == "solid", "the focus can be seen: " + outline)
        browser.keys(Keys.ENTER)
        browser.heading("Your key file")
        password = browser.find(".password code").text
        browser.keys(Keys.TAB)
        check(browser.focused().get_attribute("download") == FILE, "Tab leads to the download")
        browser.keys(Keys.ENTER)
        open_file(browser, password)
        browser.keys(Keys.TAB)
        check(browser.focused().tag_name == "summary", "Tab leads to the programs that are folded")
        browser.keys(Keys.ENTER)
        check(browser.find("details[open] li").is_displayed(), "Enter unfolds how to import it there")


def labelled(browser):
    for field in browser.driver.find_elements(By.CSS_SELECTOR, "input:not([type=hidden])"):
        check(field.accessible_name, "every field has a name: " + field.get_attribute("outerHTML"))
    check(browser.find("html").get_attribute("lang"), "the language is named")
    for field in browser.driver.find_elements(By.CSS_SELECTOR, "[aria-describedby]"):
        for name in field.get_attribute("aria-describedby").split():
            check(browser.find("#" + name).text, "what describes a field is there: " + name)
    levels = [int(heading.tag_name[1]) for heading in browser.driver.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
    check(levels[0] == 1 and levels.count(1) == 1, "one first heading")
    check(all(after <= before + 1 for before, after in zip(levels, levels[1:])), "no level of headings is left out")


def fits(browser):
    metrics = browser.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
    width = metrics["cssLayoutViewport"]["clientWidth"]
    check(metrics["cssContentSize"]["width"] <= width, "nothing is wider than the window")


def pictures():
    """Each page on a phone in the dark, and on a desk: for people to look at, and checked for labels and overflow."""
    for name, width, dark in (("desk", 1280, False), ("phone-dark", 360, True)):
        with Browser(width=width, height=700, dark=dark) as browser:
            def picture(page):
                labelled(browser)
                fits(browser)
                browser.picture(f"{page}-{name}.png")
            browser.driver.get(LINK)
            picture("1-code")
            browser.enter("ZZZZ-ZZZZ-ZZZZ")
            browser.wait(lambda _: browser.driver.find_elements(By.CSS_SELECTOR, "[role=alert]"))
            picture("2-wrong-code")
            browser.enter(CODE)
            browser.heading("Your key is ready")
            picture("3-opened")
            browser.find("form button").click()
            browser.heading("Your key file")
            picture("4-file")
            browser.driver.get(LINK[:-24] + "A" * 24)
            browser.heading("This link is not known")
            picture("5-unknown")
    with Browser(width=360, height=700, language="ja-JP") as browser:
        browser.driver.get(LINK)
        browser.heading("暗号化されたメールを開く")
        check(browser.find("html").get_attribute("lang") == "ja", "the browser's language is spoken")
        fits(browser)
        browser.picture("6-code-japanese.png")
        browser.enter(CODE)
        browser.heading("鍵の準備ができています")
        browser.find("form button").click()
        browser.heading("鍵ファイル")
        fits(browser)
        browser.picture("7-file-japanese.png")


if __name__ == "__main__":
    {"with_script": with_script, "without_script": without_script, "wrong_code": wrong_code, "keyboard_only": keyboard_only,
     "pictures": pictures}[sys.argv[1]]()
