"""Which organisation a row means: by number, by a name that is the only one, or by a path of names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STEP = re.compile(r"\s*(?:/|\\|>|→|»|＞|／|->)\s*")


@dataclass(frozen=True, slots=True)
class Node:
    """An organisation as a roster can name it."""

    id: int
    parent_id: int | None
    name: str
    number: str = ""
    name_en: str = ""
    kind: str = ""
    level: str = ""
    mode: str = ""
    contact: str = ""


class Places:
    """The organisations an import may write in, to be found by what a row says."""

    def __init__(self, nodes: Iterable[Node], root_id: int) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.root = self.nodes[root_id]
        self.by_number: dict[str, list[int]] = defaultdict(list)
        self.by_name: dict[str, list[int]] = defaultdict(list)
        self.below: dict[tuple[int, str], list[int]] = defaultdict(list)
        for node in self.nodes.values():
            if node.number:
                self.by_number[node.number].append(node.id)
            for name in {node.name, node.name_en} - {""}:
                self.by_name[name].append(node.id)
                if node.parent_id is not None:
                    self.below[node.parent_id, name].append(node.id)

    def find(self, text: str) -> Sequence[int]:
        """Return all that a row can mean; it is well said if that is one."""
        return self.by_number.get(text) or self.by_name.get(text) or self._along(steps(text))

    def _along(self, names: Sequence[str]) -> Sequence[int]:
        if len(names) < 2:  # noqa: PLR2004 - one name is no path
            return ()
        here = self.find(names[0])
        for name in names[1:]:
            here = [child for place in here for child in self.below.get((place, name), ())]
        return here


def steps(text: str) -> list[str]:
    """Split a path of names.

    >>> steps("海曙区 / 鼓楼街道>北大路支部")
    ['海曙区', '鼓楼街道', '北大路支部']
    """
    return [part for part in _STEP.split(text.strip(" /\\>")) if part]
