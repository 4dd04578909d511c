"""Rows as a table that people read."""


def aligned(head, rows, right=()):
    """right: the columns of numbers."""
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "".join("  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                             for i, (cell, width) in enumerate(zip(row, widths))).rstrip() + "\n"
                   for row in rows)


def show_at_the_end(terminalreporter, title, text, path):
    """As the last words of a run, and in a file."""
    terminalreporter.section(title)
    terminalreporter.write(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
