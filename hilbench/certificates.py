"""Certificates to test with: a CA, what it signs, and certificates that must be refused.

Needs the optional package ``cryptography`` (``pip install hilbench[tls]``). Keys are new each time; everything else
follows from the arguments: give the validity, and the certificate is as valid as that.
"""

from __future__ import annotations

import importlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hilbench.errors import InputError, Problem

VALID = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2080, 1, 1, tzinfo=UTC))
"""Validity of what shall not fail by its dates: OpenSSL goes by the machine's clock, not by the bench's."""
EXPIRED = (datetime(2010, 1, 1, tzinfo=UTC), datetime(2011, 1, 1, tzinfo=UTC))
NOT_YET_VALID = (datetime(2079, 1, 1, tzinfo=UTC), datetime(2080, 1, 1, tzinfo=UTC))
Period = tuple[datetime, datetime]
FAULTS = ("expired", "not_yet_valid", "wrong_name", "wrong_ca", "self_signed")
"""What :meth:`Authority.faulty` can make."""


@dataclass(frozen=True)
class Pair:
    """PEM files of a certificate and of its key."""

    certificate: Path
    key: Path


class Authority:
    """A CA of ``name``, whose own certificate is ``pair.certificate``; files go to ``folder``, which must exist.

    Raises ``InputError`` without the package ``cryptography``.
    """

    def __init__(self, folder: Path, name: str = "hilbench-ca", valid: Period = VALID) -> None:
        self._folder = folder
        self._name = name
        self._key = _new_key()
        self._valid = valid
        self.pair = self._save(name, self._certificate(name, self._key, valid, self._key, name, ca=True), self._key)

    def server(self, host: str = "localhost", valid: Period = VALID, *, file: str = "server") -> Pair:
        """A certificate for a central system at ``host``, a name or an IP address."""
        return self._issue(file, host, valid, host)

    def client(self, identity: str, valid: Period = VALID, *, file: str = "") -> Pair:
        """A certificate of the station ``identity``: its CN (chosen; by OCPP 2.0.1 A00 it holds the serial number,
        recalled)."""
        return self._issue(file or f"client-{identity}", identity, valid, None)

    def faulty(self, fault: str, name: str, *, server: bool) -> Pair:
        """What a peer must refuse for one of ``FAULTS``, though it is for ``name`` otherwise; raises ``ValueError``."""
        file = f"{'server' if server else 'client'}-{fault}"
        if fault not in FAULTS:
            raise ValueError(f"there is no fault {fault!r}; known: {', '.join(FAULTS)}")
        if fault == "self_signed":
            key = _new_key()
            return self._save(file, self._certificate(name, key, VALID, key, name, host=name if server else None), key)
        issuer = Authority(self._folder, f"{file}-ca") if fault == "wrong_ca" else self
        shown = f"other-{name}" if fault == "wrong_name" else name
        valid = {"expired": EXPIRED, "not_yet_valid": NOT_YET_VALID}.get(fault, VALID)
        return issuer._issue(file, shown, valid, shown if server else None)

    def _issue(self, file: str, name: str, valid: Period, host: str | None) -> Pair:
        key = _new_key()
        return self._save(file, self._certificate(name, key, valid, self._key, self._name, host=host), key)

    def _certificate(
        self, name: str, key: Any, valid: Period, signer: Any, issuer: str, *, host: str | None = None, ca: bool = False
    ) -> Any:
        x509, hashes = _module("x509"), _module("hazmat.primitives.hashes")
        begin, end = valid
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(max(end, begin + timedelta(seconds=1)))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
        return builder.sign(signer, hashes.SHA256())

    def _save(self, file: str, certificate: Any, key: Any) -> Pair:
        serial = _module("hazmat.primitives.serialization")
        pair = Pair(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serial.Encoding.PEM))
        secret = key.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption())
        pair.key.touch(mode=0o600)
        pair.key.write_bytes(secret)
        return pair


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"cryptography.{name}")
    except ImportError:
        remedy = "install it: pip install 'hilbench[tls]'"
        raise InputError("certificates", Problem("", "the package cryptography is missing", remedy)) from None


def _new_key() -> Any:
    """A key on P-256: quick to make, and every TLS library has it."""
    curves = _module("hazmat.primitives.asymmetric.ec")
    return curves.generate_private_key(curves.SECP256R1())


def _name(common_name: str) -> Any:
    x509 = _module("x509")
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> Any:
    x509 = _module("x509")
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
