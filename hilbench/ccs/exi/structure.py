"""Types with parts as bits: from a dict and to a dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from hilbench.ccs.exi.bits import Reader, Writer
from hilbench.ccs.exi.errors import ExiError
from hilbench.ccs.exi.grammar import Arc, Node
from hilbench.ccs.exi.values import UNDECLARED, Codec, Read, Write, shown


class Types(Protocol):
    """Where the types of parts are found."""

    def structured(self, type_: str) -> bool:
        """Whether a type has parts."""
        ...

    def codec(self, type_: str, frame: int = 1, lead: int = 0) -> Codec:
        """How a type is read and written."""
        ...


class Step(NamedTuple):
    """A declared event: how what follows it is read and written (None: the end of the type follows), whether it makes a
    list, its event code, and what is then."""

    name: str
    read: Read | None
    write: Write | None
    many: bool
    code: int
    then: State


class State:
    """A place between the parts of a type; its steps are worked out when it is first reached."""

    __slots__ = ("_node", "_structure", "only", "steps", "width")

    def __init__(self, structure: Structure, node: Node) -> None:
        self._structure = structure
        self._node = node
        self.steps: tuple[Step, ...] = ()
        self.only: Step | None = None
        self.width = 0

    def resolve(self) -> tuple[Step, ...]:
        """Work out the steps; one event code more than there are steps stands for what is not declared."""
        arcs = self._node.arcs
        self.width = len(arcs).bit_length()
        self.steps = tuple(self._structure.step(number, arc) for number, arc in enumerate(arcs))
        if len(arcs) == 1:
            self.only = self._structure.only_step(arcs[0])
        return self.steps

    def step(self, name: str) -> Step | None:
        """The step of this name; None where there is none."""
        return next((step for step in self.steps or self.resolve() if step.name == name), None)


class Structure:
    """Reads and writes one type with parts."""

    def __init__(self, start: Node, many: frozenset[str], types: Types) -> None:
        self._many = many
        self._types = types
        self._states: dict[Node, State] = {}
        self._start = self._state(start)

    def _state(self, node: Node) -> State:
        return self._states.setdefault(node, State(self, node))

    def step(self, number: int, arc: Arc) -> Step:
        """The step that an arc of the grammar stands for."""
        read, write = self._codec(arc)
        return Step(arc.name, read, write, arc.name in self._many, number, self._state(arc.next))

    def only_step(self, arc: Arc) -> Step | None:
        """The step of a state with one arc, which reads its event code too; None where that cannot be."""
        if arc.kind != "element" or self._types.structured(arc.type):
            return None
        return self.step(0, arc)._replace(read=self._types.codec(arc.type, lead=1).read)

    def _codec(self, arc: Arc) -> Codec | tuple[None, None]:
        if arc.kind == "end":
            return None, None
        if arc.kind in ("any", "text"):
            return UNSUPPORTED
        return self._types.codec(arc.type, int(arc.kind == "element"))

    def read(self, reader: Reader) -> dict[str, Any]:
        """Everything up to the end of this type."""
        body: dict[str, Any] = {}
        state = self._start
        while True:
            name, read, _write, many, _code, state = state.only or _next_step(reader, state, body)
            if read is None:
                return body
            try:
                value = read(reader)
            except ExiError as error:
                error.inside(name)
                raise
            if many:
                body.setdefault(name, []).append(value)
            else:
                body[name] = value

    def write(self, writer: Writer, width: int, code: int, body: Any) -> None:
        """An event code, and everything up to the end of this type."""
        if type(body) is not dict and not isinstance(body, Mapping):
            raise ExiError(f"{shown(body)} is not a mapping of names", writer.position)
        writer.bits(width, code)
        state = self._start
        written: list[str] = []
        while True:
            for name, _read, write, many, number, then in state.steps or state.resolve():
                if write is None:
                    writer.bits(state.width, number)
                    _check_all_written(writer, body, written)
                    return
                if name not in body or (many and name in written):
                    continue
                written.append(name)
                try:
                    if many:
                        state = _write_list(writer, state, name, body[name])
                    else:
                        write(writer, state.width, number, body[name])
                        state = then
                except ExiError as error:
                    error.inside(name)
                    raise
                break
            else:
                raise ExiError(f"{_expected(state)} is missing", writer.position)


def _next_step(reader: Reader, state: State, body: Mapping[str, Any]) -> Step:
    steps = state.steps or state.resolve()
    code = reader.bits(state.width)
    if code < len(steps):
        return steps[code]
    place = f"after {list(body)[-1]}" if body else "at the beginning"
    raise ExiError(f"{UNDECLARED} {place}", reader.position - state.width)


def _expected(state: State) -> str:
    return " or ".join(step.name for step in state.steps if step.name)


def _check_all_written(writer: Writer, body: Mapping[str, Any], written: list[str]) -> None:
    if len(written) != len(body):
        wrong = ", ".join(str(name) for name in body if name not in written)
        raise ExiError(f"{wrong}: no such name here, or not beside the others", writer.position)


def _write_list(writer: Writer, state: State, name: str, items: Any) -> State:
    if not isinstance(items, list | tuple) or not items:
        raise ExiError(f"{shown(items)} is not a list with something in it", writer.position)
    for number, item in enumerate(items):
        step = state.step(name)
        if step is None or step.write is None:
            raise ExiError(f"{len(items)} in the list where at most {number} are allowed", writer.position)
        step.write(writer, state.width, step.code, item)
        state = step.then
    return state


def _read_unsupported(reader: Reader) -> Any:
    raise ExiError("free text or an element of any name, which V2G messages do not use", reader.position)


def _write_unsupported(writer: Writer, _width: int, _code: int, _value: Any) -> None:
    raise ExiError("free text or an element of any name, which V2G messages do not use", writer.position)


UNSUPPORTED = Codec(_read_unsupported, _write_unsupported)
