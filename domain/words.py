"""The words of a content as a content of their own, where its files cannot go with them."""

from collections import OrderedDict
from dataclasses import replace

from domain.messages import Content

KEPT_WORDS = 32


class WordsOf:
    """Returns the same content for the same one each time, so that a channel prepares it once."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Content, Content]] = OrderedDict()

    def __call__(self, content: Content) -> Content:
        known = self._known.get(id(content))
        if known is None or known[0] is not content:
            known = self._known[id(content)] = (content, replace(content, album=(), media=None))
            while len(self._known) > KEPT_WORDS:
                self._known.popitem(last=False)
        return known[1]
