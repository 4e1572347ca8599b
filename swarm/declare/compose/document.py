"""A Compose file as text: its data and the lines of its keys, and the variables filled in.

YAML is read as Docker's client does: `22:22` is no number to base 60, `yes` is a text, and a key that is
there twice is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NoReturn

import yaml

from swarm.declare.compose.interpolation import interpolate

MERGE = "tag:yaml.org,2002:merge"
INT = "tag:yaml.org,2002:int"
TAGS = ("null", "bool", "int", "float", "str", "seq", "map")  # those of JSON
# No file that people write comes near. An alias counts as all that it stands for: a few lines of aliases to
# aliases stand for more than any memory holds.
DEEPEST = 50  # levels
LARGEST = 100_000  # keys, values and items
LONGEST_NUMBER = 100  # digits; Python refuses to show one of thousands


class Document:
    """A file's data, as plain Python. Raises yaml.YAMLError for what isn't YAML, or is beyond any use."""

    def __init__(self, source: str) -> None:
        try:
            loader = _Loader(source)
        except yaml.reader.ReaderError as error:
            at = yaml.Mark("", 0, source.count("\n", 0, error.position), 0, None, 0)
            raise yaml.MarkedYAMLError(problem="a control character is in it", problem_mark=at) from None
        try:
            self._root = loader.get_single_node()
            self.data = loader.construct_document(self._root) if self._root else None
        finally:
            loader.dispose()

    def line(self, path: str) -> int:
        """The line of what is at a path such as `services.page.ports[0]`, or else of what it would be in."""
        node, line, rest = self._root, 1, path
        while rest:
            for key, at, child in _children(node):
                if rest == key or rest.startswith((f"{key}.", f"{key}[")):
                    node, line, rest = child, at, rest[len(key) :].removeprefix(".")
                    break
            else:
                break
        return line


def _children(node: yaml.Node | None) -> Iterator[tuple[str, int, yaml.Node]]:
    """What a node holds: key, line, node. Of merged keys the last counts, as it does in the data."""
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            yield key.value, key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield f"[{index}]", item.start_mark.line + 1, item


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (its base has it so)
    yaml_constructors = {  # noqa: RUF012
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in TAGS
    }

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._open: list[str | None] = []  # the anchors of the nodes that are being composed, outermost first
        self._sizes: dict[int, int] = {}  # of nodes, aliases counted as what they stand for

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        alias = isinstance(event, yaml.AliasEvent)
        if alias and event.anchor in self._open:
            self._refuse(f"the alias `{event.anchor}` is inside of what it stands for", event)
        if len(self._open) > DEEPEST:
            self._refuse(f"it is nested deeper than {DEEPEST} levels", event)
        self._open.append(None if alias else event.anchor)
        node = super().compose_node(parent, index)
        self._open.pop()
        if self._size(node) > LARGEST:
            self._refuse(f"it has more than {LARGEST} values, counting what aliases stand for", event)
        return node

    def _size(self, node: yaml.Node | None) -> int:
        """How many values are in it, itself included; each is counted once, as soon as it is whole."""
        if id(node) not in self._sizes:
            held = [] if isinstance(node, yaml.ScalarNode) or node is None else node.value
            parts = [part for one in held for part in (one if isinstance(one, tuple) else (one,))]
            self._sizes[id(node)] = 1 + sum(self._sizes[id(part)] for part in parts)
        return self._sizes[id(node)]

    @staticmethod
    def _refuse(problem: str, event: yaml.Event) -> NoReturn:
        at = event.start_mark
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=at)  # type: ignore[arg-type]

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a text", problem_mark=key.start_mark)
            if key.tag != MERGE and key.value in seen:
                problem = f"the key `{key.value}` is there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value; one that isn't what its tag says, such as `!!float x`, makes PyYAML stumble."""
        problem = f"no {node.tag.rpartition(':')[2]} can be made of this"
        if node.tag == INT and len(node.value) > LONGEST_NUMBER:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, LookupError, AttributeError):
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Keys are texts, whatever they look like."""
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


for _tag, _pattern, _first in (
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
    )


def fill(
    data: Any, variables: Mapping[str, str], secrets: Collection[str], unfilled: Callable[..., None]
) -> Any:
    """The data with the variables in its texts filled in. `unfilled` is told, by path, of those without a
    value; what has one of these is left as it is."""

    def filled(path: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(f"{path}.{key}" if path else key, one) for key, one in value.items()}
        if isinstance(value, list):
            return [filled(f"{path}[{index}]", one) for index, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        try:
            made = interpolate(value, variables, secrets)
            return made if made == value else _cast(path, made)
        except ValueError as error:
            unfilled(path, str(error), "Correct it, or add the variable to the stack's `variables`")
            return value

    return filled("", data)


# What Docker's client makes booleans of: interpolateTypeCastMapping in docker/cli's cli/compose/loader.
_FLAGS = re.compile(
    r"services\.[^.]+\.(?:healthcheck\.disable|read_only|stdin_open|tty"
    r"|volumes\[\d+\]\.(?:read_only|volume\.nocopy))"
    r"|networks\.[^.]+\.(?:internal|attachable)|(?:networks|volumes|secrets|configs)\.[^.]+\.external"
)
_BOOLEANS = dict.fromkeys(("y", "yes", "true", "on"), True) | dict.fromkeys(
    ("n", "no", "false", "off"), False
)


def _cast(path: str, filled: str) -> str | bool:
    """A boolean where one belongs: a file says `read_only: ${READ_ONLY}`."""
    return _BOOLEANS.get(filled.lower(), filled) if _FLAGS.fullmatch(path) else filled
