"""`simulate explore`: what it tells, when, and how it ends."""

from __future__ import annotations

import http.client
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.cli.main import main
from simulator.testing import scenario_text, small_scenario
from tests.places import ROOT

pytest.importorskip("uvicorn")

from simulator.explorer import server

COMMAND = """
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it starts behind itself

from simulator.cli.main import main

main()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(scenario_text(small_scenario({"thresholds.a": {"effective_compute": 1e29}})))
    return tmp_path


def begun(*words: str, code: str = COMMAND) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, [str(ROOT), *sys.path]))}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, "explore", *words], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    def run(*words: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(["explore", *words])
        except SystemExit as ending:
            code = int(ending.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_the_address_is_told_when_the_page_can_be_opened_and_a_signal_ends_all(
    folder: Path, sent: signal.Signals, code: int
) -> None:
    process = begun("small.yaml", "--port", "0", "--no-browser")
    assert process.stdout is not None
    address = urlsplit(process.stdout.readline().strip())
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request("GET", address.path)  # at once: it listens
    answer = connection.getresponse()
    assert (answer.status, b"<!doctype html>" in answer.read().lower()) == (200, True)
    headers = {"content-type": "application/json", "origin": f"http://{address.netloc}"}
    connection.request("POST", f"{address.path}answer", b'{"kind": "picture", "samples": 64}', headers)
    assert b'"picture":{' in connection.getresponse().read()
    assert process.stdout.readline().startswith("Ctrl-C ends it; what is changed stands in the address of the page")
    process.send_signal(sent)  # while the connection stands open
    out, err = process.communicate(timeout=30)
    connection.close()
    assert (process.returncode, out) == (code, "")
    assert err.splitlines() == (
        ["interrupted: nothing half-written is left, earlier runs are as they were."] if code else []
    )
    with pytest.raises(ConnectionError):
        socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=5).close()
    assert sorted(path.name for path in folder.iterdir()) == ["small.yaml"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
def test_a_killed_server_is_begun_again_at_its_address_and_ends_though_it_computes_without_end(folder: Path) -> None:
    hangs = "import threading, simulator.cli.explore as it\nit._engine = lambda *_: threading.Event().wait()\n"
    words, addresses = ["--no-browser", "--token", "a-token-of-this-test", "--port", "0"], []
    for ending, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 0)):
        process = begun(*words, code=hangs + COMMAND)
        assert process.stdout is not None
        addresses.append(urlsplit(process.stdout.readline().strip()))
        words[-1] = str(addresses[0].port)
        with socket.create_connection((str(addresses[0].hostname), addresses[0].port or 0), timeout=30) as page:
            page.sendall(f"GET {addresses[0].path} HTTP/1.1\r\nHost: {addresses[0].netloc}\r\n\r\n".encode())
            assert page.recv(12) == b"HTTP/1.1 200"
            process.send_signal(ending)
            _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (code, "")
    assert addresses[0] == addresses[1]


def test_a_faulty_scenario_ends_it_with_its_faults(folder: Path) -> None:
    Path("faulty.yaml").write_text("schema: 2\nname: faulty\nsamples: 0\ndrivers: {}\n")
    process = begun("faulty.yaml", "--port", "0", "--no-browser")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert any(line.startswith("faulty.yaml:3:1: samples: ") for line in err.splitlines())
    assert "Traceback" not in err


def test_a_port_in_use_a_host_for_others_and_a_short_token_are_refused_before_all_else(folder: Path, told: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out, err = told("no-such.yaml", "--port", str(taken.getsockname()[1]))
    assert (code, out) == (2, "")
    assert err.endswith("cannot be had: address already in use. Name another, or leave it out.\n")
    code, out, err = told("no-such.yaml", "--host", "0.0.0.0")
    assert (code, out) == (2, "")
    assert err.startswith(
        "--host: 0.0.0.0 lets other machines in, which needs --token. Who knows the token can have this"
    )
    assert told("no-such.yaml", "--token", "guess")[0] == 2
    assert told("no-such.yaml", "--port", "65536")[0] == 2


def test_without_the_extra_it_says_what_to_install(folder: Path, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "starlette" else find(name))
    code, _, err = told("baseline")
    assert code == 2
    assert err.startswith(
        "starlette is not installed, which this command needs. Install the extra explore: pip install"
    )


def test_a_browser_is_opened_unless_there_shall_be_none_and_who_else_may_come_is_said(
    folder: Path, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def serve(_: Any, at: server.Place, *, listens: Any) -> None:
        listens()
        at.listener.close()

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(server, "open_browser", opened.append)
    monkeypatch.setenv("SIMULATE_TOKEN", "a-token-of-the-shell")
    assert told("small.yaml", "--port", "0", "--no-browser")[1].splitlines()[0].endswith("/a-token-of-the-shell/")
    code, out, err = told("small.yaml", "--port", "0", "--token", "a-token-of-this-test")
    assert (code, err) == (0, "")
    assert opened == out.splitlines()[:1]
    assert opened[0].endswith("/a-token-of-this-test/")
    code, out, err = told("--port", "0", "--host", "0.0.0.0", "--token", "a-token-of-this-test", "--no-browser")
    assert len(opened) == 1
    assert err.startswith(
        "warning: other machines reach this page. Who knows its address can have this machine compute"
    )


def test_a_file_to_share_is_written_without_a_server(folder: Path, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "serve", pytest.fail)
    code, out, _ = told("small.yaml", "--share", "page.html")
    assert code == 0
    assert "page.html" in out
    assert Path("page.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    Path("taken").write_text("")
    assert told("small.yaml", "--share", "taken/page.html")[0] == 1
