"""The page in a real browser: what it looks like and what it does not run.

Skipped where there is no Chromium; `CHROMIUM=/path/to/chrome` names one.
"""

import base64
import itertools
import json
import os
import re
import shutil
import subprocess

import pytest

from reports.render import KINDS
from tests.reports import drift_sample

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
PAGES = ["report", "drift_report", "verdict", "audit"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: install one, or name it in the variable CHROMIUM"
)

# The page itself runs nothing, so a page around it measures it.
AROUND = """<!doctype html><meta charset="utf-8"><body><iframe src="page.html" width="WIDTH" height="HEIGHT"></iframe>
<script>
const light = c => { const v = c / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
const rgba = text => text.match(/[\\d.]+/g).map(Number);
onload = () => {
  const view = document.querySelector("iframe").contentWindow, page = view.document;
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  const background = element => {
    for (; element; element = element.parentElement) {
      const colour = rgba(view.getComputedStyle(element).backgroundColor);
      if (colour.length == 3 || colour[3] == 1) return colour;
    }
    return [255, 255, 255];
  };
  const bottoms = [...page.querySelectorAll(".answer")].map(answer => answer.getBoundingClientRect().bottom);
  const first = [...page.querySelectorAll(".reasons .sentence, .answers p")].map(line => line.getBoundingClientRect().bottom);
  const faint = new Set();
  for (const element of page.body.querySelectorAll("*")) {
    if (![...element.childNodes].some(node => node.nodeType == 3 && node.data.trim())) continue;
    const style = view.getComputedStyle(element);
    const one = luminance(rgba(style.color)), other = luminance(background(element));
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faint.add(`${element.tagName}.${element.className} ${contrast.toFixed(2)}`);
  }
  const measured = {
    title: page.title, faint: [...faint], margin: view.getComputedStyle(page.body).margin,
    bottoms, first, paper: view.getComputedStyle(page.body).backgroundColor,
    content_width: page.documentElement.scrollWidth, scripts: page.scripts.length, images: page.images.length,
    headings: [...page.querySelectorAll("h1, h2, h3")].map(heading => Number(heading.tagName[1])),
  };
  document.body.innerHTML = `<pre id="measured">${btoa(JSON.stringify(measured).replace(/[^\\x00-\\x7f]/g, "?"))}</pre>`;
};
</script>"""


def measure(report, folder, width, dark=False, height=900):
    render = KINDS[report["schema"]].renderers["html"]
    (folder / "page.html").write_text(render(report), encoding="utf-8")
    around = AROUND.replace("WIDTH", str(width)).replace("HEIGHT", str(height))
    (folder / "around.html").write_text(around, encoding="utf-8")
    flags = ["--blink-settings=preferredColorScheme=0"] if dark else []
    dom = chromium(folder, "--allow-file-access-from-files", "--dump-dom", *flags)
    found = re.search(r'id="measured">([^<]*)<', dom)
    assert found, dom[:2000]
    return json.loads(base64.b64decode(found[1]))


def chromium(folder, *flags):
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--window-size=1400,1000", *flags, (folder / "around.html").as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast_and_the_style_applies(dark, report, tmp_path):
    # every tint of the heat tables: of 1,319 items
    report["benchmarks"][0]["leak_types"] = {"a": 1, "b": 2, "c": 20, "d": 100, "e": 500}
    measured = measure(report, tmp_path, 1200, dark)
    assert measured["faint"] == []
    assert measured["margin"] == "0px"
    assert measured["paper"] == ("rgb(16, 20, 24)" if dark else "rgb(247, 248, 249)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["drift_report", "verdict", "audit"])
def test_every_text_of_the_other_pages_has_contrast(name, dark, request, tmp_path):
    measured = measure(request.getfixturevalue(name), tmp_path, 1200, dark)
    assert measured["faint"] == []
    assert measured["margin"] == "0px"


@pytest.mark.parametrize(
    "name", PAGES + [f"hostile_{page}" for page in ("report", "drift", "verdict", "audit")]
)
def test_a_phone_scrolls_no_page_sideways_and_nothing_runs(name, request, tmp_path):
    measured = measure(request.getfixturevalue(name), tmp_path, 390)
    assert measured["content_width"] <= 390
    assert (measured["scripts"], measured["images"]) == (0, 0)
    assert measured["title"] != "owned"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)], ids=["screen", "phone"])
@pytest.mark.parametrize("make", ["sample", "calm", "crowded"])
def test_the_four_answers_fit_the_first_screen(make, width, height, tmp_path):
    report = getattr(drift_sample, make)()
    bottoms = measure(report, tmp_path, width, height=height)["bottoms"]
    assert len(bottoms) == 4
    assert max(bottoms) <= height


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)], ids=["screen", "phone"])
@pytest.mark.parametrize("name", ["verdict", "audit"])
def test_the_first_screen_says_what_comes_of_it_and_why(name, width, height, request, tmp_path):
    (bottom, *_) = measure(request.getfixturevalue(name), tmp_path, width, height=height)["first"]
    assert 0 < bottom <= height


@pytest.mark.parametrize("name", PAGES)
def test_headings_go_down_one_step_at_a_time(name, request, tmp_path):
    levels = measure(request.getfixturevalue(name), tmp_path, 1200)["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
