"""Security profiles of OCPP: Basic authentication, TLS, client certificates, and words for what was refused.

Profile 0 is open, 1 has a password (HTTP Basic), 2 a password in TLS, 3 client certificates in TLS (OCPP 1.6 security
whitepaper section 2 and OCPP 2.0.1 A00, standard-text). Certificates are checked by OpenSSL against the machine's
clock, whatever clock the bench runs on.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response

Authenticate = Callable[[str, str | None], bool]
"""Whether the station of an identity may connect with a password, None where it gave none."""
Check = Callable[[ServerConnection, Request], Response | None]


def client_context(ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """What a station connects with: TLS 1.2 or later, the server checked against ``ca`` (default: the machine's).

    ``certificate`` and ``key`` are PEM files of its own for profile 3. Raises ``OSError`` for files that cannot be
    used (``ssl.SSLError`` is one).
    """
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """What a central system listens with; ``client_ca`` makes it demand client certificates of that CA (profile 3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def basic(user: str, password: str) -> str:
    """Value of the Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def credentials(header: str | None) -> tuple[str, str] | None:
    """User and password of an Authorization header; None where it holds none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def identity_of(path: str) -> str:
    """The station that a request path names: its last part."""
    return path.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


def gate(known: Callable[[str], bool] | None, authenticate: Authenticate | None) -> Check:
    """The check of a request before the handshake: 404 unknown station, 401 password, 403 client certificate."""

    def check(connection: ServerConnection, request: Request) -> Response | None:
        identity = identity_of(request.path)
        if known is not None and not known(identity):
            return connection.respond(HTTPStatus.NOT_FOUND, "unknown station\n")
        name = common_name(connection)
        if name is not None and name != identity:
            return connection.respond(HTTPStatus.FORBIDDEN, f"the client certificate is of {name!r}\n")
        if authenticate is not None and not _may(authenticate, identity, request.headers.get_all("Authorization")):
            response = connection.respond(HTTPStatus.UNAUTHORIZED, "user and password are needed, or are wrong\n")
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
            return response
        return None

    return check


def _may(authenticate: Authenticate, identity: str, headers: list[str]) -> bool:
    given = credentials(headers[0]) if len(headers) == 1 else None
    if given is not None and given[0] != identity:
        return False
    return authenticate(identity, None if given is None else given[1])


def common_name(connection: Any) -> str | None:
    """CN of the client certificate that TLS has verified; None without one."""
    session = connection.transport.get_extra_info("ssl_object")
    certificate = None if session is None else session.getpeercert()
    if not certificate:
        return None
    names = [value for entry in certificate["subject"] for key, value in entry if key == "commonName"]
    return names[0] if names else ""


def why(error: BaseException, *, tls: bool = False) -> str:
    """A connection's failure in words; ``tls`` says that it was, or was to be, encrypted."""
    if isinstance(error, InvalidStatus):
        return _status(error.response)
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: certificate verify failed: {cause.verify_message or cause.reason}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
    if tls and any(isinstance(cause, EOFError | ConnectionResetError) for cause in chain):
        return "TLS: the server hung up in the handshake; it may refuse the certificate, or the lack of one"
    return str(error) or type(error).__name__


def _status(response: Response) -> str:
    body = (response.body or b"").decode("utf-8", "replace").strip().splitlines()
    text = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
    return f"{text}: {body[0][:200]}" if body else text


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
