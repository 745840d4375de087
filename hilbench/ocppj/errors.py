"""What goes wrong in a conversation, and what its CALLERROR says."""

from __future__ import annotations

from typing import Any, cast

from ocpp.exceptions import OCPPError

from hilbench.errors import HilbenchError
from hilbench.ocppj.versions import validator

_CODES = {
    "type": "TypeConstraintViolation",
    "maxLength": "TypeConstraintViolation",
    "required": "ProtocolError",
    "additionalProperties": "FormationViolation",
    "minItems": "OccurenceConstraintViolation",
    "maxItems": "OccurenceConstraintViolation",
}
_CODES_2 = _CODES | {"required": "OccurenceConstraintViolation"}
"""A payload that lacks a field is incomplete, a ProtocolError in 1.6; 2.x has that code for PDUs and says that a field
violates occurrence constraints (OCPP-J 1.6 section 4.2.3 and 2.0.1 section 4.3, recalled)."""
_ERRORS: dict[str, Any] = {kind.code: kind for kind in cast(list[Any], OCPPError.__subclasses__())}
_NEWER = {"FormationViolation": "FormatViolation", "OccurenceConstraintViolation": "OccurrenceConstraintViolation"}
"""How OCPP 2.x spells codes of 1.6 (OCPP-J 2.0.1 section 4.3, standard-text)."""


_SWAPPED = {"NotImplemented": "action is not known", "NotSupported": "action is known but not supported"}
"""The package has the descriptions of these two the wrong way round (mobilityhouse/ocpp#493)."""


class CallFailed(HilbenchError):  # noqa: N818 - reads as what happened
    """A CALL got a CALLERROR (``code`` is its error code), no answer in time (``Timeout``) or lost its link."""

    def __init__(self, action: str, code: str, description: str = "") -> None:
        self.action = action
        self.code = code
        self.description = description
        super().__init__(f"{action}: {code}" + (f": {description}" if description else ""))


def code_of(error: OCPPError, *, old: bool = True) -> str:
    """The code of a CALLERROR in the spelling of OCPP 1.6 (``old``) or 2.x."""
    code = str(cast(Any, error).code)
    return code if old else _NEWER.get(code, code)


def described(code: str, error: OCPPError) -> str:
    """What a CALLERROR says beside its code."""
    return _SWAPPED.get(code, str(cast(Any, error).description))


def refusal(code: str, cause: str) -> OCPPError:
    """The exception by which a handler answers CALLERROR ``code`` (a name of OCPP-J 1.6 section 4.2.3)."""
    error: OCPPError = _ERRORS[code](details={"cause": cause})
    return error


def check(message_type: int, action: str, payload: Any, version: str = "1.6") -> None:
    """Validate a payload against the schema of its message; raises the ``OCPPError`` that names the violation."""
    compiled = validator(message_type, action, version)
    try:
        if compiled.is_valid(payload):
            return
        error = next(iter(compiled.iter_errors(payload)))
    except (ValueError, RecursionError) as unfit:  # half a surrogate, or nested beyond what the validator takes
        raise refusal("FormationViolation", f"{action}: {unfit}".encode("ascii", "replace").decode()) from unfit
    kind = type(error.kind).__name__.removeprefix("ValidationErrorKind_")
    codes = _CODES if version == "1.6" else _CODES_2
    code = codes.get(kind[:1].lower() + kind[1:], "FormationViolation")
    raise refusal(code, f"{action}: {error.message}")


def check_or_fail(message_type: int, action: str, payload: Any, version: str) -> None:
    """As :func:`check`, for the side that calls: raises :class:`CallFailed`."""
    try:
        check(message_type, action, payload, version)
    except FileNotFoundError:
        raise CallFailed(action, "NotImplemented", "no schema for this action") from None
    except OCPPError as error:
        code = code_of(error, old=version == "1.6")
        raise CallFailed(action, code, str((error.details or {}).get("cause", ""))) from error
