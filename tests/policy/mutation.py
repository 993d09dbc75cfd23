"""Mutants of a module: its source with one thing changed, made from the syntax tree; and how a changed module is put in the place of the real one.

Changed are comparisons, arithmetic, `and`, `or` and `not`, whole numbers by one, truth values, conditions, the order of two arguments or operands,
the entries of a table of operators, returned booleans, and statements that only check or raise. Left alone is what only words an error, what
only type checkers read, and documentation.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import sys
import types
from dataclasses import dataclass
from pathlib import Path

_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_TURNED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_CALCULATED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.RShift: ast.LShift, ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
_WORDS = ("__slots__", "__all__", "NAMES")
# Calls whose arguments only word an error.
_WORDING = (
    "wanted",
    "missing",
    "EvaluationError",
    "ValueError",
    "InputError",
    "RequestError",
    "AssertionError",
    "TypeError",
    "cast",
    "TypeVar",
    "repr",
)


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change.

    Attributes:
        module: the module's dotted name.
        line: where in its source.
        what: the change in words.
        function: the innermost function it is in; empty outside of any.
        source: the line as it is.
        path: of the module's file.
        change: the tree, the node and what stands in its place.
    """

    module: str
    line: int
    what: str
    function: str
    source: str
    path: str
    change: tuple

    @property
    def code(self):
        """The compiled module."""
        return compile(ast.fix_missing_locations(_replaced(*self.change)), self.path, "exec")

    def __str__(self):
        return f"{self.module.removeprefix('thunderlab.policy.')}:{self.line}: {self.what}"


def mutants(module):
    """Yield all mutants of a module, in the order of its lines."""
    path = Path(importlib.import_module(module).__file__)
    lines = path.read_text().splitlines()
    tree = ast.parse("\n".join(lines))
    functions = _functions(tree)
    for node, what, replacement in sorted(_changes(tree), key=lambda change: (change[0].lineno, change[0].col_offset, change[1])):
        source = lines[node.lineno - 1].strip()
        yield Mutant(module, node.lineno, what, functions.get(id(node), ""), source, str(path), (tree, node, replacement))


def _functions(tree):
    """Return the name of the innermost function that each node is in, by the node's id."""
    found = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            found |= {id(inner): function.name for inner in ast.walk(function)}  # outer ones are walked first
    return found


def _replaced(tree, node, replacement):
    """Return a copy of a tree in which a node gave way to another; None takes a statement away."""
    memo = {id(node): replacement if replacement is not None else ast.copy_location(ast.Pass(), node)}
    return copy.deepcopy(tree, memo)


def _changes(tree):
    """Yield (node, what, replacement) of every change."""
    left_alone = _left_alone(tree)
    for node in ast.walk(tree):
        if id(node) in left_alone or not hasattr(node, "lineno"):
            continue
        for what, replacement in _of(node):
            yield node, what, ast.copy_location(replacement, node) if replacement is not None else None


def _left_alone(tree):
    """Return the ids of the nodes that only word errors, annotate or document."""
    roots = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            roots += [
                node.returns,
                *node.decorator_list,
                *(argument.annotation for argument in ast.walk(node.args) if isinstance(argument, ast.arg)),
            ]
        elif isinstance(node, ast.AnnAssign):
            roots.append(node.annotation)
            if isinstance(node.target, ast.Name) and node.target.id in _WORDS:
                roots.append(node)
        elif isinstance(node, ast.Raise):
            roots += [node.exc, node.cause]
        elif isinstance(node, ast.JoinedStr):
            roots.append(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WORDING:
            roots += node.args
        elif (
            isinstance(node, ast.If)
            and isinstance(node.test, ast.Name)
            and node.test.id == "TYPE_CHECKING"
            or isinstance(node, ast.Assign)
            and all(isinstance(target, ast.Name) and target.id in _WORDS for target in node.targets)
            or isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
        ):
            roots.append(node)
        elif isinstance(node, ast.ClassDef):
            roots += [*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list]
        elif isinstance(node, ast.Assign) and _only_types(node.value):
            roots.append(node)
    return {id(inner) for root in roots if root is not None for inner in ast.walk(root)}


def _only_types(value):
    """Return whether an assigned value is a type's other name, such as `Outcome = tuple[int, ...]` or `A | B`."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return _only_types(value.left) and _only_types(value.right)
    if isinstance(value, ast.Subscript):
        return isinstance(value.value, ast.Name) and value.value.id in (
            "Callable",
            "tuple",
            "list",
            "dict",
            "Literal",
            "Mapping",
            "Sequence",
            "set",
            "frozenset",
        )
    return isinstance(value, ast.Name | ast.Attribute)


def _of(node):
    """Return (what, replacement) of each change to one node."""
    made = _MAKERS.get(type(node))
    return () if made is None else made(node)


def _compare(node):
    for place, operator in enumerate(node.ops):
        for table in (_COMPARED, _TURNED):
            if (other := table.get(type(operator))) is not None:
                changed = ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)
                yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed


def _binary(node):
    if isinstance(node.op, ast.Mult) and isinstance(node.left, ast.Constant | ast.List):
        return
    if (other := _CALCULATED.get(type(node.op))) is not None:
        changed = ast.BinOp(node.left, other(), node.right)
        yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed


def _boolean(node):
    changed = ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed
    for place in range(len(node.values)):
        rest = node.values[:place] + node.values[place + 1 :]
        fewer = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        yield f"{ast.unparse(node)} -> {ast.unparse(fewer)}", fewer


def _unary(node):
    if isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield f"{ast.unparse(node)} -> {ast.unparse(node.operand)}", node.operand


def _constant(node):
    if isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        for step in (1, -1):
            yield f"{node.value} -> {node.value + step}", ast.Constant(node.value + step)


def _if(node):
    for value in (True, False):
        yield (
            f"if {ast.unparse(node.test)} -> if {value}",
            ast.If(ast.copy_location(ast.Constant(value), node.test), node.body, node.orelse),
        )


def _choice(node):
    changed = ast.IfExp(node.test, node.orelse, node.body)
    yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed


def _call(node):
    if len(node.args) == 2 and not node.keywords and not any(isinstance(one, ast.Starred) for one in node.args):
        if isinstance(node.func, ast.Name) and node.func.id in (
            "isinstance",
            "getattr",
            "hasattr",
            "zip",
            "map",
            "defaultdict",
            "field",
            *_WORDING,
        ):
            return
        changed = ast.Call(node.func, node.args[::-1], [])
        yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed


def _dictionary(node):
    """The values of a table's neighbours change places."""
    for place in range(len(node.values) - 1):
        if node.keys[place] is None or node.keys[place + 1] is None:
            continue
        if ast.dump(node.values[place]) == ast.dump(node.values[place + 1]):
            continue
        values = [*node.values[:place], node.values[place + 1], node.values[place], *node.values[place + 2 :]]
        yield f"{ast.unparse(node.keys[place])} and {ast.unparse(node.keys[place + 1])} change places", ast.Dict(node.keys, values)


def _return(node):
    if isinstance(node.value, ast.Compare | ast.BoolOp) or (isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.Not)):
        yield f"return not ({ast.unparse(node.value)})", ast.Return(ast.UnaryOp(ast.Not(), node.value))


def _statement(node):
    if isinstance(node.value, ast.Call):
        yield f"without {ast.unparse(node)}", None


def _raise(node):
    yield f"without {ast.unparse(node)[:60]}", None


def _augmented(node):
    yield f"without {ast.unparse(node)}", None


def _handler(node):
    """What is caught is let through."""
    if node.type is not None:
        changed = ast.ExceptHandler(ast.copy_location(ast.Name("KeyboardInterrupt", ast.Load()), node), node.name, node.body)
        yield f"without except {ast.unparse(node.type)}", changed


_MAKERS = {
    ast.Compare: _compare, ast.BinOp: _binary, ast.BoolOp: _boolean, ast.UnaryOp: _unary, ast.Constant: _constant, ast.If: _if, ast.IfExp: _choice, ast.Call: _call,
    ast.Dict: _dictionary, ast.Return: _return, ast.Expr: _statement, ast.Raise: _raise, ast.AugAssign: _augmented, ast.ExceptHandler: _handler,
}  # fmt: skip


def importers(module, package="thunderlab.policy"):
    """Return the loaded modules of a package that import a module, directly or not, and the module itself, each behind those it imports."""
    graph = {}
    for name in [name for name in sys.modules if name.startswith(package + ".")]:
        tree = ast.parse(Path(sys.modules[name].__file__).read_text())
        froms = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
        graph[name] = {found for node in froms for found in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))}
    order, waiting = [module], set(graph) - {module}
    while ready := {name for name in waiting if graph[name] & set(order)}:
        order += sorted(ready)
        waiting -= ready
    stale = set(order)
    placed = [module]
    stale.discard(module)
    while stale:
        # A package that gathers its modules makes a circle; importing any of those loads the rest.
        free = sorted(name for name in stale if not graph[name] & (stale - {name})) or sorted(stale)
        placed += free
        stale -= set(free)
    return placed


@contextlib.contextmanager
def in_place(mutant):
    """Have a mutant stand where its module stood, with all that import it loaded anew; a dictionary of these modules is what you get."""
    stale = importers(mutant.module)
    kept = {name: sys.modules.pop(name) for name in stale}
    try:
        for name in stale:
            if name == mutant.module:
                module = types.ModuleType(name)
                module.__file__, module.__package__ = kept[name].__file__, kept[name].__package__
                module.__spec__ = kept[name].__spec__
                sys.modules[name] = module
                _set_in_parent(name, module)
                exec(mutant.code, module.__dict__)
            else:
                importlib.import_module(name)
        yield {name: sys.modules[name] for name in stale}
    finally:
        for name in stale:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
        for name, module in kept.items():
            _set_in_parent(name, module)


def _set_in_parent(name, module):
    """Have a package know a module: `from package import module` looks there first."""
    parent, _, own = name.rpartition(".")
    if parent in sys.modules:  # else it is loaded anew, too, and finds the module there is then
        setattr(sys.modules[parent], own, module)
