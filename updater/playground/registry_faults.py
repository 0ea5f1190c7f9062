"""Misbehaviour of the playground's registry, one line each.

A fault applies to requests whose target contains ``target`` (every request when it is empty), ``times`` times or until
``clear``. The oldest fault that fits a request is the one that happens.
"""

from __future__ import annotations

import dataclasses
import gzip
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from updater.playground.registry_http import Ending, HttpAnswer, HttpAsked

Respond = Callable[[HttpAsked], HttpAnswer]
Misbehave = Callable[[HttpAsked, Respond], HttpAnswer]

_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"


@dataclass(slots=True)
class _Fault:
    misbehave: Misbehave
    target: str
    left: int | None
    every: int = 1
    met: int = 0

    def takes(self, target: str) -> bool:
        """Whether this request is one that it happens to."""
        if self.target not in target:
            return False
        self.met += 1
        return self.met % self.every == 0


class RegistryFaults:
    """The faults that wait for their request. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._released = threading.Event()

    def delay(self, seconds: float, *, target: str = "", times: int | None = None) -> None:
        """Answer properly, but late."""
        released = self._released

        def late(asked: HttpAsked, respond: Respond) -> HttpAnswer:
            released.wait(seconds)
            return respond(asked)

        self._add(late, target, times)

    def status(
        self,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        target: str = "",
        times: int | None = None,
        every: int = 1,
    ) -> None:
        """Answer with this status, header lines and body; to each request, or every so-manieth."""
        answer = HttpAnswer(status, dict(headers or {}), body)
        self._add(lambda _asked, _respond: answer, target, times, every)

    def truncate_body(self, *, target: str = "", times: int | None = None) -> None:
        """Promise the whole body, send half of it and hang up."""
        self._change(lambda answer: dataclasses.replace(answer, ending=Ending.HALF_BODY), target, times)

    def trickle_body(self, byte_s: float, *, target: str = "", times: int | None = None) -> None:
        """Send the body one byte at a time, so that no pause between two bytes looks like an end."""
        self._change(lambda answer: dataclasses.replace(answer, trickle_s=byte_s), target, times)

    def swell_body(self, size_bytes: int, *, target: str = "", times: int | None = None) -> None:
        """Append blanks until the body has this size."""
        self._change(
            lambda answer: dataclasses.replace(answer, body=answer.body.ljust(size_bytes, b" ")), target, times
        )

    def corrupt_body(self, *, target: str = "", times: int | None = None) -> None:
        """Change the content and keep its length and its headers."""
        self._change(lambda answer: dataclasses.replace(answer, body=_corrupted(answer.body)), target, times)

    def bomb(self, size_bytes: int, *, target: str = "", times: int | None = None) -> None:
        """Send a packed body that nobody asked for and that unpacks to this size."""
        packed = gzip.compress(bytes(size_bytes))
        self.status(200, {"Content-Encoding": "gzip"}, packed, target=target, times=times)

    def content_type(self, value: str, *, target: str = "", times: int | None = None) -> None:
        """Announce another type."""
        self._change(
            lambda answer: dataclasses.replace(answer, headers={**answer.headers, "Content-Type": value}), target, times
        )

    def redirect(self, location: str, *, target: str = "", times: int | None = None) -> None:
        """Send the client elsewhere."""
        self.status(307, {"Location": location}, target=target, times=times)

    def realm(self, url: str, *, target: str = "", times: int | None = None) -> None:
        """Ask for a token of another service."""
        challenge = f'Bearer realm="{url}",service="playground"'
        self.status(401, {"WWW-Authenticate": challenge}, target=target, times=times)

    def html(self, *, target: str = "", times: int | None = None) -> None:
        """Answer as a captive portal does: status 200 and a page."""
        self.status(200, {"Content-Type": "text/html"}, _PAGE, target=target, times=times)

    def loop_pagination(self, *, target: str = "/tags/list", times: int | None = None) -> None:
        """Name the current page as the next one."""

        def turn_in_circles(asked: HttpAsked, respond: Respond) -> HttpAnswer:
            answer = respond(asked)
            link = f'<{asked.path}?{asked.query or "n=1"}>; rel="next"'
            return dataclasses.replace(answer, headers={**answer.headers, "Link": link})

        self._add(turn_in_circles, target, times)

    def never_answer(self, *, target: str = "", times: int | None = None) -> None:
        """Take the request and stay silent until the faults are cleared or the registry closes."""
        released = self._released

        def stay_silent(_asked: HttpAsked, _respond: Respond) -> HttpAnswer:
            released.wait()
            return HttpAnswer(500, ending=Ending.HANG_UP)

        self._add(stay_silent, target, times)

    def reset(self, *, target: str = "", times: int | None = None) -> None:
        """Reset the connection in place of an answer."""
        self._add(lambda _asked, _respond: HttpAnswer(500, ending=Ending.RESET), target, times)

    def clear(self) -> None:
        """Behave again; requests that are held back by a fault go on at once."""
        with self._lock:
            self._faults.clear()
            released, self._released = self._released, threading.Event()
        released.set()

    def respond(self, asked: HttpAsked, respond: Respond) -> HttpAnswer:
        """The answer to ``asked``: that of the fault that fits, else that of ``respond``."""
        misbehave = self._take(asked.target)
        return respond(asked) if misbehave is None else misbehave(asked, respond)

    def _change(self, change: Callable[[HttpAnswer], HttpAnswer], target: str, times: int | None) -> None:
        self._add(lambda asked, respond: change(respond(asked)), target, times)

    def _add(self, misbehave: Misbehave, target: str, times: int | None, every: int = 1) -> None:
        with self._lock:
            self._faults.append(_Fault(misbehave, target, times, every))

    def _take(self, target: str) -> Misbehave | None:
        with self._lock:
            fault = next((fault for fault in self._faults if fault.takes(target)), None)
            if fault is None:
                return None
            if fault.left is not None:
                fault.left -= 1
                if fault.left <= 0:
                    self._faults.remove(fault)
            return fault.misbehave


def _corrupted(body: bytes) -> bytes:
    return body.replace(b"20", b"19", 1) if b"20" in body else body[::-1]
