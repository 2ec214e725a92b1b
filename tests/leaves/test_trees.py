"""A program is parsed also where Python's own count of depth went astray."""
import ast

import pytest

from rrvf_lab.leaves.trees import tree_of

MISMATCH = "AST constructor recursion depth mismatch (before=33, after=30)"


def test_a_parse_that_another_thread_disturbed_is_made_again(monkeypatch):
    parse, disturbed = ast.parse, [SystemError(MISMATCH), SystemError(MISMATCH)]

    def sometimes(code):
        if disturbed:
            raise disturbed.pop()
        return parse(code)

    monkeypatch.setattr(ast, "parse", sometimes)
    assert ast.dump(tree_of("x = 1")) == ast.dump(parse("x = 1")) and not disturbed


def test_one_that_never_ends_well_is_a_program_too_deep(monkeypatch):
    def always(code):
        raise SystemError(MISMATCH)

    monkeypatch.setattr(ast, "parse", always)
    with pytest.raises(RecursionError, match="depth mismatch"):
        tree_of("x = 1")


@pytest.mark.parametrize("code, error", [("def (", SyntaxError), ("x = 1\0", (SyntaxError, ValueError))])
def test_what_python_refuses_is_refused(code, error):
    with pytest.raises(error):
        tree_of(code)
