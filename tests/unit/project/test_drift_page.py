"""docs/drift.md has the rows that the tests try, no more and no fewer."""

from pathlib import Path

from tests.integration import drift

PAGE = Path(__file__).parents[3] / "docs" / "drift.md"


def test_the_page_has_the_rows_of_the_tests() -> None:
    _, _, rest = PAGE.read_text().partition("tests/integration/drift.py -->\n")
    assert rest.partition("\n<!-- end")[0] == drift.table()
