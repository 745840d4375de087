"""``[grid]`` of a rig: what the grid says to the site."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from hilbench.rig_values import Address, InputFile, one_line, parse_address
from hilbench.site import Model

LONGEST_SECRET = 256


def _base_url(value: str) -> str:
    parse_address(value, ("http",))
    parts = urlsplit(value)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{value!r} has more than host and port; an emulated VTN answers at its root")
    return value.rstrip("/")


class VtnEntry(Model):
    """``[grid.vtn]``: the OpenADR 3 VTN that the site's controller asks for events, played by the bench.

    ``address`` is the base of its paths (http), ``version`` that of OpenADR. A VEN shows ``client_id`` and the secret
    that ``client_secret_file`` holds in one line.
    """

    device: str = "emulated:openadr3"
    address: Annotated[str, AfterValidator(_base_url)] = "http://127.0.0.1:3900"
    version: Literal["3.0", "3.1"] = "3.1"
    client_id: Annotated[str, Field(min_length=1, max_length=128)] = "ven"
    client_secret_file: InputFile

    @property
    def endpoint(self) -> Address:
        """Host and port at which it listens."""
        return parse_address(self.address, ("http",))

    @property
    def secret(self) -> str:
        """The client's secret; raises ``ValueError`` for a file that holds none."""
        return one_line(self.client_secret_file, LONGEST_SECRET, "secret")


class GridEntry(Model):
    """``[grid]``: who sends signals to the site."""

    vtn: VtnEntry | None = None


__all__ = ["GridEntry", "VtnEntry"]
