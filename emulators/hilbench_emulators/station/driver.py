"""Drivers at a station of any version: authorised by the controller, a list or the cache, and reservations."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

from hilbench import clock
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.tokens import ACCEPTED, INVALID, Info, Reservation, Tokens, info_of, moment_of


class DriverStation(AcStation):
    """``tokens`` and ``reservation`` persist."""

    tokens: Tokens
    reservation: Reservation | None

    @abstractmethod
    async def ask(self, tag: str) -> Info | None:
        """What the controller says of a tag, None when it cannot be heard."""

    @abstractmethod
    def begin_by(self, tag: str) -> None:
        """Start to charge for an authorised tag."""

    @abstractmethod
    def switch(self, name: str) -> bool:
        """A setting: ``list``, ``cache``, ``pre`` (LocalPreAuthorize), ``offline`` (LocalAuthorizeOffline) or
        ``unknown`` (transactions offline for whom nothing is known of).
        """

    @abstractmethod
    def reservation_over(self, reservation: Reservation) -> None:
        """Tell that it has expired."""

    def reset_drivers(self) -> None:
        """Nobody is known, nothing reserved."""
        self.tokens, self.reservation = Tokens(), None

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        held = self.reservation
        one = None if held is None else [held.id, held.token, held.expires, held.group]
        return {"tokens": self.tokens.to_json(), "reservation": one}

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        self.tokens = Tokens(**data["tokens"])
        self.reservation = None if data["reservation"] is None else Reservation(*data["reservation"])
        self._watch_reservation()

    # authorisation

    def present_tag(self) -> None:
        """See :class:`AcStation`."""
        self._spawn(self._authorise(self.settings.id_tag or f"TAG-{self.role}"[:20]))

    async def _authorise(self, tag: str) -> None:
        info = await self._verdict(tag)
        if info["status"] == "Accepted" and self.admits(tag, info["group"]):
            self.begin_by(tag)

    async def _verdict(self, tag: str) -> Info:
        """The controller's word where it can be heard, unless the station may go by what it knows."""
        local = self.tokens.local(tag, self._utc(), listed=self.switch("list"), cached=self.switch("cache"))
        if local is not None and local["status"] == "Accepted" and self.switch("pre"):
            return local
        told = await self.ask(tag) if self.connected else None
        if told is not None:
            self.learn(tag, told)
            return told
        if local is not None and self.switch("offline"):
            return local
        return ACCEPTED if self.switch("unknown") else INVALID

    def learn(self, tag: str, info: Info) -> None:
        """Keep the controller's word, where there is a cache."""
        if self.switch("cache"):
            self.tokens.learn(tag, info)

    def update_list(self, full: bool, version: int, entries: list[tuple[str, dict[str, Any] | None]]) -> str:
        """Answer to SendLocalList."""
        known = [(tag, None if raw is None else info_of(raw)) for tag, raw in entries]
        try:
            for info in (one for _tag, one in known if one and one["expiry"]):
                moment_of(info["expiry"])
        except ValueError:
            return "Failed"
        status = self.tokens.update(full, version, known)
        self.save()
        return status

    def clear_cache(self) -> bool:
        """Whether there is a cache, empty now."""
        self.tokens.cached.clear()
        self.save()
        return self.switch("cache")

    def forget_customer(self, tag: str, *, clear: bool) -> str:
        """What is known of a token, in words; ``clear`` takes it out of the cache."""
        known = self.tokens.listed.get(tag) or self.tokens.cached.get(tag)
        if clear:
            self.tokens.cached.pop(tag, None)
            self.save()
        return "" if known is None else f"{tag}: {known['status']}"

    # reservations

    @property
    def occupied(self) -> bool:
        """Somebody is here, or about to be."""
        return self._outlet.plugged

    def admits(self, tag: str, group: str | None = None) -> bool:
        """No reservation of somebody else stands against it."""
        return self.reservation is None or self.reservation.admits(tag, group)

    def reserve(self, wanted: Reservation) -> str:
        """Answer to ReserveNow; the same id replaces (1.6 section 5.13, 2.0.1 H01; standard-text)."""
        if self._outlet.faulted:
            return "Faulted"
        if not self._operative:
            return "Unavailable"
        if self.occupied or (self.reservation is not None and self.reservation.id != wanted.id):
            return "Occupied"
        if wanted.expires <= self._utc():
            return "Rejected"
        self._reserve(wanted)
        return "Accepted"

    def cancel_reservation(self, reservation_id: int) -> bool:
        """Whether it was there."""
        if self.reservation is None or self.reservation.id != reservation_id:
            return False
        self._reserve(None)
        return True

    def use_reservation(self) -> int | None:
        """A transaction begins; the id of the reservation that it uses up."""
        used = self.reservation
        if used is not None:
            self._reserve(None)
        return None if used is None else used.id

    def _reserve(self, reservation: Reservation | None) -> None:
        self.reservation = reservation
        self._watch_reservation()
        self.save()
        self.poke()

    def _watch_reservation(self) -> None:
        left = math.inf if self.reservation is None else max(0.0, self.reservation.expires - self._utc())
        self._at("reservation", clock.time() + left, self._expired)

    def _expired(self) -> None:
        over = self.reservation
        self._reserve(None)
        if over is not None:
            self.reservation_over(over)
