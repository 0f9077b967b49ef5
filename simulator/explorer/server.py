"""The server of the explorer's page: for this machine alone unless it is told otherwise, and for who has the token.

A page keeps its state in its own address: here is none of it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import os
import re
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.charts.bundle import VEGA
from simulator.errors import InputError
from simulator.explorer.desk import Desk, Engine, FullError, told

LOOPBACK, USUAL_PORT = "127.0.0.1", 8117
MOST_BYTES, MOST_SECONDS, MOST_CONNECTIONS = 1 << 20, 10.0, 128
"""Of a request: its size, and the time in which it must have come; how many are connected."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_FOLDER = FilePath(__file__).parent
_OWN = "'self'"
_POLICY = {
    "default-src": "'none'", "script-src": _OWN, "style-src": _OWN, "connect-src": _OWN,
    "img-src": f"{_OWN} data: blob:", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
}  # fmt: skip
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What each response says: nothing comes from elsewhere, and nothing is kept, framed or read by another page."""
_CLOSED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_TEXT_BROWSERS = {"www-browser", "links", "elinks", "lynx", "w3m"}
"""They would take the terminal."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is: a port that listens, the host it was asked for by, the token of its address."""

    listener: socket.socket
    host: str
    token: str

    @property
    def is_open(self) -> bool:
        """Tell whether other machines reach it."""
        return not _is("loopback", self.listener.getsockname()[0])

    @property
    def address(self) -> str:
        """Give the address of the page; where it listens everywhere, by the name of the machine."""
        name = socket.gethostname() if _is("unspecified", self.host) else self.host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.listener.getsockname()[1]}/{self.token}/"

    def is_called(self, host: str) -> bool:
        """Tell whether a Host means this server, and is no name of another's that was made to lead here.

        Its port may be another: that of a tunnel.
        """
        try:
            name = urlsplit(f"//{host}").hostname or "" if "@" not in host else ""
        except ValueError:
            return False
        if _is("unspecified", self.host):
            return name in {"localhost", socket.gethostname().lower()} or _ip(name) is not None
        own = {self.host.lower(), self.listener.getsockname()[0]}
        return name in own or (not self.is_open and (name == "localhost" or _is("loopback", name)))


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is(kind: str, name: str) -> bool:
    return (found := _ip(name)) is not None and bool(getattr(found, f"is_{kind}"))


def place(host: str = LOOPBACK, port: int | None = None, token: str = "") -> Place:
    """Listen, where no port is asked for at the usual one or any that is free; make a token where none is given."""
    if token and not _TOKEN.fullmatch(token):
        raise InputError("--token: must be 16 to 128 letters, digits, - or _. Write one that nobody guesses.")
    try:
        family, *_, (found, *_) = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError):
        raise InputError(f"--host: {host} is no address of this machine. Leave it out for {LOOPBACK}.") from None
    if not token and not _is("loopback", str(found)):
        raise InputError(
            f"--host: {host} lets other machines in, which needs --token. Who knows the token can have this machine "
            "compute and write runs; what is sent can be read on the way. Give one, or leave --host out."
        )
    listener = None
    if port is None:
        with suppress(OSError):
            listener = socket.create_server((found, USUAL_PORT), family=family)
    try:
        listener = listener or socket.create_server((found, port or 0), family=family)
    except OSError as error:
        option, given = ("--port", str(port)) if port else ("--host", host)
        raise InputError(
            f"{option}: {given} cannot be had: {os.strerror(error.errno or 0).lower()}. Name another, or leave it out."
        ) from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer's body waits 40 ms for its head
    return Place(listener, host, token or secrets.token_urlsafe(24))


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through what comes from the page itself, from who opens it, and from nobody else."""

    app: ASGIApp
    place: Place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it; each response has the headers that close it."""

        async def closed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_CLOSED]
            await send(message)

        refused = self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (_refused(*refused) if refused else self.app)(scope, receive, closed)

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        """Tell why a request is refused; without the token nothing is told of what there is."""
        hosts, origin = request.headers.getlist("host"), request.headers.get("origin")
        if len(hosts) != 1 or not self.place.is_called(hosts[0]):
            return HTTPStatus.MISDIRECTED_REQUEST, "This host is not served here."
        given = "".join(request.scope["path"].split("/")[1:2]).encode("utf-8", "replace")
        if not secrets.compare_digest(given, self.place.token.encode()):
            return HTTPStatus.NOT_FOUND, "Nothing is here: take the address that the command printed."
        asks, site = request.method not in {"GET", "HEAD"}, request.headers.get("sec-fetch-site", "same-origin")
        linked = request.headers.get("sec-fetch-dest") == "document"  # wherever the link stands
        same = site == "same-origin" or (not asks and (linked or site == "none"))
        own = {f"{scheme}://{hosts[0]}" for scheme in ("http", "https")}
        if not same or origin not in (own if asks else {*own, None}):
            return HTTPStatus.FORBIDDEN, "Another page may not ask here."
        return None


def application(desk: Desk, at: Place) -> ASGIApp:
    """Make what answers: the page, its files, and what it asks."""
    files = {path.name: path for path in (*_FOLDER.iterdir(), VEGA) if path.suffix in _TYPES}

    async def file(request: Request) -> Response:
        path = files.get(request.path_params.get("name", "page.html"))
        if path is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "Not found.")
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

    async def answer(request: Request) -> Response:
        try:
            turn = desk.ask(await _asked(request))
        except FullError:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "Too many wait. Ask again.") from None
        found, gone = asyncio.wrap_future(turn.answer), asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait((found, gone), return_when=asyncio.FIRST_COMPLETED)
            return Response(await found if found.done() else b"", media_type="application/json")
        finally:
            turn.leave()  # which matters where the page has left
            found.cancel()
            gone.cancel()

    routes = [
        Route("/{token}/answer", answer, methods=["POST"]),
        Route("/{token}/", file),
        Route("/{token}/{name}", file),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _told}), at)


def _refused(status: int, words: str) -> Response:
    """Refuse a request in words that the page shows."""
    return JSONResponse(told(words), status)


async def _told(_: Request, error: Exception) -> Response:
    return _refused(getattr(error, "status_code", 500), str(getattr(error, "detail", error)))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _asked(request: Request) -> Mapping[str, Any]:
    """Read a request: JSON, of a limited size whether its length is told or not, within a time."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Must be application/json.")
    body = bytearray()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Must be at most {MOST_BYTES:,} bytes.")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "Came too slowly.") from None
    with suppress(ValueError, RecursionError):
        if isinstance(asked := json.loads(body, parse_constant=_finite, parse_float=_finite), dict):
            return asked
    raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "Must be an object of JSON, of finite numbers.")


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


class _Server(uvicorn.Server):
    """Tells when it listens, and ends when it is told to."""

    def __init__(self, app: ASGIApp, listens: Callable[[], None], ended: threading.Event) -> None:
        super().__init__(
            uvicorn.Config(
                app, lifespan="off", ws="none", http="h11", loop="asyncio", log_config=None, log_level="critical",
                access_log=False, server_header=False, date_header=False, proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=75, timeout_graceful_shutdown=1,
            )
        )  # fmt: skip
        self._listens, self._ended = listens, ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listens()

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._ended.is_set()


def serve(
    make: Callable[[], Engine], at: Place, *, listens: Callable[[], None], ended: threading.Event | None = None
) -> None:
    """Serve the page until Ctrl-C, or until it is `ended`; `listens` is called once the page can be opened.

    Meanwhile the engine is made; where it cannot be, its error is raised.
    """
    errors: list[Exception] = []
    end = ended or threading.Event()

    def failed(error: Exception) -> None:
        errors.append(error)
        end.set()

    desk = Desk(make, failed=failed)
    try:
        _Server(application(desk, at), listens, end).run([at.listener])
    except KeyboardInterrupt as stop:
        if type(stop) is not KeyboardInterrupt:  # told to end, and not by who sits before it
            raise
    finally:
        desk.close()
    if errors:
        raise errors[0]


def open_browser(address: str) -> None:
    """Open the page where a browser can be found, beside what goes on; there is no harm where none is."""

    def opened() -> None:
        with suppress(Exception):
            browser = webbrowser.get()
            if FilePath(getattr(browser, "name", "")).name not in _TEXT_BROWSERS:
                browser.open(address)

    threading.Thread(target=opened, name="browser", daemon=True).start()
