"""The statements of lists with pages: a page of all or of one owner, pages of many owners, and totals."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam

from db.cached_statement import cached_statement
from db.models.base import Key
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.pagination import page_of, page_of_each

if TYPE_CHECKING:
    from loaders.core.paged_list import PagedList, Shapes


@cached_statement
def page(
    paged_list: "PagedList[Any]", owner: str | None, role: Role, shapes: "Shapes", order_by: Any,
    page_shape: tuple[bool, bool], counted: bool,
) -> Select:  # fmt: skip
    """Selects a page of all that the viewer sees or, with `owner`, of the one whose key is bound as `owner_key`."""
    order = paged_list.order_for(order_by, role)
    # By `=` PostgreSQL looks up the one owner in the scope too. For a list of keys it reads all in scope.
    owned = [] if owner is None else [paged_list.owners[owner] == bindparam("owner_key", type_=Key)]
    leading = []
    if counted:
        # It counts the whole list, so nothing of it is correlated with the page.
        total = paged_list.totals(role, shapes, sums=False).where(*owned).correlate(None).scalar_subquery()
        leading.append(total.label("count"))
    if order.of is None:
        leading.append(order.value.label("order_value"))
    return page_of(paged_list.statement(role, shapes, *leading).where(*owned), order, page_shape)


@cached_statement
def totals(paged_list: "PagedList[Any]", role: Role, shapes: "Shapes") -> Select:
    return paged_list.totals(role, shapes)


@cached_statement
def pages(
    paged_list: "PagedList[Any]", owner: str, role: Role, shapes: "Shapes", order_by: Any, page_shape: tuple[bool, bool]
) -> Select:
    order, column = paged_list.order_for(order_by, role), paged_list.owners[owner]
    leading = [column.label("owner_key")]
    if order.of is None:
        leading.append(order.value.label("order_value"))
    statement = paged_list.statement(role, shapes, *leading).where(any_of(column))
    return page_of_each(statement, order, column, page_shape)


@cached_statement
def totals_of_each(paged_list: "PagedList[Any]", owner: str, role: Role, shapes: "Shapes") -> Select:
    column = paged_list.owners[owner]
    totals = paged_list.totals(role, shapes, column.label("owner_key"))
    return totals.where(any_of(column)).group_by(column)
