"""Small changes of a module, each of which should make a test fail: a comparison, a constant, a condition, a result."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from attrs import define

__all__ = ["Mutant", "draw", "mutants_of"]

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@define(frozen=True)
class Mutant:
    """One change: the module, the line, what is done there, and the whole module with it."""

    path: Path
    line: int
    what: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """What can be done to a node, in words, and doing it."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            other = _COMPARISONS[type(op)]
            yield f"{type(op).__name__} becomes {other.__name__}", lambda: setattr(node, "ops", [other()])
        case ast.BoolOp(op=op):
            wanted = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} becomes {type(wanted).__name__}", lambda: setattr(node, "op", wanted)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not is left out", lambda: _become_truth(node, operand)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            sign = _ARITHMETIC[type(op)]
            yield f"{type(op).__name__} becomes {sign.__name__}", lambda: setattr(node, "op", sign())
        case ast.Constant(value=bool(value)):
            yield f"{value} becomes {not value}", lambda: setattr(node, "value", not value)
        case ast.Constant(value=int(number)):
            yield f"{number} becomes {number + 1}", lambda: setattr(node, "value", number + 1)
        case ast.Return(value=ast.expr() as result) if not _is_none(result):
            yield "returns None", lambda: setattr(node, "value", ast.Constant(None))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            negated = ast.UnaryOp(op=ast.Not(), operand=test)
            yield "the condition is negated", lambda: setattr(node, "test", negated)


def _become_truth(node: ast.UnaryOp, operand: ast.expr) -> None:
    node.op = ast.UAdd()
    node.operand = ast.Call(func=ast.Name("bool", ast.Load()), args=[operand], keywords=[])


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _deletions(body: list[ast.stmt]) -> Iterator[tuple[int, str, Callable[[], None]]]:
    for at, statement in enumerate(body):
        if isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign | ast.Raise | ast.Delete):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            yield statement.lineno, "a statement is left out", partial(body.__setitem__, at, ast.Pass())


def mutants_of(path: Path, source: str) -> Iterator[Mutant]:
    """Every mutant of the functions of a module. What is outside of functions are names and tables."""
    count = sum(1 for _ in _steps(ast.parse(source)))
    for number in range(count):
        tree = ast.parse(source)  # each from a fresh tree
        for at, (line, what, change) in enumerate(_steps(tree)):
            if at == number:
                change()
                yield Mutant(path, line, what, ast.unparse(ast.fix_missing_locations(tree)))
                break


def _steps(tree: ast.Module) -> Iterator[tuple[int, str, Callable[[], None]]]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.FunctionDef) and node is not function:
                continue
            yield from ((getattr(node, "lineno", 0), what, change) for what, change in _changes(node))
            for name in ("body", "orelse"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    yield from _deletions(block)


def draw(sources: dict[Path, str], number: int, seed: int) -> list[Mutant]:
    """So many mutants of these modules, each module as often as it has lines, by the seed."""
    dice = Random(seed)
    paths = sorted(sources)
    weights = [sources[path].count("\n") for path in paths]
    drawn: list[Mutant] = []
    for path in dice.choices(paths, weights, k=number):
        tree = ast.parse(sources[path])
        steps = list(_steps(tree))
        if not steps:
            continue
        line, what, change = dice.choice(steps)
        change()
        drawn.append(Mutant(path, line, what, ast.unparse(ast.fix_missing_locations(tree))))
    return drawn
