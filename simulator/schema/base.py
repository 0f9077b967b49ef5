"""What every entry of a file has in common: kinds of text and numbers, its documentation, what is wrong with it.

Closed and frozen: an unknown key is a fault. The text under a field documents it, in the editor too.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)

from simulator.errors import Fault

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


@cache
def field_words(model: type[BaseModel]) -> Mapping[str, str]:
    """Give the text under each field of a model, those that it inherits too; fields without one are left out."""
    above = [field_words(base) for base in reversed(model.__bases__) if issubclass(base, BaseModel)]
    words = {name: text for inherited in above for name, text in inherited.items()}
    if model is not BaseModel:
        for entry, below in pairwise(ast.parse(inspect.getsource(model)).body[0].body):  # type: ignore[attr-defined]
            match entry, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    words[name] = inspect.cleandoc(text)
    return words


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Probability = Annotated[float, Field(strict=True, gt=0.0, lt=1.0)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]


def _in_one_line(text: str) -> str:
    """Put a text into one line, as a folded text of YAML, which ends with a line break, is meant."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


Line = Annotated[Text, AfterValidator(_in_one_line)]


def _year_as_text(value: Any) -> Any:
    """Take a bare year, which YAML reads as a number, for the text it is meant as."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"), BeforeValidator(_year_as_text)]


class Faults(ValueError):
    """Carry several faults, each with its path below the entry that is validated, through pydantic."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.rule for fault in faults))
        self.faults = faults


class Spec(BaseModel):
    """Something a file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def _faults(self) -> Iterator[Fault]:
        """Find what is wrong with its entries together, each of which is right by itself."""
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, made_of: ModelWrapValidatorHandler[Self]) -> Self:
        """Say what is wrong with each entry, and with all of them together, in the words of this project."""
        try:
            spec = made_of(data)
        except ValidationError as error:
            from simulator.schema.faults import faults_of  # it knows every kind of entry

            raise Faults(list(faults_of(error, cls))) from None
        if faults := list(cls._faults(spec)):
            raise Faults(faults)
        return spec

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read plain data with texts as keys; `Faults` where they are wrong."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise error.errors()[0]["ctx"]["error"] from None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(schema)
        properties = handler.resolve_ref_schema(written)["properties"]
        for name, text in field_words(cls).items():
            properties[cls.model_fields[name].alias or name]["description"] = text
        return written
