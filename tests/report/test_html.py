"""The parts of a page: text is text, links lead to the web alone, charts have titles."""

import pytest

from simulator.report.html import chart_title, element, joined, link, text


def test_words_are_text_and_raised_digits_superscripts():
    assert text("<b> & 10³²") == "&lt;b&gt; &amp; 10<sup>32</sup>"
    assert text("2 × 10⁻⁵ FLOP in 12 %") == "2\u00a0×\u00a010<sup>−5</sup> FLOP in 12\u00a0%"


def test_only_what_is_html_already_is_set_into_an_element_as_it_is():
    assert element("p", "<b>", element("b", "&"), class_="") == "<p>&lt;b&gt;<b>&amp;</b></p>"
    assert joined(["a & b", text("c & d")], "<br>") == "a &amp; b<br>c &amp; d"
    assert element("p", element("b", "x").upper()) == "<p>&lt;B&gt;X&lt;/B&gt;</p>"  # what is made of it is text again


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ({"url": "javascript:alert(1)"}, "<bdi>x</bdi>"),
        ({"url": "https://[broken"}, "<bdi>x</bdi>"),
        ({"doi": "none"}, "<bdi>x</bdi>"),
        ({"doi": "10.1/a b"}, '<a href="https://doi.org/10.1/a%20b" rel="noopener noreferrer"><bdi>x</bdi></a>'),
        ({"url": "https://a.b/c"}, '<a href="https://a.b/c" rel="noopener noreferrer"><bdi>x</bdi></a>'),
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(address, shown):
    assert link("x", **address) == shown


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("fan_effective_compute", "Effective compute by year"),
        ("demand_spending", "Demand and limits: spending"),
        ("priors_2", "The uncertain numbers, part 2"),
        ("events_cap-on-runs_effective_compute", "Effective compute with and without the event cap on runs"),
        ("binding", "Which limits bind, and when"),
        ("models", "models"),
    ],
)
def test_a_chart_has_a_title_in_words(key, title):
    assert chart_title(key) == title
