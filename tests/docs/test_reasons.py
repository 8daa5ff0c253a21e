"""docs/api.md lists the reasons of errors as the code has them."""

from tests.docs.reason_table import PAGE, table


def test_the_page_lists_every_reason_with_its_parameters() -> None:
    assert table() in PAGE.read_text(), "write the table again: .venv/bin/python -m tests.docs.reason_table"
