"""The script that is shipped is that of the library that draws, and says whose it is."""

from __future__ import annotations

import re

import pytest
import vl_convert

from simulator.charts.bundle import VEGA, allowed, vega_script
from simulator.wording import harmless

HEAD = """\
/*! Vega {vega}, Vega-Lite {lite}, Vega-Embed {embed} and what they need, as vl-convert {writer} bundles them.
Written anew by: python -m pytest tests/charts/test_bundle.py --renew-golden

Vega, Vega-Lite, Vega-Embed: Copyright (c) 2015-2025, University of Washington Interactive Data Lab.
All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:
1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.
3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote
   products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

D3, TopoJSON, internmap, delaunator, semver: ISC licence. Copyright Mike Bostock, Mapbox, Isaac Z. Schlueter and
contributors. Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is
hereby granted, provided that the above copyright notice and this permission notice appear in all copies. The software
is provided "as is" and the author disclaims all warranties.

fast-json-patch, json-stringify-pretty-compact, robust-predicates: MIT licence or public domain. Copyright Joachim
Wester, Simon Lydell, Vladimir Agafonkin and contributors.
*/
"""


def written() -> str:
    bundle = vl_convert.javascript_bundle("globalThis.simulatorVega = {vega, vegaEmbed};")
    head = HEAD.format(
        vega=vl_convert.get_vega_version(),
        lite=vl_convert.get_vegalite_versions()[-1],
        embed=vl_convert.get_vega_embed_version(),
        writer=vl_convert.__version__,
    )
    # A scope of its own: the bundle is a module, and fills a page with short names where it runs as a script.
    return f'{head}(() => {{"use strict";\n{bundle.strip()}\n}})();\n'


def test_the_script_is_the_bundle_of_the_library_that_draws(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--renew-golden"):
        VEGA.write_text(written(), encoding="utf-8")
    made_by = re.search(r"as vl-convert (\S+) bundles", vega_script())
    assert made_by is not None
    if made_by[1] != vl_convert.__version__:
        pytest.skip(f"the script was made by vl-convert {made_by[1]}, and {vl_convert.__version__} is installed")
    assert vega_script() == written(), "write it anew with --renew-golden"


def test_the_script_can_stand_in_a_page_as_it_is() -> None:
    script = vega_script()
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert harmless(script) == script
    assert "\r" not in script
    assert len(script.encode()) < 910_000


def test_the_policy_knows_a_script_by_its_hash() -> None:
    # The example of the standard (W3C, Content Security Policy Level 3, 8.4).
    assert allowed("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
