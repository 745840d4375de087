"""How a station reaches its controller: address, security profile, password and certificates, as it stands now."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hilbench import ocppj
from hilbench_emulators.station.settings import StationSettings


@dataclass(frozen=True)
class Way:
    """``slot`` of the network profile; ``url`` is empty where the bench says the address.

    ``roots``, ``own`` and ``key`` are PEM of what the controller has installed; empty: what the settings name.
    """

    slot: int
    url: str
    security_profile: int
    password: str = ""
    roots: str = ""
    own: str = ""
    key: str = ""

    def target(self, bench_url: str, settings: StationSettings) -> str:
        """The URL to dial; a profile that was raised to TLS dials the bench's address in TLS."""
        url = self.url or bench_url
        raised = not self.url and self.security_profile >= 2 > settings.security_profile
        return url.replace("ws://", "wss://", 1) if raised and url.startswith("ws://") else url

    @property
    def shown(self) -> str:
        """What it tells the controller of who it is: password or certificate, as its profile says."""
        return ("", self.password, self.password, self.own)[self.security_profile]

    def auth(self, identity: str) -> tuple[str, str] | None:
        """User and password, in the security profiles that have them."""
        return (identity, self.password) if self.security_profile in (1, 2) and self.password else None

    def tls(self, url: str, settings: StationSettings) -> ssl.SSLContext | None:
        """TLS where profile or URL want it; raises ``OSError`` for certificates that cannot be used."""
        if self.security_profile < 2 and not url.startswith("wss:"):
            return None
        files = settings.certificate, settings.key
        if self.security_profile < 3 or self.own:
            files = None, None
        context = ocppj.client_context(settings.ca_file, *files)
        if self.roots:
            context.load_verify_locations(cadata=self.roots)
        if self.security_profile == 3 and self.own:
            _load_own(context, self.own, self.key)
        return context


def _load_own(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL reads key and certificate from a file only."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.pem"
        file.touch(mode=0o600)
        file.write_text(f"{key}\n{certificate}\n", encoding="ascii")
        context.load_cert_chain(file)
