"""The report of a run: whole, escaped, offline, the same every time; and how it looks in a browser."""

import itertools
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.errors import InputError
from simulator.report.report import report_text, write_report
from simulator.testing import run_of, small_scenario
from simulator.wording import harmful
from tests.money import money_alone, power_alone

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), "")
HOSTILE = """schema: 2
name: hostile
title: '<script>alert("t")</script> '
subject: "</title><img src=x onerror=alert(1)>"
notes: "<b>notes</b> ]]> -->"
years: {first: 2025, last: 2030}
samples: 512
drivers:
  compute:
    start: {median: 1e26, interval_90: [1e25, 1e27], unit: FLOP, source: '"><script>x</script>',
            url: "javascript:alert(1)", notes: "<svg onload=alert(2)>"}
    growth: {median: 3, interval_90: [2, 4], unit: x/year}
    caps: {wall: {limit: {median: 1e28, interval_90: [1e27, 1e29], unit: FLOP, source: Own judgement}}}
thresholds:
  far: {physical_compute: 1e27, label: "LONGWORD</text><script>y</script>"}
""".replace("LONGWORD", "Supercalifragilistic" * 6)

VOID = {"meta", "wbr", "br", "img", "link", "input"}


class Reader(HTMLParser):
    """Reads a page: its elements and their attributes, its text, and whether every element is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def run():
    return simulate(load_scenario("baseline", overrides=["samples=1024"]))


@pytest.fixture(scope="module")
def page(run):
    return report_text(run)


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "hostile.yaml"
    path.write_text(HOSTILE, encoding="utf-8")
    run = simulate(load_scenario(str(path)))
    run.attrs["title"] += " & \u202etfel ot thgir\x1b[2J"
    return run


@pytest.fixture(scope="module")
def hostile(hostile_run):
    return report_text(hostile_run)


def test_the_same_run_gives_the_same_bytes(hostile, hostile_run):
    assert report_text(hostile_run) == hostile


def test_the_page_loads_nothing_and_runs_nothing(page):
    reader = Reader(page)
    assert reader.open == []
    assert {"script", "link", "img", "iframe", "object", "base", "image", "use"}.isdisjoint(
        tag for tag, _ in reader.elements
    )
    for tag, attributes in reader.elements:
        assert not any(key.startswith("on") or key in ("src", "srcset", "xlink:href") for key in attributes)
        assert tag == "a" or "href" not in attributes
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_a_prior_with_a_mass_at_never_has_one_median_wherever_it_is_told():
    scenario = load_scenario("published/cotra-2020", overrides=["samples=4096"])
    prior = scenario.priors["thresholds.requirement.effective_compute"]
    assert prior.understood.endswith(
        "median 4.42e+34 (90 % 1.84e+27 to 1.93e+44) FLOP given that it happens, never with 7 %"
    )
    told = Reader(report_text(simulate(scenario))).text
    number = "4.42 × 10 34 (90 %: 1.84 × 10 27 to 1.93 × 10 44 ) FLOP given that it happens, never with 7 %"
    assert number in told
    assert "(effective compute), median counting never" in told
    assert re.search(
        r"4\.\de34 \(90 % 1\.\de27 to \de43|4\.\de34 \(90 % .* FLOP given that it happens, never 7 %", told
    )


def test_the_page_is_small(page):
    assert len(page.encode()) < 3_000_000


def test_headings_stand_in_order_and_every_picture_says_what_it_shows(page):
    elements = Reader(page).elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    pictures = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(pictures) == 11
    assert all(attributes["role"] == "img" and len(attributes["aria-label"]) > 40 for attributes in pictures)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in elements if tag == "th")
    assert dict(elements)["html"] == {"lang": "en"}


def test_links_within_the_page_lead_somewhere(page):
    elements = Reader(page).elements
    anchors = {attributes["id"] for _, attributes in elements if "id" in attributes}
    inner = {attributes["href"][1:] for tag, attributes in elements if tag == "a" and attributes["href"][0] == "#"}
    assert inner
    assert inner <= anchors


def test_every_prior_is_listed_with_its_source(run, page):
    shown = Reader(page)
    text = shown.text.replace(" .", ".")
    links = {attributes.get("href") for tag, attributes in shown.elements if tag == "a"}
    for name, prior in run["parameters"].data_vars.items():
        assert str(name).replace(".", "") in re.sub(r"[ .]", "", text)
        assert "url" not in prior.attrs or prior.attrs["url"] in links
        assert " ".join(prior.attrs.get("notes", "").split()) in text
    assert "own judgement" in text


def test_names_are_shown_as_text_whatever_they_hold(hostile):
    reader = Reader(hostile)
    assert reader.open == []
    assert "script" not in {tag for tag, _ in reader.elements}
    assert "img" not in {tag for tag, _ in reader.elements}
    assert not any(key.startswith("on") for _, attributes in reader.elements for key in attributes)
    assert not any("javascript:" in attributes.get("href", "") for _, attributes in reader.elements)
    assert "\\u202etfel ot thgir\\u001b[2J" in reader.text
    assert harmful(hostile) == (0, "")
    for shown in ('<script>alert("t")</script>', "<img src=x onerror=alert(1)>", "<b>notes</b> ]]> -->"):
        assert shown in reader.text
    assert "<bdi>&lt;script&gt;" in hostile


def test_a_number_without_a_source_is_marked(hostile):
    growth = hostile.split("drivers.<wbr>compute.<wbr>growth")[1]
    assert '<span class="badge bare">no source</span>' in growth.split("</tr>")[0]


def test_a_run_without_samples_says_what_needs_them():
    summary = simulate(load_scenario("essay-2023"), keep="summary")
    text = Reader(report_text(summary)).text
    assert "This needs samples, and this run kept its summary only" in text
    assert re.search("Chart of priors: run [0-9a-f]{8} of essay-2023 kept its summary only", text)
    assert "simulate run scenario.yaml --keep summary" in text
    assert "growth alone would raise effective compute" in text


def test_a_run_without_spread_has_no_intervals():
    text = Reader(report_text(simulate(load_scenario("essay-2023")))).text
    assert "every number is fixed, so there is no interval" in text
    assert "90 % interval" not in text.split("Words used here")[0]


def test_a_mixture_shows_each_of_its_scenarios(tmp_path):
    path = tmp_path / "mix.yaml"
    changes = "{drivers: {spending: {caps: {wall: {limit: {value: 2, unit: USD}}}}, hardware: {growth: {uniform: [1, 2], unit: x/year}}}}"
    parts = (
        f"[{{scenario: capability, weight: 3}}, {{name: slow, scenario: capability, weight: 1, changes: {changes}}}]"
    )
    path.write_text(f"schema: 2\nname: mix\nsamples: 1024\nmixture: {parts}\n", encoding="utf-8")
    mixed = simulate(load_scenario(str(path)))
    text = Reader(report_text(mixed)).text
    assert "The scenarios that are weighed" in text
    assert re.search(r"all together 100 % .* capability 75 % .* slow 25 %", text)
    assert "Cap “wall” on spending (in slow only)" in text


def test_the_scenario_of_the_page_gives_the_same_run_again(run, page, tmp_path):
    scenario = Reader("".join(re.findall(r"<pre><code>.*?</code></pre>", page, re.DOTALL)))
    path = tmp_path / "scenario.yaml"
    path.write_text("".join(scenario.words), encoding="utf-8")
    again = simulate(load_scenario(str(path)))
    assert again.attrs["scenario"] == run.attrs["scenario"]  # its id names what was changed to get there, too
    assert np.array_equal(again["summary/effective_compute"], run["summary/effective_compute"])


@pytest.mark.parametrize(("name", "said"), [("report.txt", "must end in .html"), ("", "is a folder")])
def test_a_report_is_a_file_that_ends_in_html(run, tmp_path, name, said):
    with pytest.raises(InputError, match=re.escape(said)):
        write_report(run, tmp_path / name)


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")
def test_a_browser_draws_the_page_without_a_fault_and_without_the_network(page, hostile, tmp_path):
    for file, content in (("report", page), ("hostile", hostile)):
        (tmp_path / f"{file}.html").write_text(content, encoding="utf-8")
    said = _browse(tmp_path, "--dump-dom", "report.html")
    assert said.stdout.count("<svg") == 11
    assert "CONSOLE" not in said.stderr
    said = _browse(tmp_path, "--screenshot=picture.png", "--window-size=390,4000", "hostile.html")
    assert "CONSOLE" not in said.stderr
    picture = tmp_path / "picture.png"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size > 60_000  # a blank one of this size has 13,000


def _browse(folder, *arguments):
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
    ]  # fmt: skip
    *more, name = arguments
    return subprocess.run(
        [CHROMIUM, *options, *more, (folder / name).as_uri()],
        cwd=folder, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip


def test_shares_of_none_and_all_of_few_samples_are_bounded():
    data = {"samples": 40, "thresholds": {"near": {"effective_compute": 1e28}, "far": {"effective_compute": 1e60}},
            "drivers.compute.caps": {"wall": {"limit": {"value": 1e90, "unit": "FLOP"}}}}  # fmt: skip
    said = " ".join(" ".join(Reader(report_text(run_of(small_scenario(data)))).words).split())
    assert "far is not crossed by 2035 in > 92.8 % of cases" in said
    assert "before the start" not in said
    assert re.search(r"near 10 28 FLOP \(effective compute\) .{0,60}> 92.8 %", said)
    assert re.search(r"far 10 60 FLOP \(effective compute\) .{0,60}< 7.2 %", said)
    assert re.search(r"wall \(on physical compute\) < 7.2 % < 7.2 %", said)


def test_a_report_without_compute_tells_what_there_is() -> None:
    for run, words in ((run_of(money_alone()), "spending"), (run_of(power_alone()), "site")):
        page = report_text(run)
        assert f"forecast of {words}" in page
        assert f"The median forecast of {words} is" in page
        assert re.search(rf"<th[^>]*>{words.capitalize()}, (USD|W)</th>", page)


def test_a_stock_and_who_uses_it_are_said_in_words() -> None:
    uses = {"training": {"shares": {"2026": "40 %", "2030": "20 %"}, "floor": {"product": ["chips", "10 %"]}},
            "inference": {"share": "30 %"}, "idle": {"share": "rest"}}  # fmt: skip
    stocks = {
        "chips": {"start": "2 chip", "purchases": "3 chip/year", "service_life": "5 years"},
        "sites": {"level": "chips"},
    }
    page = report_text(
        run_of(small_scenario({"samples": 4, "stocks": stocks, "allocation": {"chips": {"uses": uses}}}))
    )
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert (
        "chips : a stock that 3 chip/year adds to, 2 chip at first, each part of which is retired after 5 years" in text
    )
    assert "sites : chips" in text
    assert "chips training share : 40 % in 2026 and 20 % in 2030, straight between; at least [chips × 10 %]" in text
    assert "chips idle share : what the others leave" in text
    assert "chips idle : chips × chips idle share" in text
    assert "Allocation of stocks" in text
    assert text.index("Who uses the stocks") < text.rindex("What holds it back")


def test_events_are_told_with_what_they_do_and_when_they_come():
    shock = {
        "label": "A shock",
        "probability": "40 %",
        "from": {"uniform": [2027, 2029]},
        "for": "3 years",
        "effects": [{"on": "drivers.compute.growth", "times": 0.5}],
        "triggers": {"answer": "60 %"},
    }
    answer = {"delay": "1 year", "effects": [{"on": "drivers.compute", "times": 2}], "excludes": ["war"]}
    events = {"shock": shock, "answer": answer, "war": {"from": {"event": "answer"}}}
    said = " ".join(Reader(report_text(run_of(small_scenario({"events": events})))).words)
    said = re.sub(r"\s+", " ", said)
    for text in (
        "Comes with a probability of 40 %", "for 3 years; compute: growth times 0.5; brings about answer: 60 %.",
        "Comes where another brings it about, 1 year later; compute times 2; excludes war.",
        "Comes from the day that answer comes on.", "Events Dates over the samples in which it comes.",
        "A shock: occurs events.shock.occurs",
    ):  # fmt: skip
        assert text in said, text
    assert said.index("Physical compute with and without the event shock") < said.rindex("What drives it")
    assert re.search(r"A shock (39|40)\.\d ± \S+ % 202[78]\.\d 2027\.1 to 2028\.9 203[01]\.\d", said)
