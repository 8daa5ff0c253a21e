"""Reads $filter and $orderby: expressions over the properties of a row, as clients such as Power BI send them."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..response_shape import ColumnType
from ..rows import parse_value
from .errors import ODataError, unsupported
from .functions import FUNCTIONS, Kind, compare
from .model import EntitySet, Property

Row = tuple[Any, ...]
_KINDS: Mapping[ColumnType, Kind] = {
    ColumnType.TEXT: "text", ColumnType.INT: "number", ColumnType.FLOAT: "number", ColumnType.BOOL: "boolean",
    ColumnType.DATE: "date", ColumnType.DATETIME: "time",
}  # fmt: skip
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)(?![\w-])|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?!\w)|(?P<name>[A-Za-z_]\w*)
    |(?P<mark>[(),]))""",
    re.VERBOSE,
)
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_UNSUPPORTED = ("add", "sub", "mul", "div", "divby", "mod", "has", "any", "all")
# Parentheses and calls of functions inside each other.
MOST_DEPTH = 60
MOST_CHARACTERS = 4_000
# Parts of $orderby: each sorts all rows once more.
MOST_SORT_KEYS = 20


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression: the kind of its values, and how one is got from a row."""

    kind: Kind
    value: Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One part of $orderby. Nulls come first, and last if the order is descending."""

    value: Callable[[Row], Any]
    descending: bool


def parse_filter(text: str, entity_set: EntitySet) -> Callable[[Row], bool]:
    """Returns the condition as a function of a row. Raises ODataError."""
    parser = _Parser(text, entity_set, "$filter")
    term = parser.whole()
    if term.kind not in ("boolean", "null"):
        raise parser.wrong("$filter: give a condition, such as `name eq 'Ann'`.")
    value = parser.in_range(term.value)
    return lambda row: value(row) is True


def parse_order(text: str, entity_set: EntitySet) -> list[SortKey]:
    """Returns the parts of $orderby. Raises ODataError."""
    return _Parser(text, entity_set, "$orderby").order()


class _Parser:
    def __init__(self, text: str, entity_set: EntitySet, option: str) -> None:
        self._option, self._set, self._depth = option, entity_set, 0
        if len(text) > MOST_CHARACTERS:
            raise self.wrong(f"{option} is too long: at most {MOST_CHARACTERS} characters.")
        self._tokens = list(self._split(text))
        self._at = 0

    def wrong(self, message: str) -> ODataError:
        return ODataError(message, self._option)

    def in_range(self, read: Callable[[Row], Any]) -> Callable[[Row], Any]:
        """Returns the function, with ODataError for a number or a time that Python cannot compute with."""

        def value(row: Row) -> Any:
            try:
                return read(row)
            except OverflowError:
                raise self.wrong(f"{self._option}: a number or a time is too large or too small.") from None

        return value

    def whole(self) -> Term:
        term = self._either()
        if self._kind():
            raise self._unexpected()
        return term

    def order(self) -> list[SortKey]:
        keys = []
        while True:
            term = self._operand()
            direction = self._text() if self._text() in ("asc", "desc") else ""
            self._at += bool(direction)
            keys.append(SortKey(self.in_range(term.value), direction == "desc"))
            if len(keys) > MOST_SORT_KEYS:
                raise self.wrong(f"{self._option} has too many parts: at most {MOST_SORT_KEYS}.")
            if not self._kind():
                return keys
            self._take(",")

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        at, text = 0, text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self.wrong(f"{self._option}: a part cannot be read. Texts are written in single quotes.")
            yield str(found.lastgroup), str(found[str(found.lastgroup)])
            at = found.end()

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _text(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _unexpected(self) -> ODataError:
        if self._text() in _UNSUPPORTED:
            return unsupported(self._option, f"{self._option}: arithmetic, `has`, `any` and `all` are not supported.")
        return self.wrong(f"{self._option}: the parts do not fit together at part {self._at + 1}.")

    def _take(self, text: str) -> None:
        if self._text() != text:
            raise self._unexpected()
        self._at += 1

    def _either(self) -> Term:
        terms = [self._both()]
        while self._text() == "or":
            self._at += 1
            terms.append(self._both())
        return self._joined(terms, True)

    def _both(self) -> Term:
        terms = [self._negated()]
        while self._text() == "and":
            self._at += 1
            terms.append(self._negated())
        return self._joined(terms, False)

    def _joined(self, terms: list[Term], decides: bool) -> Term:
        """Joins conditions by `or`, where True decides, or by `and`, where False does; else null is the result."""
        if len(terms) == 1:
            return terms[0]
        if any(term.kind not in ("boolean", "null") for term in terms):
            raise self.wrong(f"{self._option}: `and` and `or` take conditions.")
        readers = [term.value for term in terms]

        def value(row: Row) -> bool | None:
            result: bool | None = not decides
            for read in readers:
                found = read(row)
                if found is decides:
                    return decides
                result = None if found is None else result
            return result

        return Term("boolean", value)

    def _negated(self) -> Term:
        count = 0
        while self._text() == "not" and self._kind() == "name":
            self._at += 1
            count += 1
        term = self._comparison()
        if not count:
            return term
        if term.kind not in ("boolean", "null"):
            raise self.wrong(f"{self._option}: `not` takes a condition.")
        odd, read = count % 2 == 1, term.value

        def value(row: Row) -> bool | None:
            found: bool | None = read(row)
            return found if found is None or not odd else not found

        return Term("boolean", value)

    def _comparison(self) -> Term:
        left = self._operand()
        operator = self._text() if self._kind() == "name" else ""
        if operator in _COMPARISONS:
            self._at += 1
            return self._compared(operator, left, self._operand())
        if operator == "in":
            self._at += 1
            return self._joined([self._compared("eq", left, each) for each in self._listed()], True)
        return left

    def _listed(self) -> list[Term]:
        self._take("(")
        terms = [self._operand()]
        while self._text() == ",":
            self._at += 1
            terms.append(self._operand())
        self._take(")")
        return terms

    def _compared(self, operator: str, left: Term, right: Term) -> Term:
        kinds = {left.kind, right.kind} - {"null"}
        if len(kinds) > 1 and kinds != {"date", "time"}:
            raise self.wrong(f"{self._option}: a {left.kind} cannot be compared with a {right.kind}.")
        one, other = left.value, right.value
        return Term("boolean", lambda row: compare(operator, one(row), other(row)))

    def _operand(self) -> Term:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self.wrong(f"{self._option} has too many parts inside each other: at most {MOST_DEPTH}.")
        term = self._value()
        self._depth -= 1
        return term

    def _value(self) -> Term:
        kind, text = self._kind(), self._text()
        self._at += 1
        match kind:
            case "text":
                return _constant("text", text[1:-1].replace("''", "'"))
            case "number":
                return _constant("number", float(text) if re.search("[.eE]", text) else int(text))
            case "date" | "time":
                try:
                    given = dt.date.fromisoformat(text) if kind == "date" else dt.datetime.fromisoformat(text)
                except ValueError:
                    raise self.wrong(f"{self._option}: a date or time does not exist.") from None
                return _constant("date" if kind == "date" else "time", given)
            case "mark" if text == "(":
                term = self._either()
                self._take(")")
                return term
            case "name":
                return self._named(text)
        self._at -= 1
        raise self._unexpected()

    def _named(self, name: str) -> Term:
        if self._text() == "(":
            return self._called(name)
        if name in ("true", "false"):
            return _constant("boolean", name == "true")
        if name == "null":
            return _constant("null", None)
        found = self._set.by_name.get(name)
        if found is None:
            message = f"{self._option} names a property that this entity set does not have. $metadata lists them."
            raise self.wrong(message)
        return self._property(found)

    def _property(self, found: Property) -> Term:
        type_, index = found.column.type, found.index
        if type_ not in _KINDS:
            raise unsupported(self._option, f"{self._option}: {found.name} is a collection, which is not supported.")
        if type_ in (ColumnType.DATE, ColumnType.DATETIME):
            return Term(_KINDS[type_], lambda row: parse_value(type_, row[index]))
        return Term(_KINDS[type_], lambda row: row[index])

    def _called(self, name: str) -> Term:
        function = FUNCTIONS.get(name)
        if function is None:
            known = ", ".join(FUNCTIONS)
            raise unsupported(self._option, f"{self._option}: that function is not supported. These are: {known}.")
        terms = self._listed()
        fits = len(function.takes) - function.optional <= len(terms) <= len(function.takes) and all(
            term.kind in (*kinds, "null") for term, kinds in zip(terms, function.takes, strict=False)
        )
        if not fits:
            takes = ", ".join(" or ".join(kinds) for kinds in function.takes)
            raise self.wrong(f"{self._option}: {name} takes {takes}.")
        readers, run = [term.value for term in terms], function.run

        def value(row: Row) -> Any:
            given = [read(row) for read in readers]
            return None if None in given else run(*given)

        return Term(function.gives, value)


def _constant(kind: Kind, value: Any) -> Term:
    return Term(kind, lambda row: value)
