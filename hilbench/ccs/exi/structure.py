"""Types with parts as bits: from a dict and to a dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hilbench.ccs.exi.bits import Reader, Writer
from hilbench.ccs.exi.errors import ExiError
from hilbench.ccs.exi.grammar import Arc, Node
from hilbench.ccs.exi.values import UNDECLARED, Codec, shown

Find = Callable[[str, bool], Codec]
"""The codec of a type by its name, framed or bare."""


class Step(NamedTuple):
    """A declared event: how what follows it is read and written, whether it makes a list, and what is then."""

    name: str
    codec: Codec | None
    many: bool
    code: int
    then: State


class State:
    """A place between the parts of a type; its steps are worked out when it is first reached."""

    __slots__ = ("_structure", "node", "steps", "width")

    def __init__(self, structure: Structure, node: Node) -> None:
        self._structure = structure
        self.node = node
        self.steps: tuple[Step, ...] = ()
        self.width = 0

    def resolve(self) -> tuple[Step, ...]:
        """Work out the steps; one event code more than there are steps stands for what is not declared."""
        arcs = self.node.arcs
        self.width = len(arcs).bit_length()
        self.steps = tuple(self._structure.step(number, arc) for number, arc in enumerate(arcs))
        return self.steps

    def step(self, name: str) -> Step | None:
        """The step of this name; None where there is none."""
        return next((step for step in self.steps or self.resolve() if step.name == name), None)


class Structure:
    """Reads and writes one type with parts."""

    def __init__(self, start: Node, many: frozenset[str], find: Find) -> None:
        self._many = many
        self._find = find
        self._states: dict[Node, State] = {}
        self._start = self._state(start)

    def _state(self, node: Node) -> State:
        return self._states.setdefault(node, State(self, node))

    def step(self, number: int, arc: Arc) -> Step:
        """The step that an arc of the grammar stands for."""
        return Step(arc.name, self._codec(arc), arc.name in self._many, number, self._state(arc.next))

    def _codec(self, arc: Arc) -> Codec | None:
        if arc.kind == "end":
            return None
        if arc.kind in ("any", "text"):
            return UNSUPPORTED
        return self._find(arc.type, arc.kind == "element")

    def read(self, reader: Reader) -> dict[str, Any]:
        """Everything up to the end of this type."""
        body: dict[str, Any] = {}
        state, name = self._start, ""
        while True:
            steps = state.steps or state.resolve()
            try:
                name, codec, many, _code, state = steps[reader.bits(state.width)]
            except IndexError:
                place = f"after {name}" if name else "at the beginning"
                raise ExiError(f"{UNDECLARED} {place}", reader.position - state.width) from None
            if codec is None:
                return body
            try:
                value = codec.read(reader)
            except ExiError as error:
                error.inside(name)
                raise
            if many:
                body.setdefault(name, []).append(value)
            else:
                body[name] = value

    def write(self, writer: Writer, width: int, code: int, body: Any) -> None:
        """An event code, and everything up to the end of this type."""
        if not isinstance(body, Mapping):
            raise ExiError(f"{shown(body)} is not a mapping of names", writer.position)
        writer.bits(width, code)
        state: State | None = self._start
        written: list[str] = []
        while state is not None:
            state = _write_next(writer, state, body, written)
        if len(written) != len(body):
            raise ExiError(_misplaced(body, written), writer.position)


def _write_next(writer: Writer, state: State, body: Mapping[str, Any], written: list[str]) -> State | None:
    """Write the first thing of a body that may come here, and return the state behind it; None at the end."""
    for step in state.steps or state.resolve():
        name, codec, many, code, then = step
        if codec is None:
            writer.bits(state.width, code)
            return None
        if name in body and not (many and name in written):
            written.append(name)
            try:
                if many:
                    return _write_list(writer, state, name, body[name])
                codec.write(writer, state.width, code, body[name])
            except ExiError as error:
                error.inside(name)
                raise
            return then
    names = " or ".join(step.name for step in state.steps if step.name)
    raise ExiError(f"{names} is missing", writer.position)


def _write_list(writer: Writer, state: State, name: str, items: Any) -> State:
    if not isinstance(items, list | tuple) or not items:
        raise ExiError(f"{shown(items)} is not a list with something in it", writer.position)
    for number, item in enumerate(items):
        step = state.step(name)
        if step is None or step.codec is None:
            raise ExiError(f"{len(items)} in the list where at most {number} are allowed", writer.position)
        step.codec.write(writer, state.width, step.code, item)
        state = step.then
    return state


def _misplaced(body: Mapping[str, Any], written: list[str]) -> str:
    wrong = ", ".join(str(name) for name in body if name not in written)
    return f"{wrong}: no such name here, or not beside the others"


def _read_unsupported(reader: Reader) -> Any:
    raise ExiError("free text or an element of any name, which V2G messages do not use", reader.position)


def _write_unsupported(writer: Writer, _width: int, _code: int, _value: Any) -> None:
    raise ExiError("free text or an element of any name, which V2G messages do not use", writer.position)


UNSUPPORTED = Codec(_read_unsupported, _write_unsupported)
