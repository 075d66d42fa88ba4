#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The page of the API in a real Chromium: PAGE is its URL, PLACE an empty directory for the pictures. Exits 0 when all holds. Started by
docs_browser_test.cpp."""
import base64
import json
import os
import pathlib
import sys
import tempfile
import urllib.parse

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PAGE = os.environ["PAGE"]
PLACE = pathlib.Path(os.environ["PLACE"])


def check(holds, what):
    if not holds:
        sys.exit(f"does not hold: {what}")


def browser(width, dark):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
                     f"--user-data-dir={tempfile.mkdtemp(dir=PLACE)}", f"--window-size={width},900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    return driver


def hosts(driver):
    for entry in driver.get_log("performance"):
        told = json.loads(entry["message"])["message"]
        if told["method"] == "Network.requestWillBeSent":
            url = urllib.parse.urlsplit(told["params"]["request"]["url"])
            if url.scheme not in ("chrome", "data"):
                yield url.netloc


def headings_in_order(driver):
    levels = [int(h.tag_name[1]) for h in driver.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4")]
    check(levels[0] == 1 and levels.count(1) == 1, "one first heading")
    check(all(after <= before + 1 for before, after in zip(levels, levels[1:])), "no level of headings is left out")


def links_lead_somewhere(driver):
    ids = [element.get_attribute("id") for element in driver.find_elements(By.CSS_SELECTOR, "[id]")]
    check(len(ids) == len(set(ids)), "no id is given twice")
    targets = {link.get_dom_attribute("href") for link in driver.find_elements(By.CSS_SELECTOR, "a[href^='#']")}
    check(len(targets) > 50, "there are links within the page")
    check(targets <= {"#" + name for name in ids}, f"links lead somewhere: {targets - {'#' + name for name in ids}}")


def fits(driver):
    metrics = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
    check(metrics["cssContentSize"]["width"] <= metrics["cssLayoutViewport"]["clientWidth"], "nothing is wider than the window")


def picture(driver, name, top, height=1800):
    width = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"]
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {
        "captureBeyondViewport": True, "clip": {"x": 0, "y": top, "width": width, "height": height, "scale": 1}})
    (PLACE / name).write_bytes(base64.b64decode(shot["data"]))


def look(name, width, dark):
    driver = browser(width, dark)
    try:
        driver.get(PAGE)
        check(not driver.get_log("browser"), "the console is silent")
        check(set(hosts(driver)) == {urllib.parse.urlsplit(PAGE).netloc}, "no other host is asked")
        headings_in_order(driver)
        links_lead_somewhere(driver)
        fits(driver)
        picture(driver, f"docs-{name}-top.png", 0)
        for details in driver.find_elements(By.CSS_SELECTOR, "#calls section:first-child summary"):
            details.click()
        fits(driver)
        call = driver.find_element(By.ID, "submitMessage").rect["y"]
        picture(driver, f"docs-{name}-call.png", call - 20, 2600)
        ground = driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        check(("rgba(13" in ground) == dark, f"dark or light as wished: {ground}")
    finally:
        driver.quit()


if __name__ == "__main__":
    look("desk", 1000, False)
    look("phone-dark", 340, True)
