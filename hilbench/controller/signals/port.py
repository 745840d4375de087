"""The OpenADR port of the controller: its settings in a rig, and the VEN that they make."""

from __future__ import annotations

import logging
from collections.abc import Callable
from ssl import SSLContext
from typing import Annotated

from pydantic import Field, model_validator

from hilbench.controller.signals.events import limit_at, price_at
from hilbench.controller.signals.settings import SignalSettings
from hilbench.controller.signals.ven import Ven
from hilbench.errors import InputError
from hilbench.ocppj import client_context
from hilbench.site import RelativePath

LOGGER = logging.getLogger(__name__)


class OpenAdrSettings(SignalSettings):
    """``[controller.openadr]``: which VTN is asked, as whom, and what its events mean here."""

    url: Annotated[str, Field(min_length=1)]
    """Base address of the VTN (http or https)."""
    client_id: Annotated[str, Field(min_length=1)]
    client_secret_file: RelativePath
    """File with the secret of the client credentials, in one line; a run folder keeps no secret."""
    ca_file: RelativePath | None = None
    """PEM file of the CA that the VTN's certificate is of, where that is none of the machine's."""
    certificate: RelativePath | None = None
    """PEM file of its own certificate, for a VTN that asks for one; ``key`` is its key."""
    key: RelativePath | None = None

    @model_validator(mode="after")
    def _files_of_tls(self) -> OpenAdrSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate goes with its key; give both or neither")
        if (self.ca_file or self.certificate) and not self.url.startswith("https:"):
            raise ValueError("ca_file and certificate are for https; let url begin with https://")
        return self


def secret_of(settings: OpenAdrSettings) -> str:
    """The client's secret; raises ``InputError``."""
    try:
        text = settings.client_secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(settings.client_secret_file), f"cannot be read: {error}") from error
    if not text or not text.isprintable():
        raise InputError(str(settings.client_secret_file), "holds no secret in one line")
    return text


def tls_of(settings: OpenAdrSettings) -> SSLContext | None:
    """What the VTN is reached with; None for http, or for what the machine has. Raises ``InputError``."""
    if settings.ca_file is None and settings.certificate is None:
        return None
    try:
        return client_context(settings.ca_file, settings.certificate, settings.key)
    except OSError as error:
        named = ", ".join(str(file) for file in (settings.ca_file, settings.certificate, settings.key) if file)
        raise InputError("OpenADR", f"certificate files {named} cannot be used: {error}") from error


class Signals:
    """A VEN whose limit goes to ``on_limit`` [kW], and what its events will ask for later."""

    def __init__(
        self, settings: OpenAdrSettings, on_limit: Callable[[float | None], None], *, prices: bool = False
    ) -> None:
        about = (settings.url, settings.client_id, secret_of(settings), settings, on_limit, self._noted)
        self.ven = Ven(*about, prices=prices, tls=tls_of(settings))

    def _noted(self, note: str) -> None:
        LOGGER.warning("OpenADR: %s", note)

    async def run(self) -> None:
        """Poll and follow the events until cancelled."""
        await self.ven.run()

    def limit_at(self, t: float) -> float | None:
        """The limit of the site's import [kW] that known events set at ``t`` (UTC [s]); None for none."""
        return limit_at(self.ven.events, t)

    def price_at(self, t: float, kind: str) -> float | None:
        """PRICE [1/kWh] or GHG [kg/kWh] that known events say for ``t`` (UTC [s]); None where none does."""
        return price_at(self.ven.events, t, kind)


__all__ = ["OpenAdrSettings", "Signals", "secret_of", "tls_of"]
