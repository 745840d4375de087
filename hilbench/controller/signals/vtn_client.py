"""What the port asks of an OpenADR 3 VTN: a token, and the list of events page by page."""

from __future__ import annotations

import math
from ssl import SSLContext
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from hilbench import clock
from hilbench.controller.signals.http import Answer, ExchangeError, exchange
from hilbench.errors import InputError

PAGE = 50
"""Events asked for at once: the most that a VTN may give (OpenADR 3 ``limit``; recalled)."""
MOST_PAGES = 100
RENEW_SHARE = 0.9
"""A token is renewed when so much of its life has passed (policy-default)."""


class VtnError(Exception):
    """The VTN gave no usable answer; the message says what it did."""


class VtnClient:
    """Asks the VTN at ``url``, which is the base of its paths, with client credentials; ``tls`` is for https.

    Raises ``InputError`` when ``url`` is none of http or https with a host.
    """

    def __init__(
        self, url: str, client_id: str, client_secret: str, timeout_s: float, tls: SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError("OpenADR", f"{url!r} is no address of a VTN: use http or https with a host")
        self._base, self._timeout_s, self._tls = url.rstrip("/"), timeout_s, tls
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token, self._renew_t = "", -math.inf

    async def events(self, program_id: str, targets: tuple[str, ...]) -> list[Any]:
        """All events that the VTN has for this site, unchecked; raises :class:`VtnError`."""
        query = [("programID", program_id)] * bool(program_id) + [("targets", target) for target in targets]
        found: list[Any] = []
        for _ in range(MOST_PAGES):
            page = await self._page([*query, ("skip", str(len(found))), ("limit", str(PAGE))])
            found += page
            if len(page) < PAGE:
                return found
        raise VtnError(f"more than {MOST_PAGES * PAGE} events")

    async def _page(self, query: list[tuple[str, str]]) -> list[Any]:
        url = f"{self._base}/events?{urlencode(query)}"
        answer = await self._authorised(url)
        if answer.status == 401:  # the VTN forgets tokens when it starts anew
            self._token = ""
            answer = await self._authorised(url)
        page = _json(answer, "events")
        if not isinstance(page, list):
            raise VtnError("events are no list")
        return page

    async def _authorised(self, url: str) -> Answer:
        if not self._token or clock.time() >= self._renew_t:
            await self._renew()
        return await self._send("GET", url, {"Authorization": f"Bearer {self._token}"})

    async def _renew(self) -> None:
        form = urlencode({"grant_type": "client_credentials", **self._credentials}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        asked_t = clock.time()
        answer = _json(await self._send("POST", f"{self._base}/auth/token", kind, form), "token")
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise VtnError("token: no access_token")
        self._token, self._renew_t = token, asked_t + RENEW_SHARE * _life_s(answer.get("expires_in"))

    async def _send(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        try:
            wanted = headers | {"Accept": "application/json"}
            return await exchange(method, url, wanted, body, self._timeout_s, self._tls)
        except ExchangeError as error:
            raise VtnError(str(error)) from error


def _life_s(value: object) -> float:
    """How long a token lives; without a number until it is refused."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.inf


def _json(answer: Answer, what: str) -> Any:
    if answer.status != 200:
        raise VtnError(f"{what}: status {answer.status}")
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise VtnError(f"{what}: no JSON ({error})") from error


__all__ = ["VtnClient", "VtnError"]
