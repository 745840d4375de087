"""Small pieces of HTML: everything that comes from a record is escaped here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape, unescape
from typing import Any

from hilbench.evidence.files import number

SYMBOL = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "ERROR": "!", "NOT_RUN": "–", "INFORMATIVE": "i"}
WORD = {"NOT_RUN": "NOT RUN", "INFORMATIVE": "INFO", "INCOMPLETE": "CUT OFF"}


def esc(value: Any) -> str:
    """Text safe in HTML, without characters that no browser or XML reader accepts."""
    return escape(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", str(value)))


def badge(verdict: str) -> str:
    """A verdict in colour, with a sign and a word for whoever sees no colour."""
    kind = verdict.lower().replace("_", "-")
    sign, word = SYMBOL.get(verdict, "!"), esc(WORD.get(verdict, verdict))
    return f'<span class="v {esc(kind)}"><b aria-hidden="true">{sign}</b> {word}</span>'


def unit_text(unit: str) -> str:
    """A unit as people write it; the ratio ``1`` has none."""
    return {"1": "", "A.s": "A·s", "1/h": "per hour"}.get(unit, unit)


def quantity(value: Any, unit: str = "", uncertainty: Any = None) -> str:
    """``3.20 ± 0.82 s``, rounded to what the uncertainty allows; the exact value is in the ``data`` element."""
    exact = number(value)
    if exact is None or math.isnan(exact):
        return "–"
    spread = number(uncertainty) or 0.0
    text, suffix = f"{rounded(exact, spread)}", unit_text(unit)
    if math.isinf(exact):
        text, spread = ("never" if unit == "s" and exact > 0 else "∞" if exact > 0 else "−∞"), 0.0
        suffix = "" if text == "never" else suffix
    tail = f" ± {rounded(spread, spread)}" if spread > 0 and math.isfinite(spread) else ""
    return f'<data value="{exact!r}">{esc(text)}{tail}{" " + esc(suffix) if suffix else ""}</data>'


def rounded(value: float, uncertainty: float = 0.0) -> str:
    """A number with two significant digits of its uncertainty, or four of its own without one."""
    if not math.isfinite(value):
        return str(value)
    if uncertainty > 0 and math.isfinite(uncertainty):
        places = min(max(1 - math.floor(math.log10(uncertainty)), 0), 6)
        return f"{value + 0.0:.{places}f}"
    return f"{value:.4g}" if abs(value) < 1e4 or abs(value) >= 1e9 else f"{value:.0f}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table whose cells are HTML already."""
    head = "".join(f"<th scope='col'>{column}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table class="{kind}">{inside}</table></div>'


def definitions(items: Mapping[str, str]) -> str:
    """A list of terms and what they are here; values are HTML already, empty ones are left out."""
    rows = "".join(f"<div><dt>{esc(term)}</dt><dd>{text}</dd></div>" for term, text in items.items() if text)
    return f"<dl>{rows}</dl>"


def plain_prose(value: Any) -> str:
    """As :func:`prose`, not escaped: for texts that are escaped where they are used."""
    return unescape(prose(value))


def prose(value: Any) -> str:
    """Any JSON value as one escaped line: mappings as ``key value``, lists with commas."""
    if isinstance(value, Mapping):
        return ", ".join(_pair(str(key), item) for key, item in value.items() if item not in (None, ""))
    if isinstance(value, list | tuple):
        return ", ".join(prose(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return esc(f"{value:g}")
    return esc(value)


def _pair(key: str, item: Any) -> str:
    name, _, suffix = key.rpartition("_")
    if suffix == "utc" and isinstance(item, str):
        return f"{esc(name.replace('_', ' '))} {moment(item)}"
    if name and suffix in _UNITS and isinstance(item, int | float) and not isinstance(item, bool):
        return f"{esc(name.replace('_', ' '))} {prose(item)} {_UNITS[suffix]}"
    return f"{esc(key.replace('_', ' '))} {prose(item)}"


_UNITS = {"a": "A", "v": "V", "hz": "Hz", "s": "s", "w": "W", "kw": "kW", "kva": "kVA", "kwh": "kWh", "pct": "%"}


def moment(value: Any) -> str:
    """An ISO 8601 instant in UTC to the second, as people read it; anything else as it is."""
    text = esc(value)
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)[.\d]*(Z|\+00:00)$", r"\1 \2 UTC", text)


def section(anchor: str, title: str, body: str) -> str:
    """A section with a heading that can be linked to; nothing when it has no content."""
    return f'<section id="{esc(anchor)}"><h2>{esc(title)}</h2>{body}</section>' if body else ""


def paragraphs(texts: Iterable[str]) -> str:
    """Escaped paragraphs."""
    return "".join(f"<p>{esc(text)}</p>" for text in texts)
