"""The text under each field of a model, read from its source when it is asked for.

Pydantic would read it whenever the models are loaded, which takes longer than to make them; it is wanted for the
JSON Schema and for messages about faults alone.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def field_words(model: type[BaseModel]) -> Mapping[str, str]:
    """Give the text under each field of a model, those that it inherits too; fields without one are left out.

    Examples
    --------
    >>> from simulator.statements import MixturePart
    >>> field_words(MixturePart)["weight"], field_words(MixturePart)["median"]
    ('Its weight; the weights of a mixture are scaled to add up to 1.', 'The 50 % point.')
    """
    above = [field_words(base) for base in reversed(model.__bases__) if issubclass(base, BaseModel)]
    words = {name: text for inherited in above for name, text in inherited.items()}
    if model is not BaseModel:
        for entry, below in pairwise(ast.parse(inspect.getsource(model)).body[0].body):  # type: ignore[attr-defined]
            match entry, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    words[name] = inspect.cleandoc(text)
    return words
