"""Whose power modules an outlet has: its own, or those of a cabinet that two outlets share."""

from __future__ import annotations

from typing import Protocol

from hilbench_emulators.dc.cabinet import Cabinet, Split, advance_split, bank
from hilbench_emulators.dc.power_module import Bank, Module


class Supplied(Protocol):
    """The modules of one outlet."""

    @property
    def module(self) -> Module:
        """The kind of its modules."""
        ...

    @property
    def rated_w(self) -> float:
        """The most DC power [W] that the outlet can ever have."""
        ...

    def bank(self, t_s: float, wanted_w: float | None) -> Bank:
        """What serves the outlet at ``t_s`` [s], where its car would take ``wanted_w`` [W DC]; None: no car."""
        ...

    def idle_w(self) -> float:
        """AC power [W] that it draws beside the modules that serve it."""
        ...


class OneOutlet:
    """Modules of its own; ``controls_w`` [W] is what the station takes beside them (chosen; no maker publishes it)."""

    def __init__(self, modules: Bank, controls_w: float = 100.0) -> None:
        self._bank, self._controls_w = modules, controls_w

    @property
    def module(self) -> Module:
        """See :class:`Supplied`."""
        return self._bank.module

    @property
    def rated_w(self) -> float:
        """See :class:`Supplied`."""
        return self._bank.rated_w

    def bank(self, t_s: float, wanted_w: float | None) -> Bank:  # noqa: ARG002 - a cabinet needs both
        """See :class:`Supplied`."""
        return self._bank

    def idle_w(self) -> float:
        """See :class:`Supplied`."""
        return self._controls_w


class SharedCabinet:
    """A cabinet with two outlets; :meth:`outlet` is the part of each. Modules move as ``Cabinet.policy`` says."""

    def __init__(self, cabinet: Cabinet) -> None:
        self.cabinet = cabinet
        self._split = Split(cabinet.shares) if cabinet.policy == "static" else Split()
        self._t_s: float | None = None
        self._wanted_w: list[float | None] = [None, None]

    def outlet(self, index: int) -> Supplied:
        """The part of outlet 0 or 1."""
        return _Side(self, index)

    def look(self, t_s: float, index: int, wanted_w: float | None) -> Bank:
        """The modules of an outlet at ``t_s`` [s], which may not run backwards."""
        self._wanted_w[index] = wanted_w
        dt_s = 0.0 if self._t_s is None else t_s - self._t_s
        if dt_s > 0.0 or self._t_s is None:
            self._t_s = t_s
            self._split = advance_split(self.cabinet, self._split, (self._wanted_w[0], self._wanted_w[1]), dt_s)
        return bank(self.cabinet, self._split, index)

    def idle_w(self) -> float:
        """AC power [W] of the controls and of the modules that serve nobody."""
        spare = self.cabinet.modules - sum(self._split.held)
        return self.cabinet.controls_w + Bank(self.cabinet.module, spare).ac_w(0.0)


class _Side:
    """An outlet of a shared cabinet; each draws half of what the cabinet draws for itself."""

    def __init__(self, cabinet: SharedCabinet, index: int) -> None:
        self._cabinet, self._index = cabinet, index

    @property
    def module(self) -> Module:
        """See :class:`Supplied`."""
        return self._cabinet.cabinet.module

    @property
    def rated_w(self) -> float:
        """See :class:`Supplied`."""
        whole = self._cabinet.cabinet
        count = whole.modules if whole.policy == "dynamic" else whole.shares[self._index]
        return count * whole.module.rated_w

    def bank(self, t_s: float, wanted_w: float | None) -> Bank:
        """See :class:`Supplied`."""
        return self._cabinet.look(t_s, self._index, wanted_w)

    def idle_w(self) -> float:
        """See :class:`Supplied`."""
        return self._cabinet.idle_w() / 2.0
