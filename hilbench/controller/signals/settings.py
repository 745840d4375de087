"""Settings of the OpenADR port; every default says why it is what it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hilbench.site import Integer, Model, Number, Seconds

Share = Annotated[Number, Field(ge=0, le=1)]


class SignalSettings(Model):
    """How the port asks and what it makes of the answers. Powers in kW, times in seconds.

    All figures are policy-default unless they name a source.
    """

    full_kw: Annotated[Number, Field(gt=0)]
    """The site's import without any signal: what SIMPLE levels are shares of, and where a release ends."""
    version: Literal["3.0", "3.1"] = "3.1"
    """Of the VTN: 3.0 asks for targets in another way, so there all events are fetched and chosen from here."""
    program_id: str = ""
    """Only events of this program count; empty: those of all programs."""
    targets: tuple[str, ...] = ()
    """Events without targets count, and those with one of these; empty: all."""
    level_shares: tuple[Share, Share, Share, Share] = (1.0, 0.75, 0.5, 0.0)
    """Share of ``full_kw`` that SIMPLE levels 0 to 3 leave; 1 is no limit at all."""
    seed: Annotated[Integer, Field(ge=0)] = 0
    """Of every random draw: sites with different seeds do not move together."""
    poll_s: Seconds = 30.0
    """How often events are fetched, as openleadr-rs's EVerest example does (read-code)."""
    answer_s: Seconds = 10.0
    """Without a whole answer for so long, the request has failed."""
    retry_s: Seconds = 5.0
    """Wait after a first failed fetch; it doubles with each further one and is drawn between its half and its whole."""
    retry_most_s: Seconds = 120.0
    """Longest wait between two fetches that fail."""
    release_spread_s: Annotated[Number, Field(ge=0, le=86_400)] = 300.0
    """A rising limit is taken up after a wait that is drawn between 0 and this."""
    release_s: Seconds = 600.0
    """Slope of a rising limit: so long takes the whole of ``full_kw``."""
    tick_s: Seconds = 5.0
    """While the limit rises, it is given anew so often."""


__all__ = ["SignalSettings"]
