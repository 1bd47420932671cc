"""What a name means at a place in a statement: relations in scope and their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flightdb.model.names import fold
from flightdb.model.table import Table, TableKind


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its name as declared and its Arrow type, None where that is not known."""

    name: str
    type: Any


@dataclass(frozen=True, slots=True)
class Relation:
    """Something in FROM. `name` is folded, "" for none; `columns` by folded name, None where not known.

    `is_record`: has the columns of a record table, so that `payload` means its payload columns.
    """

    name: str
    columns: Mapping[str, Column] | None
    is_record: bool = False

    def column(self, name: str) -> Column | None:
        """The column of that name, None also when the columns are not known."""
        return None if self.columns is None else self.columns.get(fold(name))


@dataclass(slots=True)
class Scope:
    """Relations of one FROM, and names that lambdas hide."""

    relations: list[Relation] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()

    def named(self, name: str) -> Relation | None:
        """The relation of that name."""
        wanted = fold(name)
        return next((r for r in self.relations if r.name == wanted), None)

    def having(self, name: str) -> list[Relation]:
        """Relations that have a column of that name."""
        return [relation for relation in self.relations if relation.column(name) is not None]


def of_table(name: str, table: Table, renamed: Sequence[str] = ()) -> Relation:
    """A table under the name it has in FROM, its first columns renamed."""
    names = [*renamed[: len(table.schema)], *table.schema.names[len(renamed) :]]
    columns = {
        fold(shown): Column(shown, column.type)
        for shown, column in zip(names, table.schema, strict=True)
    }
    return Relation(fold(name), columns, table.kind is TableKind.RECORD)


def lookup(scopes: Sequence[Scope], names: Sequence[str]) -> tuple[Relation, Column] | None:
    """The one relation and column that `a` or `t.a` means, innermost scope first; None when in doubt."""
    for scope in reversed(scopes):
        if len(names) == 2:
            relation = scope.named(names[0])
            if relation is not None:
                column = relation.column(names[1])
                return None if column is None else (relation, column)
            continue
        if len(names) != 1 or fold(names[0]) in scope.hidden:
            return None
        found = scope.having(names[0])
        if found or any(relation.columns is None for relation in scope.relations):
            return _sole(scope, found, names[0])
    return None


def _sole(scope: Scope, found: list[Relation], name: str) -> tuple[Relation, Column] | None:
    if len(found) != 1 or any(relation.columns is None for relation in scope.relations):
        return None
    column = found[0].column(name)
    return None if column is None else (found[0], column)
