"""``hilbench why``: ask a running reference controller for the reason of a limit."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from urllib.parse import quote

import click

from hilbench.errors import DeviceError, InputError

PATIENCE_S = 5.0


@click.command()
@click.argument("role")
@click.option("--url", default="http://127.0.0.1:9180", show_default=True, help="Where the controller answers.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as it comes.")
def why(role: str, url: str, as_json: bool) -> None:
    """Say why station ROLE has the limit that it has: what binds it, and who shares that.

    It asks a running reference controller whose rig has status_port in [controller].
    """
    answer = _asked(f"{url.rstrip('/')}/why/{quote(role, safe='')}", role)
    click.echo(answer if as_json else "\n".join(json.loads(answer)["words"]))


def _asked(url: str, role: str) -> str:
    """The body of the answer; raises ``InputError`` for an unknown role, ``DeviceError`` when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads to this machine
    try:
        with opener.open(url, timeout=PATIENCE_S) as answer:
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise InputError(url, f"the controller has no station {role!r}") from error
        raise DeviceError(f"{url}: HTTP {error.code}") from error
    except (OSError, ValueError) as error:
        raise DeviceError(f"{url}: {error}; is status_port set in its rig?") from error
    return body.decode("utf-8").rstrip("\n")
