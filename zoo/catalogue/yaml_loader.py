"""Reads `registry.yaml`: safely, quickly, and with an error for a key that stands twice."""

from typing import Any

import yaml


class UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader for which a key that stands twice in one mapping is an error, not an overwriting.

    Mappings and lists are made without PyYAML's second pass, and a word or number that occurs again, as most do, is
    resolved and made once: that halves the time.
    """

    MAPPING, LIST, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "merge"))

    def __init__(self, stream):
        super().__init__(stream)
        self._tags: dict[tuple, str] = {}
        self._words: dict[tuple[str, str], Any] = {}
        self._made: dict[int, Any] = {}  # by the node's identity: an alias is the same node

    def resolve(self, kind, value, implicit):
        if kind is not yaml.ScalarNode:
            return super().resolve(kind, value, implicit)
        key = (value, implicit)
        if key not in self._tags:
            self._tags[key] = super().resolve(kind, value, implicit)
        return self._tags[key]

    def construct_object(self, node, deep=False):
        if isinstance(node, yaml.ScalarNode):
            key = (node.tag, node.value)
            if key not in self._words:
                self._words[key] = super().construct_object(node, deep)
            return self._words[key]
        if id(node) not in self._made:
            if node.tag == self.MAPPING:
                self._made[id(node)] = self.construct_mapping(node)
            elif node.tag == self.LIST:
                self._made[id(node)] = [self.construct_object(item) for item in node.value]
            else:
                self._made[id(node)] = super().construct_object(node, deep=True)
        return self._made[id(node)]

    def construct_mapping(self, node, deep=False):
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        for key, value in node.value:
            if isinstance(key.value, list):
                raise yaml.constructor.ConstructorError(None, None, "a key is a list or mapping", key.start_mark)
            if key.tag == self.MERGE:
                merged = {**self._merged(value), **merged}
                continue
            name = self.construct_object(key)
            if name in own:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            own[name] = self.construct_object(value)
        return {**merged, **own}

    def _merged(self, node) -> dict:
        """What `<<` brings in: one mapping, or several of which the first wins."""
        value = self.construct_object(node)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise yaml.constructor.ConstructorError(None, None, "<< takes a mapping or several", node.start_mark)
        return {key: item for part in reversed(parts) for key, item in part.items()}
