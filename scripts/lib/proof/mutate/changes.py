"""The changes of the extension's code that its tests should notice, and the code in which they can be switched on.

Left out, because nothing could or should notice them: annotations, aliases of types, blocks under TYPE_CHECKING and
overloads; docstrings and texts with a space, which are for people; lines that only write to a log; `__all__`; what
only saves time or space: `@cache`, `slots=`; and what only keeps the code's authors from mistakes: `frozen=`.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SWITCH = "__change_is_on__"
"""The builtin that the changed code calls with the number of a change: is it switched on?"""

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_LOG_METHODS = {"debug", "info", "warning", "error", "exception"}
_OF_TYPES = {"TypeVar", "ParamSpec", "NewType", "cast", "Literal"}
_IDLE_DECORATORS = {"cache", "lru_cache", "overload", "override", "final", "runtime_checkable"}
_IDLE_KEYWORDS = {"frozen", "slots", "stacklevel"}
_BLOCKS = {"body", "orelse", "finalbody", "handlers", "cases"}
_SHORT = 100

Step: TypeAlias = tuple[str, int | None]
"""A field of a node, and the place in it if it is a list."""


@dataclass(frozen=True)
class Change:
    """A change of one place of the code.

    Attributes:
        path: The file, below the repository's root.
        line: The line.
        where: The class and function that it is in; empty for the module itself.
        before: The code at this place.
        after: The changed code.
        number: How many places of the function look the same before this one.
        is_early: Whether it has its effect when the module is imported.
    """

    path: str
    line: int
    where: str
    before: str
    after: str
    number: int
    is_early: bool

    @property
    def name(self) -> str:
        """The name under which it stays known while lines move."""
        repeated = f" #{self.number + 1}" if self.number else ""
        return f"{self.path}::{self.where}: {self.before} -> {self.after}{repeated}"

    @property
    def room(self) -> str:
        """The room of the extension that it is in."""
        return self.path.split("/")[1].removesuffix(".py")

    def rank(self, seed: int) -> str:
        """Return its place among all changes in the draw with a seed, which does not move with other code."""
        return hashlib.sha256(f"{seed} {self.name}".encode()).hexdigest()


def changes_of(root: Path, files: Iterable[Path]) -> list[Change]:
    """Return all changes of some files."""
    return [change for file in files for change, _ in _Module(root, file).changes()]


def switchable_code(root: Path, path: str, numbers: dict[Change, int]) -> Any:
    """Return the compiled code of a file in which changes can be switched on, by their numbers."""
    module = _Module(root, root / path)
    chosen = [(numbers[change], change, place) for change, place in module.changes() if change in numbers]
    of_statement: dict[ast.stmt, list[tuple[int, ast.stmt]]] = {}
    for number, _, place in chosen:
        of_statement.setdefault(place.statement, []).append((number, place.changed_statement()))
    for number, change, place in chosen:
        if change.is_early:
            _mark_users(module.tree, place.statement, number)
    tree = _Switches(of_statement).visit(module.tree)
    return compile(ast.fix_missing_locations(tree), str(root / path), "exec", dont_inherit=True)


def _mark_users(tree: ast.Module, statement: ast.stmt, number: int) -> None:
    """Let the functions that use what a statement defines note that they reach a change of it; else all functions."""
    names = set(_defined_names(statement))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    users = [function for function in functions if names.intersection(_used_names(function))]
    for function in users or functions:
        note = ast.Expr(ast.Call(ast.Name(SWITCH, ast.Load()), [ast.Constant(number)], []))
        is_described = ast.get_docstring(function) is not None
        for node in ast.walk(note):
            ast.copy_location(node, function.body[0])
        function.body.insert(int(is_described), note)


def _defined_names(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                yield name
            case ast.Name(name, ast.Store()):
                yield name
            case _:
                pass


def _used_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    yield function.name
    for node in ast.walk(function):
        match node:
            case ast.Name(name, ast.Load()) | ast.Attribute(attr=name):
                yield name
            case _:
                pass


@dataclass(frozen=True)
class _Place:
    """A place in a statement, and what stands there instead.

    Attributes:
        statement: The innermost statement around it.
        steps: The way from the statement to it.
        replacement: What stands there instead.
    """

    statement: ast.stmt
    steps: tuple[Step, ...]
    replacement: ast.AST

    def changed_statement(self) -> ast.stmt:
        """Return a copy of the statement with the replacement in it."""
        if not self.steps:
            return ast.copy_location(cast("ast.stmt", copy.deepcopy(self.replacement)), self.statement)
        statement = copy.deepcopy(self.statement)
        parent: Any = statement
        *way, (field, index) = self.steps
        for name, place in way:
            parent = getattr(parent, name) if place is None else getattr(parent, name)[place]
        if index is None:
            setattr(parent, field, copy.deepcopy(self.replacement))
        elif isinstance(self.replacement, _Nothing):
            del getattr(parent, field)[index]
        else:
            getattr(parent, field)[index] = copy.deepcopy(self.replacement)
        return statement


class _Nothing(ast.AST):
    """Stands for a part that is left out."""


class _Switches(ast.NodeTransformer):
    """Puts each statement that has changes into an `if` whose other branches are the changed statements.

    Args:
        of_statement: The changed statements with their numbers, by the statement.
    """

    def __init__(self, of_statement: dict[ast.stmt, list[tuple[int, ast.stmt]]]) -> None:
        self._of_statement = of_statement

    def visit(self, node: ast.AST) -> Any:
        """Return the node, or the `if` around it."""
        changed = self._of_statement.get(cast("ast.stmt", node), [])
        around = self.generic_visit(node)
        for number, statement in changed:
            call = ast.Call(ast.Name(SWITCH, ast.Load()), [ast.Constant(number)], [])
            around = ast.If(call, [statement], [cast("ast.stmt", around)])
            ast.copy_location(around, node)
            ast.copy_location(call, node)
        return around


class _Module:
    """A module of the extension.

    Args:
        root: The repository's root.
        file: The module's file.
    """

    def __init__(self, root: Path, file: Path) -> None:
        self._path = file.relative_to(root).as_posix()
        self.tree = ast.parse(file.read_text(encoding="utf-8"))

    def changes(self) -> Iterator[tuple[Change, _Place]]:
        """Yield the changes, in the order of the file, with their places."""
        seen: Counter[tuple[str, str, str]] = Counter()
        for statement, where, is_early in _statements(self.tree.body, "", is_early=True):
            for steps, node, parent in _parts(statement):
                for replacement in replacements(node, parent):
                    ast.copy_location(replacement, node if hasattr(node, "lineno") else statement)
                    before, after = _text(node), _text(replacement)
                    number = seen[where, before, after]
                    seen[where, before, after] += 1
                    line = getattr(node, "lineno", statement.lineno)
                    change = Change(self._path, line, where, before, after, number, is_early)
                    yield change, _Place(statement, steps, replacement)


def _statements(body: Sequence[ast.stmt], where: str, *, is_early: bool) -> Iterator[tuple[ast.stmt, str, bool]]:
    """Yield the statements that do something, outer ones first, with the function that they are in."""
    for statement in body:
        if _is_idle(statement):
            continue
        yield statement, where, is_early
        inside, early = where, is_early
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{where}.{statement.name}".lstrip(".")
            early = is_early and isinstance(statement, ast.ClassDef)
        for block in _blocks(statement):
            yield from _statements(block, inside, is_early=early)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield part.body


def _is_idle(statement: ast.stmt) -> bool:
    """Return whether nothing can notice a change of a statement, or what it does is only for people."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Global() | ast.Nonlocal() | ast.Expr(ast.Constant()):
            return True
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), method))):
            return "log" in name and method in _LOG_METHODS
        case _:
            return _is_only_types(statement)


def _is_only_types(statement: ast.stmt) -> bool:
    """Return whether a statement is there for type checkers, or for `import *`."""
    match statement:
        case ast.If(test):
            return ast.unparse(test) == "TYPE_CHECKING"
        case ast.AnnAssign(annotation=annotation):
            return ast.unparse(annotation).endswith("TypeAlias")
        case ast.Assign([ast.Name("__all__")]):
            return True
        case ast.Assign(value=ast.Call(ast.Name(name))):
            return name in _OF_TYPES
        case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
            return any(_called_name(decorator) == "overload" for decorator in decorators)
        case _:
            return False


def _called_name(node: ast.AST) -> str:
    """Return the last name of a function or decorator, whether it is called or not."""
    if isinstance(node, ast.Call):
        return _called_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _parts(statement: ast.stmt) -> Iterator[tuple[tuple[Step, ...], ast.AST, ast.AST | None]]:
    """Yield the parts of a statement that are in no other statement, with the way to them and what they are in."""
    waiting: list[tuple[tuple[Step, ...], ast.AST, ast.AST | None]] = [((), statement, None)]
    while waiting:
        steps, node, parent = waiting.pop(0)
        yield steps, node, parent
        if _is_of_types(node):
            continue
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "type_params", "ctx"}:
                continue
            parts: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
            for index, part in enumerate(parts) if isinstance(value, list) else [(None, value)]:
                if isinstance(part, ast.AST) and not isinstance(part, ast.stmt):
                    waiting.append(((*steps, (field, index)), part, node))


def _is_of_types(node: ast.AST) -> bool:
    """Return whether what is in an expression is there for type checkers, or is a text for people."""
    if isinstance(node, ast.Subscript):
        return _called_name(node.value) in _OF_TYPES
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _called_name(node) == "TypeVar")


def replacements(node: ast.AST, parent: ast.AST | None) -> Iterator[ast.AST]:
    """Yield what may stand in place of a part of a statement, or of the statement itself."""
    match node:
        case ast.stmt():
            yield from _other_statements(node)
        case ast.Constant(value) if not _is_for_types(node, parent):
            yield from _other_constants(value)
        case ast.keyword(str(name)) if name not in _IDLE_KEYWORDS and isinstance(parent, ast.Call):
            yield _Nothing()
        case ast.ExceptHandler(type=ast.expr()):
            yield ast.ExceptHandler(ast.Tuple([], ast.Load()), node.name, node.body)
        case _:
            yield from _other_operators(node)
    if _is_condition(node, parent):
        yield ast.UnaryOp(ast.Not(), cast("ast.expr", node))
    if _is_decorator(node, parent) and _called_name(node) not in _IDLE_DECORATORS:
        yield _Nothing()


def _other_operators(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, [operator], [right]):
            for other in _COMPARISONS[type(operator)]:
                yield ast.Compare(left, [other()], [right])
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.And() if isinstance(operator, ast.Or) else ast.Or(), values)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.BinOp(left, operator, right) if type(operator) in _ARITHMETIC and not _is_text(left):
            yield ast.BinOp(left, _ARITHMETIC[type(operator)](), right)
        case _:
            pass


def _other_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Expr(ast.Call() | ast.Await()) | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Return(ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.For():
            yield ast.For(node.target, ast.List([], ast.Load()), node.body, node.orelse)
        case ast.AugAssign(target, operator, value) if type(operator) in _ARITHMETIC and not _is_text(value):
            yield ast.AugAssign(target, _ARITHMETIC[type(operator)](), value)
        case _:
            pass


def _other_constants(value: object) -> Iterator[ast.Constant]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
        case str() if value and " " not in value:
            yield ast.Constant(f"{value}X")
        case bytes() if value:
            yield ast.Constant(value + b"X")
        case _:
            pass


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_for_types(node: ast.Constant, parent: ast.AST | None) -> bool:
    """Return whether a constant is the type in `cast("…", x)`, how a text is formatted, or what nothing can notice."""
    if isinstance(parent, ast.Call) and _called_name(parent) in _OF_TYPES:
        return node is parent.args[0]
    return isinstance(parent, ast.FormattedValue) or (isinstance(parent, ast.keyword) and parent.arg in _IDLE_KEYWORDS)


def _is_condition(node: ast.AST, parent: ast.AST | None) -> bool:
    """Return whether an expression decides something, and no other change turns it round."""
    if isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
        return False
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    return isinstance(parent, ast.If | ast.While | ast.IfExp) and node is parent.test


def _is_decorator(node: ast.AST, parent: ast.AST | None) -> bool:
    is_definition = isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return is_definition and node in cast("ast.FunctionDef", parent).decorator_list


def _text(node: ast.AST) -> str:
    """Return the first line of the code of a node, shortened."""
    if isinstance(node, _Nothing):
        return "(nothing)"
    if isinstance(node, ast.keyword):
        return f"{node.arg}={ast.unparse(node.value)}"[:_SHORT]
    return ast.unparse(node).partition("\n")[0][:_SHORT]
