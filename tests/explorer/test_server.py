"""Who may ask the explorer's server, what it tells, and that it ends."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from simulator.errors import InputError
from tests.places import PACKAGE, ROOT

pytest.importorskip("uvicorn")

from simulator.explorer import server
from simulator.explorer.desk import MOST_WAITING
from simulator.explorer.server import HEADERS, MOST_BYTES, Place, place, serve

TOKEN = "a-token-of-this-test"


class Reply(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Served:
    """A server with an engine that says what it was asked; it waits where it is asked for `slow`."""

    def __init__(self) -> None:
        self.begun, self.go, self.end = threading.Event(), threading.Event(), threading.Event()
        self.at, self.computed = place(port=0, token=TOKEN), list[Any]()
        listens = threading.Event()
        options = {"listens": listens.set, "ended": self.end}
        self.thread = threading.Thread(target=serve, args=(lambda: self.engine, self.at), kwargs=options)
        self.thread.start()
        assert listens.wait(30)
        self.port = self.at.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"

    def engine(self, asked: Any, _: Any) -> dict[str, Any]:
        self.computed.append(asked)
        if asked.get("kind") == "slow":
            self.begun.set()
            assert self.go.wait(30)
        return {"text": f"{threading.current_thread().name}: ½"}

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        fetched: bool = True,
        chunked: bool = False,
        **changed: str | None,
    ) -> Reply:
        """Ask as the page does, but for headers that are changed; None leaves one out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers: dict[str, str | None] = {"host": self.host}
        if fetched:
            headers |= {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
        if method == "POST":
            headers |= {"origin": f"http://{self.host}", "content-type": "application/json"}
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers |= {"transfer-encoding": "chunked"} if chunked else {"content-length": str(len(sent))}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        with contextlib.suppress(ConnectionError):  # it has heard enough
            connection.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent) if chunked else sent)
        answer = connection.getresponse()
        reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def ask(self, asked: Any, **changed: Any) -> Reply:
        return self("POST", f"/{TOKEN}/answer", asked, **changed)


@pytest.fixture(scope="module")
def module_served() -> Iterator[Served]:
    made = Served()
    yield made
    made.go.set()
    made.end.set()
    made.thread.join(30)
    assert not made.thread.is_alive()


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.computed.clear()
    return module_served


def test_the_page_and_its_files_are_served_and_nothing_else_of_the_package(served: Served) -> None:
    files = {path.name for path in (PACKAGE / "explorer").iterdir() if path.suffix in (".html", ".css", ".js")}
    assert {"page.html", "page.css", "page.js"} <= files
    for name in {*files, "vega.js", ""}:
        found = served("GET", f"/{TOKEN}/{name}")
        assert (found.status, found.headers["content-type"].partition("/")[0]) == (200, "text"), name
    assert served("GET", f"/{TOKEN}/vega.js").body == (PACKAGE / "charts" / "vega.js").read_bytes()
    for name in (
        "server.py",
        "..%2fserver.py",
        "../charts/vega.js",
        "%2e%2e/charts/vega.js",
        "vega.js/",
        "a/b",
        ".",
        "%00",
    ):
        assert served("GET", f"/{TOKEN}/{name}").status in (404, 307), name
    assert served("HEAD", f"/{TOKEN}/vega.js").body == b""


def test_what_is_asked_is_answered_by_the_thread_that_computes(served: Served) -> None:
    found = served.ask({"kind": "picture", "changes": {"a": {"median": 2.5}}})
    assert (found.status, found.headers["content-type"]) == (200, "application/json")
    assert json.loads(found.body) == {"text": "explorer: ½"}
    assert served.computed == [{"kind": "picture", "changes": {"a": {"median": 2.5}}}]
    assert served.ask({"kind": "state"}, content_type="Application/JSON; charset=utf-8").status == 200
    assert json.loads(served.ask({"kind": "state"}, chunked=True).body) == {"text": "explorer: ½"}


@pytest.mark.parametrize(
    "token", ["", "a-token-of-this-tes", "a-token-of-this-testt", "A-TOKEN-OF-THIS-TEST", "ü" * 20, "%ff"]
)
@pytest.mark.parametrize(("method", "rest"), [("GET", "/"), ("GET", "/vega.js"), ("POST", "/answer"), ("GET", "")])
def test_without_the_token_all_is_as_if_it_were_not_there(served: Served, token: str, method: str, rest: str) -> None:
    path = "/" + "".join(each if each.isascii() else "%c3%bc" for each in token) + rest
    found = served(method, path, {"kind": "state"} if method == "POST" else None)
    assert (found.status, found.body) == (404, served("GET", "/favicon.ico").body)
    assert TOKEN.encode() not in found.body
    assert served.computed == []


def test_tokens_are_compared_in_a_time_that_tells_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(given: bytes, own: bytes) -> bool:
        compared.append((given, own))
        return secrets.compare_digest(given, own)

    class Recording:
        compare_digest = staticmethod(compare)

    monkeypatch.setattr(server, "secrets", Recording)
    assert served("GET", "/wrong/").status == 404
    assert compared == [(b"wrong", TOKEN.encode())]


def test_a_token_is_random_and_long_and_stands_in_the_address() -> None:
    made = [place(port=0) for _ in range(2)]
    assert made[0].token != made[1].token
    for each in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{32}", each.token)
        assert each.address == f"http://127.0.0.1:{each.listener.getsockname()[1]}/{each.token}/"
        each.listener.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{}", 200), ("localhost:{}", 200), ("LOCALHOST:9", 200), ("[::1]:8000", 200), ("127.0.0.1", 200),
        ("evil.example:{}", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example:{}", 421), ("evil@localhost", 421),
        ("", 421), ("192.168.0.7:{}", 421), ("0.0.0.0:{}", 421), ("[::1", 421), (":80", 421), ("localhost@evil.example", 421),
    ],
)  # fmt: skip
def test_only_by_its_own_name_it_is_asked(served: Served, host: str, status: int) -> None:
    assert served("GET", f"/{TOKEN}/vega.js", host=host.format(served.port)).status == status


def test_the_body_of_an_answer_does_not_wait_for_its_head_to_be_acknowledged() -> None:
    made = place(port=0)
    with socket.create_connection(made.listener.getsockname()), made.listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    made.listener.close()


def test_two_hosts_or_none_are_no_host_and_what_is_no_path_is_none(served: Served) -> None:
    one = f"Host: {served.host}\r\n"
    for line, hosts in ((f"GET /{TOKEN}/", ""), (f"GET /{TOKEN}/", 2 * one), ("OPTIONS *", one), ("GET ?", one)):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
            raw.sendall(f"{line} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode())
            assert re.match(rb"HTTP/1.1 4\d\d", raw.recv(100))


@pytest.mark.parametrize(
    "origin", [None, "null", "", "http://evil.example", "http://127.0.0.1", "http://localhost:{}", "ftp://127.0.0.1:{}",
               "http://127.0.0.1:{}/", "http://127.0.0.1:{}.evil.example"],
)  # fmt: skip
def test_only_the_page_itself_may_ask(served: Served, origin: str | None) -> None:
    given = origin and origin.format(served.port)
    assert served.ask({"kind": "state"}, origin=given).status == 403
    if origin is not None:
        assert served("GET", f"/{TOKEN}/vega.js", origin=given).status == 403
    assert served.computed == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "anything"])
def test_what_another_page_makes_the_browser_ask_is_refused(served: Served, site: str) -> None:
    assert served.ask({"kind": "state"}, sec_fetch_site=site).status == 403
    assert served.ask({"kind": "state"}, sec_fetch_site=site, sec_fetch_dest="document").status == 403  # a form
    for kind in ("script", "iframe", "image", "empty"):
        status = 200 if site == "none" else 403
        assert served("GET", f"/{TOKEN}/vega.js", sec_fetch_site=site, sec_fetch_dest=kind).status == status
    assert served("GET", f"/{TOKEN}/vega.js", sec_fetch_site=site, sec_fetch_dest="document").status == 200  # a link
    assert served.computed == []


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"]
)
def test_only_json_is_taken(served: Served, kind: str | None) -> None:
    assert served.ask({"kind": "state"}, content_type=kind).status == 415
    assert served.computed == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_only_a_post_is_answered(served: Served, method: str) -> None:
    found = served(method, f"/{TOKEN}/answer", origin=f"http://{served.host}")
    assert found.status == (404 if method in ("GET", "HEAD") else 405)
    assert served("POST", f"/{TOKEN}/vega.js").status == 405


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_is_limited_whether_its_length_is_told_or_not(served: Served, *, chunked: bool) -> None:
    fits = {"kind": "state", "text": "x" * (MOST_BYTES - 100)}
    assert served.ask(fits, chunked=chunked).status == 200
    found = served.ask({**fits, "more": "x" * 200}, chunked=chunked)
    assert found.status == 413
    assert json.loads(found.body)["faults"][0]["text"] == "Must be at most 1,048,576 bytes."
    assert len(served.computed) == 1


def test_a_body_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_SECONDS", 0.05)
    assert served.ask(b"{", content_length="100").status == 408


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b'"state"', b'{"samples": NaN}', b'{"samples": -Infinity}', b'{"samples": 1e999}',
     b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"samples": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_no_object_of_json_is_refused(served: Served, body: bytes) -> None:
    found = served.ask(body)
    assert found.status == 422
    assert json.loads(found.body) == {"faults": [{"path": "", "text": "Must be an object of JSON, of finite numbers."}]}
    assert served.computed == []


def test_every_response_is_closed_to_other_pages_and_kept_nowhere(served: Served) -> None:
    replies = [
        served("GET", f"/{TOKEN}/vega.js"), served.ask({"kind": "state"}), served.ask([]), served("GET", "/"),
        served("GET", "/", host="evil.example"), served.ask({}, origin="null"), served("PUT", f"/{TOKEN}/answer"),
        served.ask({}, content_type="text/plain"), served("GET", f"/{TOKEN}"), served("GET", f"/{TOKEN}/none"),
    ]  # fmt: skip
    assert [each.status for each in replies] == [200, 200, 422, 404, 421, 403, 403, 415, 307, 404]
    for each in replies:
        assert {name: each.headers.get(name.lower()) for name in HEADERS} == dict(HEADERS)
        assert {"set-cookie", "server", "access-control-allow-origin"} & set(each.headers) == set()
    assert replies[8].headers["location"] == f"http://{served.host}/{TOKEN}/"


def test_the_policy_lets_nothing_in_and_nothing_out() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "connect")} == {"'self'"}
    assert "unsafe" not in str(policy)
    assert ": " not in policy["img-src"].replace("data: ", "")  # and no scheme that leaves the machine
    assert "http" not in str(policy)


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> threading.Semaphore:
    """Count how often a coroutine of the server has come to its end."""
    count, made = threading.Semaphore(0), getattr(server, name)

    async def told(request: Any) -> Any:
        found = await made(request)
        count.release()
        return found

    monkeypatch.setattr(server, name, told)
    return count


def test_what_a_page_asks_no_more_is_not_computed_and_a_full_desk_says_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, gone = (counted(monkeypatch, name) for name in ("_asked", "_gone"))
    slow = threading.Thread(target=served.ask, args=({"kind": "slow"},))
    slow.start()
    assert served.begun.wait(30)
    assert came.acquire(timeout=30)
    body = b'{"kind": "run", "page": "closed"}'
    head = f"POST /{TOKEN}/answer HTTP/1.1\r\nHost: {served.host}\r\nOrigin: http://{served.host}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    waiting = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(MOST_WAITING)]
    for each in waiting:
        each.sendall(head.encode() + body)
        assert came.acquire(timeout=30)
    found = served.ask({"kind": "run"})
    assert found.status == 503
    assert json.loads(found.body)["faults"][0]["text"] == "Too many wait. Ask again."
    for each in waiting:
        each.close()
        assert gone.acquire(timeout=30)
    served("GET", "/")
    served.go.set()
    slow.join(30)
    assert served.ask({"kind": "state"}).status == 200
    assert {"kind": "run", "page": "closed"} not in served.computed


def test_it_listens_on_this_machine_unless_it_is_given_a_token() -> None:
    made = place(port=0)
    assert made.listener.getsockname()[0] == "127.0.0.1"
    assert not made.is_open
    made.listener.close()
    for host in ("0.0.0.0", "::"):
        with pytest.raises(InputError, match=r"--host: .* lets other machines in, which needs --token\. Who knows"):
            place(host, 0)
    (opened := place("0.0.0.0", 0, TOKEN)).listener.close()
    for token in ("short", "x" * 15, "with space in it 12", "a/b/c/d/e/f/g/h/i/j", "ü" * 20, "x" * 129):
        with pytest.raises(InputError, match=r"--token: must be 16 to 128 letters, digits, - or _\."):
            place(port=0, token=token)
    for host in ("no.such.host.invalid", "203.0.113.7", "a" * 300, "\udcff"):
        with pytest.raises(InputError, match=r"--host: .*(no address of this machine|cannot be had)"):
            place(host, 0, TOKEN)
    assert opened.token == TOKEN


def test_where_it_listens_everywhere_it_is_called_by_addresses_and_by_the_name_of_the_machine() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        at = Place(listener, "0.0.0.0", TOKEN)
        assert at.is_open
        assert at.address == f"http://{socket.gethostname()}:{listener.getsockname()[1]}/{TOKEN}/"
        assert all(map(at.is_called, ("192.168.0.7:1", "[fe80::1]", socket.gethostname(), "localhost")))
        assert not any(map(at.is_called, ("evil.example", f"{socket.gethostname()}.evil.example", "")))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        assert Place(listener, "::1", TOKEN).address.startswith("http://[::1]:")
        named = Place(listener, "My-Machine", TOKEN)
        assert [named.is_called(name) for name in ("my-machine:80", "127.0.0.1", "your-machine")] == [True, True, False]


def test_a_port_in_use_is_told_and_without_one_another_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"--port: {number} cannot be had: address already in use.* Name another"):
            place(port=number)
    made = [place(), place()]  # the second finds the usual port taken, by the first or by another program
    assert made[0].address != made[1].address
    for each in made:
        each.listener.close()


def test_it_loads_little_before_it_listens() -> None:
    code = "import simulator.explorer.server, sys; print(sorted({'numpy', 'pydantic', 'xarray'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["lynx", "firefox", "", None])
def test_a_browser_is_opened_where_there_is_one_that_leaves_the_terminal_alone(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, done = [], threading.Event()

    class Browser:
        def __init__(self) -> None:
            if name is None:
                raise server.webbrowser.Error
            self.name = f"/usr/bin/{name}" if name else name

        def open(self, address: str) -> None:
            opened.append(address)
            done.set()
            raise OSError

    monkeypatch.setattr(server.webbrowser, "get", Browser)
    before = set(threading.enumerate())
    server.open_browser("http://127.0.0.1/")
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert opened == (["http://127.0.0.1/"] if name in ("firefox", "") else [])


ATTEMPTS = """
async (to) => {
  const element = (kind, source) => new Promise((told) => {
    const made = Object.assign(document.createElement(kind), { src: source, onload: () => told("loaded"), onerror: () => told("refused") });
    document.body.append(made);
  });
  const form = document.createElement("form");
  Object.assign(form, { method: "POST", action: to + "answer", enctype: "text/plain", target: "frame" });
  form.innerHTML = `<input name='{"kind":"run","x":"' value='"}'>`;
  const frame = Object.assign(document.createElement("iframe"), { name: "frame", src: to });
  document.body.append(frame, form);
  await new Promise((told) => { frame.onload = told; });
  form.submit();
  await new Promise((told) => { frame.onload = told; });
  const ask = (type, mode) => fetch(to + "answer", { method: "POST", mode, body: '{"kind":"run"}', headers: { "Content-Type": type } });
  const asked = await Promise.allSettled([
    ask("application/json", "cors"), ask("text/plain", "cors"), ask("text/plain", "no-cors"), fetch(to + "page.js"),
    fetch(to + "page.js", { mode: "no-cors" }),
  ]);
  return { elements: [await element("script", to + "vega.js"), await element("img", to + "page.css")],
    asked: asked.map((each) => each.status),
    vega: typeof simulatorVega };
}
"""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """Serve an empty page at another port."""

    class Empty(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><body>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as other:
        threading.Thread(target=other.serve_forever).start()
        yield other.server_port
        other.shutdown()


@pytest.mark.slow
def test_a_page_from_elsewhere_has_the_browser_ask_nothing_though_it_knows_the_address(
    served: Served, elsewhere: int
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs a Chromium to open the page in")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for host in (
            "localhost",
            "127.0.0.1",
        ):  # another site, and the same; of a public one browsers refuse it themselves
            page = browser.new_page()
            page.goto(f"http://{host}:{elsewhere}/")
            found = page.evaluate(ATTEMPTS, f"http://{served.host}/{TOKEN}/")
            assert found == {
                "elements": ["refused"] * 2, "asked": ["rejected"] * 5, "vega": "undefined",
            }, host  # fmt: skip
            assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
            page.close()
        browser.close()
    assert served.computed == []
