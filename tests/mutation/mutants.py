"""Small changes of a module, each of which should make a test fail: a comparison, a constant, a condition, a result."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from attrs import define

__all__ = ["Mutant", "changes_of", "draw", "mutants_of"]

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
    """One change: the module, the function and line, what is done there, and the whole module with it."""

    path: Path
    function: int
    """The line of the function it is in, of its first decorator where it has one."""
    name: str
    line: int
    what: str
    before: str
    """The line as it was."""
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}: {self.before}"


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """What can be done to a node, in words, and doing it."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            other = _COMPARISONS[type(op)]
            yield f"{type(op).__name__} becomes {other.__name__}", partial(setattr, node, "ops", [other()])
        case ast.BoolOp(op=op):
            wanted = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} becomes {type(wanted).__name__}", partial(setattr, node, "op", wanted)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not is left out", partial(_become_truth, node, operand)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            sign = _ARITHMETIC[type(op)]
            yield f"{type(op).__name__} becomes {sign.__name__}", partial(setattr, node, "op", sign())
        case ast.Constant(value=bool(value)):
            yield f"{value} becomes {not value}", partial(setattr, node, "value", not value)
        case ast.Constant(value=int(number)):
            yield f"{number} becomes {number + 1}", partial(setattr, node, "value", number + 1)
        case ast.Return(value=ast.expr() as result) if not _is_none(result):
            yield "returns None", partial(setattr, node, "value", ast.Constant(None))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            negated = ast.UnaryOp(op=ast.Not(), operand=test)
            yield "the condition is negated", partial(setattr, node, "test", negated)


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


@define(frozen=True)
class _Step:
    function: int
    name: str
    line: int
    what: str
    change: Callable[[], None]


def _steps(tree: ast.Module) -> list[_Step]:
    """Every change of the functions of a module. What is outside of functions are names and tables."""
    found: list[_Step] = []

    def walk(node: ast.AST, function: int, called: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            called = node.name
            function = min(node.lineno, *(each.lineno for each in (node, *node.decorator_list)))
            inside: list[ast.AST] = list(node.body)  # not defaults and annotations
        elif isinstance(node, ast.AnnAssign):
            inside = [] if node.value is None else [node.value]
        else:
            inside = list(ast.iter_child_nodes(node))
        if function:
            found.extend(_Step(function, called, getattr(node, "lineno", function), *each) for each in _changes(node))
            for name in ("body", "orelse"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    found.extend(_Step(function, called, *each) for each in _deletions(block))
        for each in inside:
            walk(each, function, called)

    walk(tree, 0, "")
    return found


def _made(path: Path, source: str, number: int) -> Mutant:
    tree = ast.parse(source)  # each from a fresh tree
    step = _steps(tree)[number]
    step.change()
    before = source.splitlines()[step.line - 1].strip()
    changed = ast.unparse(ast.fix_missing_locations(tree))
    return Mutant(path, step.function, step.name, step.line, step.what, before, changed)


def changes_of(source: str) -> set[tuple[str, str, str]]:
    """What can be changed in a module: the function, the line as it is, and the change."""
    lines = source.splitlines()
    return {(step.name, lines[step.line - 1].strip(), step.what) for step in _steps(ast.parse(source))}


def mutants_of(path: Path, source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    for number in range(len(_steps(ast.parse(source)))):
        yield _made(path, source, number)


def draw(sources: dict[Path, str], number: int, seed: int) -> list[Mutant]:
    """So many mutants of these modules, no one twice, each change as likely as any other, by the seed."""
    steps = [(path, at) for path in sorted(sources) for at in range(len(_steps(ast.parse(sources[path]))))]
    return [_made(path, sources[path], at) for path, at in Random(seed).sample(steps, min(number, len(steps)))]
