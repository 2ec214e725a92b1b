"""Programs as syntax trees.

Left out: running them (`render`), and what is looked for in a tree.
"""

import ast


def tree_of(code: str) -> ast.Module:
    """The syntax tree of a program. Raises SyntaxError, ValueError, RecursionError or MemoryError for what
    Python refuses. Example: `tree_of("x = 1").body`.

    Python 3.11 counts the depth of all threads in one place: where the garbage collector lets another thread
    parse meanwhile, it ends in "AST constructor recursion depth mismatch". Nothing is wrong with the program.
    """
    for _ in range(5):
        try:
            return ast.parse(code)
        except SystemError as disturbed:
            error = disturbed
    raise RecursionError(str(error))
