"""What may come next: the states of a type with parts (EXI 1.0 section 8.5.4, standard-text recalled).

A state is the list of what the schema declares at a place, in the order of the event codes: attributes, elements in
schema order, any element, the end, characters. States are made when they are first reached: a list of up to 1024
entries has as many of them, and hardly a message needs more than a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple

from hilbench.ccs.exi.notation import Complex, Element, Group, Leaf, Part

Kind = Literal["attribute", "element", "any", "end", "content", "text"]
RANK: dict[Kind, int] = {"attribute": 0, "element": 1, "any": 2, "end": 3, "content": 4, "text": 4}
Members = Callable[[str], Iterable[Element]]
"""The elements that may stand where a global element is asked for, itself included, in the order of event codes."""


class Arc(NamedTuple):
    """One thing that may come next, its type, and the state behind it."""

    kind: Kind
    name: str
    type: str
    next: Node


class Node:
    """A state."""

    def __init__(self, arcs: Callable[[], tuple[Arc, ...]]) -> None:
        self._make = arcs

    @cached_property
    def arcs(self) -> tuple[Arc, ...]:
        """What may come next, in the order of event codes."""
        return self._make()


def start(type_: Complex, members: Members) -> Node:
    """The first state of a type (which extends none any more)."""
    grammar = _Grammar(members, type_.mixed)
    node = grammar.repeated(type_.content, grammar.end)
    for attribute in sorted(type_.attributes, key=_name, reverse=True):
        node = grammar.repeated(attribute, node)
    return node


def _name(part: Part) -> str:
    return part.term.name if isinstance(part.term, Leaf) else ""


def many(type_: Complex, members: Members) -> frozenset[str]:
    """Names of the elements that may come more than once."""
    return frozenset(_repeating(type_.content, members, False))


def _repeating(part: Part, members: Members, within: bool) -> Iterator[str]:
    repeats = within or part.most != 1
    if isinstance(part.term, Group):
        for inner in part.term.parts:
            yield from _repeating(inner, members, repeats)
    elif repeats and part.term.kind == "global":
        yield from (element.name for element in members(part.term.name))
    elif repeats and part.term.kind == "element":
        yield part.term.name


class _Grammar:
    """Makes the states of one type."""

    def __init__(self, members: Members, mixed: bool) -> None:
        self._members = members
        self._mixed = mixed
        self.end = self._node(lambda: (Arc("end", "", "", self.end),))

    def _node(self, arcs: Callable[[], Iterable[Arc]]) -> Node:
        def make() -> tuple[Arc, ...]:
            found: dict[tuple[str, str], Arc] = {}
            for arc in arcs():
                found.setdefault((arc.kind, arc.name), arc)
            if self._mixed and any(kind in ("element", "any", "end") for kind, _name in found):
                found.setdefault(("text", ""), Arc("text", "", "", node))
            return tuple(sorted(found.values(), key=lambda arc: RANK[arc.kind]))

        node = Node(make)
        return node

    def repeated(self, part: Part, then: Node) -> Node:
        """The state where a part may come as often as it may, and then what follows."""
        if part.most == 0:
            return then

        least = max(part.least - 1, 0)
        rest = Part(part.term, least, None if part.most is None else part.most - 1)

        def arcs() -> Iterable[Arc]:
            again = node if rest == part else self.repeated(rest, then)
            once = self._once(part.term, again)
            return once.arcs if part.least else (*once.arcs, *then.arcs)

        node = self._node(arcs)
        return node

    def _once(self, term: Leaf | Group, then: Node) -> Node:
        if isinstance(term, Leaf):
            return self._node(lambda: self._leaf(term, then))
        if term.choice:
            return self._node(lambda: [arc for part in term.parts for arc in self.repeated(part, then).arcs])
        for part in reversed(term.parts):
            then = self.repeated(part, then)
        return then

    def _leaf(self, leaf: Leaf, then: Node) -> Iterable[Arc]:
        if leaf.kind == "global":
            return [Arc("element", element.name, element.type, then) for element in self._members(leaf.name)]
        return [Arc(leaf.kind, leaf.name, leaf.type, then)]
