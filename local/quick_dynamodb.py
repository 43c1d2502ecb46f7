"""Makes ministack's DynamoDB answer the same in less processor time. It uses internals of ministack, which is pinned.

ministack reads the text of a condition again for each item that it is compared with, and copies items with
``copy.deepcopy``, which remembers every text that it meets.
"""

from __future__ import annotations

import copy
import importlib
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

_EXPRESSIONS = 4096
"""How many texts of conditions and updates are kept; values are no part of them, so that few differ."""


def install() -> None:
    """Replace what is slow in ministack's module; a second time does nothing."""
    dynamodb: Any = importlib.import_module("ministack.services.dynamodb")
    if isinstance(dynamodb.copy, SimpleNamespace):
        return
    read = lru_cache(_EXPRESSIONS)(dynamodb._tokenize)
    # Each caller gets a list of its own.
    dynamodb._tokenize = lambda expression: list(read(expression))
    dynamodb._condition_syntax_error = lru_cache(_EXPRESSIONS)(dynamodb._condition_syntax_error)
    dynamodb.copy = SimpleNamespace(deepcopy=copied)


def copied(value: Any) -> Any:
    """A copy of a value of JSON, down to its texts and numbers; of any other value, what ``copy.deepcopy`` makes."""
    kind = type(value)
    if kind is dict:
        return {name: inner if type(inner) is str else copied(inner) for name, inner in value.items()}
    if kind is list:
        return [copied(inner) for inner in value]
    return copy.deepcopy(value)
