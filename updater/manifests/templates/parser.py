"""From tokens to the tree of a template. Unknown functions and undeclared variables are found here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from updater.errors import PlanError
from updater.manifests.templates.lexer import Kind, Token, read_tokens
from updater.manifests.templates.syntax import (
    NESTING_LIMIT,
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
    parse_error,
    run_error,
)

SOURCE_LIMIT = 64 * 1024
"""Characters of a template (``write-back.md`` appendix A, "Limits")."""

ARGUMENT_LIMIT = 100
"""Operands of one command: a function sees them all at once, before anything is counted."""

_WORDS = {"true": True, "false": False}
_ENDS = ("end", "else")


def parse_template(source: str, functions: Collection[str]) -> Template:
    """The tree of a template.

    functions: the names it may call. Raises ``PlanError``: ``template_parse`` with the position, ``template_exec``
    for a template beyond the limits.
    """
    if len(source) > SOURCE_LIMIT:
        raise run_error(source, 0, f"the template has more than {SOURCE_LIMIT} characters")
    parser = _Parser(source, list(read_tokens(source)), functions)
    body, closing = parser.block(())
    if closing is not None:
        raise parse_error(source, closing.position, f"there is no block to {closing.value} here")
    fields = frozenset(str(token.value) for token in parser.tokens if token.kind is Kind.FIELD)
    return Template(source, body, parser.definitions, fields)


@dataclass(slots=True)
class _Parser:
    """One pass over the tokens. ``variables`` are those in scope; ``loops`` counts the open ranges."""

    source: str
    tokens: list[Token]
    functions: Collection[str]
    definitions: dict[str, Block] = field(default_factory=dict)
    variables: list[str] = field(default_factory=lambda: [""])
    place: int = 0
    depth: int = 0
    loops: int = 0

    # Tokens.

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def _take(self) -> Token:
        token = self.token
        self.place += 1
        return token

    def _expect(self, kind: Kind) -> Token:
        if self.token.kind is not kind:
            raise self._unexpected(f"expected {kind.value}")
        return self._take()

    def _unexpected(self, wanted: str) -> PlanError:
        found = self.token
        text = found.kind.value if found.kind in (Kind.END, Kind.CLOSE) else repr(str(found.value)[:40])
        return parse_error(self.source, found.position, f"{wanted}, got {text}")

    def _is_word(self, *words: str) -> bool:
        return self.token.kind is Kind.NAME and self.token.value in words

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > NESTING_LIMIT:
            raise run_error(self.source, self.token.position, f"nested more than {NESTING_LIMIT} deep")

    # Statements.

    def block(self, ends: tuple[str, ...]) -> tuple[Block, Token | None]:
        """Statements up to one of the closing words, and that word; None at the end of the template."""
        statements: list[Statement] = []
        while self.token.kind is not Kind.END:
            token = self._take()
            if token.kind is Kind.TEXT:
                statements.append(Text(str(token.value)))
                continue
            if self._is_word(*_ENDS):
                return tuple(statements), self._take()
            statement = self._statement()
            if statement is not None:
                statements.append(statement)
        if ends:
            raise self._unexpected(f"expected {' or '.join(ends)}")
        return tuple(statements), None

    def _statement(self) -> Statement | None:
        """What stands between one pair of braces; nothing for a definition."""
        word = str(self.token.value) if self.token.kind is Kind.NAME else ""
        match word:
            case "if" | "with" | "range":
                self._take()
                return self._control(word)
            case "template" | "block" | "define":
                return self._named(self._take(), word)
            case "break" | "continue":
                return self._leave(word)
        pipeline = self._pipeline(1)
        self._expect(Kind.CLOSE)
        return Action(pipeline)

    def _control(self, word: str) -> If | Range:
        self._deeper()
        scope = len(self.variables)
        pipeline = self._pipeline(2 if word == "range" else 1)
        self._expect(Kind.CLOSE)
        self.loops += word == "range"
        body, closing = self._inner()
        self.loops -= word == "range"
        otherwise = self._otherwise(word, closing)
        del self.variables[scope:]
        self.depth -= 1
        if word == "range":
            return Range(pipeline, body, otherwise)
        return If(pipeline, body, otherwise, is_with=word == "with")

    def _inner(self) -> tuple[Block, Token]:
        """A branch with a scope of its own, and the word that closes it."""
        scope = len(self.variables)
        body, closing = self.block(_ENDS)
        del self.variables[scope:]
        return body, closing or self.token

    def _otherwise(self, word: str, closing: Token) -> Block:
        if closing.value == "end":
            self._expect(Kind.CLOSE)
            return ()
        if word != "range" and self._is_word(word):
            self._take()
            return (self._control(word),)
        self._expect(Kind.CLOSE)
        body, last = self._inner()
        if last.value != "end":
            raise parse_error(self.source, last.position, "there is an else already")
        self._expect(Kind.CLOSE)
        return body

    def _named(self, opening: Token, word: str) -> Call | None:
        """``template``, ``block`` and ``define``: each begins with a name in quotes."""
        name = str(self._expect(Kind.STRING).value)
        if word == "define":
            self._define(opening, name)
            return None
        argument = None if self.token.kind is Kind.CLOSE and word == "template" else self._pipeline(0)
        if word == "block":
            self._define(opening, name)
        else:
            self._expect(Kind.CLOSE)
        return Call(name, argument, opening.position)

    def _define(self, opening: Token, name: str) -> None:
        if opening.value == "define" and self.depth:
            raise parse_error(self.source, opening.position, "a definition stands outside of blocks")
        self._deeper()
        self._expect(Kind.CLOSE)
        outer = self.variables, self.loops
        self.variables, self.loops = [""], 0
        self.definitions[name], closing = self._inner()
        self.variables, self.loops = outer
        if closing.value != "end":
            raise parse_error(self.source, closing.position, "a definition has no else")
        self._expect(Kind.CLOSE)
        self.depth -= 1

    def _leave(self, word: str) -> Leave:
        if not self.loops:
            raise parse_error(self.source, self.token.position, f"{word} stands outside of a range")
        self._take()
        self._expect(Kind.CLOSE)
        return Leave(is_break=word == "break")

    # Pipelines.

    def _pipeline(self, most_names: int) -> Pipeline:
        """A pipeline with at most so many variables that take its value."""
        names, is_assignment = self._names(most_names)
        commands = [self._command()]
        while self.token.kind is Kind.PIPE:
            self._take()
            commands.append(self._command())
            first = commands[-1].operands[0]
            if isinstance(first, Literal | Nil | Dot) and not (isinstance(first, Dot) and first.fields):
                raise parse_error(self.source, first.position, "only a function can take what is piped into it")
        if not is_assignment:
            self.variables += names
        return Pipeline(tuple(commands), names, is_assignment)

    def _names(self, most: int) -> tuple[tuple[str, ...], bool]:
        first, second, third, fourth = (self._peek(ahead) for ahead in range(4))
        if first.kind is not Kind.VARIABLE or not most:
            return (), False
        names: tuple[Token, ...] = ()
        if second.kind in (Kind.DECLARE, Kind.ASSIGN):
            names = (first,)
        elif second.kind is Kind.COMMA and third.kind is Kind.VARIABLE and most > 1:
            names = (first, third)
            second = fourth
        if not names or second.kind not in (Kind.DECLARE, Kind.ASSIGN):
            return (), False
        self.place += 2 * len(names)
        is_assignment = second.kind is Kind.ASSIGN
        for token in names:
            self._check_name(token, is_assignment=is_assignment)
        return tuple(str(token.value) for token in names), is_assignment

    def _check_name(self, token: Token, *, is_assignment: bool) -> None:
        if not token.value and not is_assignment:
            raise parse_error(self.source, token.position, "a variable has a name behind its $")
        if is_assignment:
            self._check_declared(token)

    def _check_declared(self, token: Token) -> None:
        if token.value not in self.variables:
            raise parse_error(self.source, token.position, f"the variable ${token.value} is not declared")

    def _peek(self, ahead: int) -> Token:
        return self.tokens[min(self.place + ahead, len(self.tokens) - 1)]

    def _command(self) -> Command:
        operands = [self._operand()]
        while self.token.kind not in (Kind.PIPE, Kind.RIGHT, Kind.CLOSE):
            if not self.token.is_apart:
                raise self._unexpected("expected a blank")
            operands.append(self._operand())
            if len(operands) > ARGUMENT_LIMIT:
                text = f"a command takes at most {ARGUMENT_LIMIT} values"
                raise run_error(self.source, operands[-1].position, text)
        return Command(tuple(operands))

    def _operand(self) -> Operand:
        token = self.token
        match token.kind:
            case Kind.LEFT:
                return self._group()
            case Kind.STRING | Kind.NUMBER:
                return Literal(self._take().value, token.position)
            case Kind.VARIABLE:
                self._check_declared(self._take())
                return Variable(str(token.value), self._fields(), token.position)
            case Kind.DOT:
                self._take()
                return Dot((), token.position)
            case Kind.FIELD:
                self._take()
                return Dot((str(token.value), *self._fields()), token.position)
            case Kind.NAME:
                return self._word(self._take())
        raise self._unexpected("expected a value")

    def _word(self, token: Token) -> Operand:
        name = str(token.value)
        if name in _WORDS:
            return Literal(_WORDS[name], token.position)
        if name == "nil":
            return Nil(token.position)
        if name not in self.functions:
            raise parse_error(self.source, token.position, f"there is no function {name[:60]!r}")
        return Function(name, token.position)

    def _group(self) -> Group:
        opening = self._take()
        self._deeper()
        pipeline = self._pipeline(0)
        self._expect(Kind.RIGHT)
        self.depth -= 1
        return Group(pipeline, self._fields(), opening.position)

    def _fields(self) -> tuple[str, ...]:
        """Fields that follow without a blank."""
        names: list[str] = []
        while self.token.kind is Kind.FIELD and not self.token.is_apart:
            names.append(str(self._take().value))
        return tuple(names)
