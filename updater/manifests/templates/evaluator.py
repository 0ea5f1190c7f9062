"""Carrying out a parsed template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from updater.errors import PlanError
from updater.manifests.templates.budget import Budget
from updater.manifests.templates.formatting import text_of
from updater.manifests.templates.functions import CORE, LAZY, TemplateFunction
from updater.manifests.templates.parser import parse_template
from updater.manifests.templates.syntax import (
    Action,
    Block,
    Call,
    Command,
    Dot,
    Function,
    Group,
    If,
    Leave,
    Literal,
    Nil,
    Operand,
    Pipeline,
    Range,
    Statement,
    Template,
    Text,
    Variable,
    run_error,
)
from updater.manifests.templates.values import Mistake, Record, Value, is_true, type_name

_NO_VALUE = "<no value>"


class _Flow(Enum):
    """How a block ended."""

    ON = auto()
    BREAK = auto()
    CONTINUE = auto()


def read_template(source: str, functions: Mapping[str, TemplateFunction] = CORE) -> Template:
    """Parse a template that may call the functions; raises ``PlanError`` (``template_parse``, ``template_exec``)."""
    return parse_template(source, functions.keys() | LAZY)


def render_template(template: Template, data: Record, functions: Mapping[str, TemplateFunction] = CORE) -> str:
    """What the template prints for the data; raises ``PlanError`` (``template_exec``) with the position."""
    run = _Run(template, functions)
    run.call(template.body, data)
    return "".join(run.output)


@dataclass(slots=True)
class _Run:
    """One evaluation. ``variables`` is a stack of names and values; ``position`` is where it is in the source."""

    template: Template
    functions: Mapping[str, TemplateFunction]
    budget: Budget = field(default_factory=Budget)
    output: list[str] = field(default_factory=list)
    variables: list[tuple[str, Value]] = field(default_factory=list)
    position: int = 0

    def call(self, body: Block, argument: Value) -> None:
        """A template from its first statement; all it sees is the argument."""
        outer, self.variables = self.variables, [("", argument)]
        try:
            self._block(body, argument)
        except Mistake as mistake:
            raise self._error(str(mistake)) from mistake
        self.variables = outer

    def _error(self, what: str) -> PlanError:
        return run_error(self.template.source, self.position, what)

    # Statements.

    def _block(self, body: Block, dot: Value) -> _Flow:
        self.budget.enter()
        mark = len(self.variables)
        flow = _Flow.ON
        for statement in body:
            self.budget.step()
            flow = self._statement(statement, dot)
            if flow is not _Flow.ON:
                break
        del self.variables[mark:]
        self.budget.leave()
        return flow

    def _statement(self, statement: Statement, dot: Value) -> _Flow:
        match statement:
            case Text():
                self._print(statement.text)
            case Action():
                self._action(statement, dot)
            case If():
                return self._choose(statement, dot)
            case Range():
                return self._repeat(statement, dot)
            case Call():
                self._call_other(statement, dot)
            case Leave():
                return _Flow.BREAK if statement.is_break else _Flow.CONTINUE
        return _Flow.ON

    def _print(self, text: str) -> None:
        self.budget.print(text)
        self.output.append(text)

    def _action(self, action: Action, dot: Value) -> None:
        value = self._pipeline(action.pipeline, dot)
        if not action.pipeline.names:
            self._print(_NO_VALUE if value is None else text_of(value))

    def _choose(self, choice: If, dot: Value) -> _Flow:
        mark = len(self.variables)
        value = self._pipeline(choice.pipeline, dot)
        if is_true(value):
            flow = self._block(choice.body, value if choice.is_with else dot)
        else:
            flow = self._block(choice.otherwise, dot)
        del self.variables[mark:]
        return flow

    def _repeat(self, loop: Range, dot: Value) -> _Flow:
        mark = len(self.variables)
        names = loop.pipeline.names
        value = self._operand_pipeline(loop.pipeline, dot)
        self.position = loop.pipeline.position
        is_empty = True
        flow = _Flow.ON
        if len(names) > 1 and isinstance(value, int):
            raise Mistake("a number gives one variable, not two")
        for key, item in self._elements(value):
            is_empty = False
            self.budget.iterate()
            self._bind(loop.pipeline, (key, item)[-len(names) :] if names else ())
            flow = self._block(loop.body, item)
            if not loop.pipeline.is_assignment:
                del self.variables[mark:]
            if flow is _Flow.BREAK:
                break
        return self._block(loop.otherwise, dot) if is_empty else _Flow.ON

    def _elements(self, value: Value) -> Iterator[tuple[Value, Value]]:
        if isinstance(value, Mapping):
            return ((key, value[key]) for key in sorted(value))
        if isinstance(value, tuple):
            return enumerate(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return ((index, index) for index in range(value))
        if value is None:
            return iter(())
        raise Mistake(f"a {type_name(value)} cannot be ranged over")

    def _call_other(self, call: Call, dot: Value) -> None:
        argument = None if call.argument is None else self._pipeline(call.argument, dot)
        self.position = call.position
        body = self.template.definitions.get(call.name)
        if body is None:
            raise Mistake(f"there is no template {call.name[:60]!r}")
        self.budget.iterate()
        self.call(body, argument)

    # Pipelines.

    def _pipeline(self, pipeline: Pipeline, dot: Value) -> Value:
        value = self._operand_pipeline(pipeline, dot)
        self._bind(pipeline, (value,) if pipeline.names else ())
        return value

    def _operand_pipeline(self, pipeline: Pipeline, dot: Value) -> Value:
        """The value, before variables take it."""
        piped: tuple[Value, ...] = ()
        for command in pipeline.commands:
            piped = (self._command(command, dot, piped),)
        return piped[0]

    def _bind(self, pipeline: Pipeline, values: tuple[Value, ...]) -> None:
        for name, value in zip(pipeline.names, values, strict=True):
            if pipeline.is_assignment:
                self._assign(name, value)
            else:
                self.variables.append((name, value))

    def _assign(self, name: str, value: Value) -> None:
        self.variables[self._find(name)] = (name, value)

    def _command(self, command: Command, dot: Value, piped: tuple[Value, ...]) -> Value:
        first, *rest = command.operands
        self.position = first.position
        if isinstance(first, Function):
            return self._apply(first, rest, dot, piped)
        if rest or piped:
            raise Mistake("arguments are given to something that is no function")
        if isinstance(first, Nil):
            raise Mistake("nil is no command")
        return self._operand(first, dot)

    def _apply(self, function: Function, operands: list[Operand], dot: Value, piped: tuple[Value, ...]) -> Value:
        if function.name in LAZY:
            return self._decide(function, operands, dot, piped)
        arguments = (*(self._operand(operand, dot) for operand in operands), *piped)
        self.position = function.position
        self.budget.work(sum(len(value) for value in arguments if isinstance(value, str)))
        value = self.functions[function.name](arguments)
        self.budget.work(len(value) if isinstance(value, str) else 1)
        return value

    def _decide(self, function: Function, operands: list[Operand], dot: Value, piped: tuple[Value, ...]) -> Value:
        """``and`` and ``or``: the first operand that decides; those behind it are not evaluated."""
        value: Value = None
        if not operands and not piped:
            raise Mistake(f"{function.name} takes at least 1 arguments, got 0")
        for operand in operands:
            value = self._operand(operand, dot)
            if is_true(value) is (function.name == "or"):
                return value
        return piped[0] if piped else value

    def _operand(self, operand: Operand, dot: Value) -> Value:
        self.budget.step()
        self.position = operand.position
        match operand:
            case Literal():
                return operand.value
            case Nil():
                return None
            case Dot():
                return self._fields(dot, operand.fields)
            case Variable():
                return self._fields(self.variables[self._find(operand.name)][1], operand.fields)
            case Function():
                return self._apply(operand, [], dot, ())
            case Group():
                value = self._pipeline(operand.pipeline, dot)
                return self._fields(value, operand.fields)

    def _find(self, name: str) -> int:
        """Where the latest variable of that name stands; the parser has seen that there is one."""
        for index in range(len(self.variables) - 1, -1, -1):
            if self.variables[index][0] == name:
                self.budget.work(len(self.variables) - index)
                return index
        raise Mistake(f"the variable ${name} is not set")

    def _fields(self, value: Value, names: tuple[str, ...]) -> Value:
        for name in names:
            value = _field(value, name)
        return value


def _field(value: Value, name: str) -> Value:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, Record) and name in value.fields:
        return value.fields[name]
    known = f"; there are {', '.join(value.fields)}" if isinstance(value, Record) else ""
    raise Mistake(f"a {type_name(value)} has no field {name[:60]!r}{known}")
