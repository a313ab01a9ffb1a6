"""Cells of a spreadsheet: what a model or a user wrote is text there, never a formula."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


def safe(cell: str) -> str:
    """Return the cell with an apostrophe before what would be computed."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def plain(cell: str) -> str:
    """Return the cell as it was before `safe`, without the blanks around it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell.strip()
