"""What goes wrong with an EXI message."""

from __future__ import annotations

from hilbench.errors import HilbenchError


class ExiError(HilbenchError):
    """A message cannot be read or written: ``what`` is wrong, at ``bit``, in ``element``.

    ``bit`` counts from the first bit of the message, its header included. ``element`` is a path of names from the
    outermost in, which ends with what is wrong or lacks something; it is empty where no element had begun. From
    ``decode`` it is the peer's fault or the wrong schema, from ``encode`` the caller's.
    """

    def __init__(self, what: str, bit: int = 0, element: str = "") -> None:
        self.what = what
        self.bit = bit
        self.element = element
        super().__init__(what)

    def inside(self, name: str) -> ExiError:
        """The same error, one element further out."""
        self.element = f"{name}.{self.element}" if self.element else name
        return self

    def __str__(self) -> str:
        place = f"bit {self.bit}, in {self.element}" if self.element else f"bit {self.bit}"
        return f"{place}: {self.what}"

    def __reduce__(self) -> tuple[type[ExiError], tuple[str, int, str]]:
        return type(self), (self.what, self.bit, self.element)
