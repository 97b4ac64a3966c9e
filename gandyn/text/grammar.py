"""The tokenizer and the recursive-descent parser. What a construct means is the scope's to say."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NoReturn, TypeVar

from ..errors import TextError
from .refusal import refuse, shorten
from .scope import Scope

LONGEST = 10_000
DEEPEST = 40
LONGEST_NUMBER = 100
WORD = r"[^\W\d]\w*"
HYPHENATED = rf"{WORD}(?:-{WORD})*"
DIGITS = r"\d+(?:_\d+)*"
NUMBER = rf"(?:{DIGITS}(?:\.(?:{DIGITS})?)?|\.{DIGITS})(?:[eE][+-]?\d+)?[jJ]?(?![\w.])"
SIGNS = r"\*\*|<=|>=|[-+*/(),=\[\]{}:<>]"
USUAL = {
    "^": "a power is written **",
    ".": "names have no dots",
    '"': "close the quotation mark",
    "'": "close the quotation mark",
    ";": "one expression, without ;",
}
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Token:
    """A piece of text: its kind ("number", "word", "quoted", "sign", "end"), itself, and where it begins and ends."""

    kind: str
    text: str
    start: int
    end: int


def read(text: str, scope: Scope) -> Any:
    """What a text means in a scope; values with commas between them at the top are a tuple. Raises TextError for what
    is no number, name, call or list of them, is too long, too deep or out of range; GandynError what the scope raises
    for names and calls.
    """
    if not isinstance(text, str):
        raise TextError(f"{text!r} in place of a text", "a text", "put it in quotation marks")
    if len(text) > LONGEST:
        refuse(text, "which is too long", f"at most {LONGEST} letters", "give the expression as a SymPy object")
    return Parser(text, scope).whole()


def tokens(text: str, hyphens: bool, names: Collection[str]) -> Iterator[Token]:
    """The pieces of a text. `hyphens`: a-b is a name; `names`: further names that begin with a digit, such as 0-gp."""
    special = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    word = (rf"(?:{special})(?![\w-])|" if special else "") + (HYPHENATED if hyphens else WORD)
    pattern = re.compile(
        rf"(?P<space>\s+)|(?P<word>{word})|(?P<number>{NUMBER})|(?P<quoted>'[^']*'|\"[^\"]*\")|(?P<sign>{SIGNS})"
    )
    place = 0
    while place < len(text):
        found = pattern.match(text, place)
        if found is None:
            here = text[place]
            why = f"with {here!r} at position {place + 1}"
            refuse(
                text, why, "a number, a name, a call, or several with commas", USUAL.get(here, "0.1, 1/3 or R1(0.3)")
            )
        kind = str(found.lastgroup)
        if kind == "number" and len(found[0]) > LONGEST_NUMBER:
            refuse(text, f"with a number of {len(found[0])} digits", f"at most {LONGEST_NUMBER}", "round it")
        if kind != "space":
            yield Token(kind, found[0], place, found.end())
        place = found.end()
    yield Token("end", "", place, place)


class Parser:
    """Recursive descent: comparison < sum < product < sign < power < single value."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text, self.scope = text, scope
        self.tokens = list(tokens(text, scope.hyphens, scope.names))
        self.place = self.depth = 0

    # --- moving on -----------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.place]

    def take(self, *signs: str) -> str:
        """The next token's text if it is one of these signs, passing over it; else ""."""
        token = self.token
        if token.kind == "sign" and token.text in signs:
            self.place += 1
            return token.text
        return ""

    def demand(self, sign: str) -> None:
        """Pass over a sign that has to be there."""
        if not self.take(sign):
            self.unexpected(f"{sign!r}")

    def unexpected(self, needed: str) -> NoReturn:
        """Refuse what stands here."""
        token = self.token
        missing = needed.strip("'")
        if token.kind == "end" and missing in (")", "]", "}"):
            refuse(self.text, f"in which a bracket is left open: {missing} is missing", missing, self.text + missing)
        what = f"{shorten(token.text)} at position {token.start + 1}" if token.kind != "end" else "its end"
        refuse(self.text, f"with {what}", f"{needed} there", "0.1, 1/3, (0.1, 0.2) or HeavyBall(0.1, momentum=-0.3)")

    def deeper(self, parse: Callable[[], T]) -> T:
        """Parse one level further in, refusing towers."""
        self.depth += 1
        if self.depth > DEEPEST:
            refuse(self.text, f"nested deeper than {DEEPEST}", "a flatter expression", "multiply signs and powers out")
        result = parse()
        self.depth -= 1
        return result

    # --- constructs ----------------------------------------------------------------------------------------------

    def whole(self) -> Any:
        """The whole text: one value, or a tuple of several."""
        values = [self.comparison()]
        several = False
        while self.take(","):
            several = True
            if self.token.kind != "end":
                values.append(self.comparison())
        if self.token.kind != "end":
            self.unexpected("the end of the value")
        return tuple(values) if several else values[0]

    def comparison(self) -> Any:
        """a < b, where the scope has comparisons; otherwise a sum."""
        left = self.sum()
        sign = self.take("<", "<=", ">", ">=")
        return self.scope.compare(sign, left, self.sum(), self.text) if sign else left

    def sum(self) -> Any:
        """Terms with + and - between them, added at once."""
        terms, signs = [self.product()], [1]
        while sign := self.take("+", "-"):
            terms.append(self.product())
            signs.append(1 if sign == "+" else -1)
        return self.scope.total(terms, signs, self.text) if len(terms) > 1 else terms[0]

    def product(self) -> Any:
        """Factors with * and / between them, multiplied at once."""
        factors, powers = [self.signed()], [1]
        while sign := self.take("*", "/"):
            factors.append(self.signed())
            powers.append(1 if sign == "*" else -1)
        return self.scope.product(factors, powers, self.text) if len(factors) > 1 else factors[0]

    def signed(self) -> Any:
        """A power with signs before it; -2**2 is -(2**2)."""
        sign = self.take("+", "-")
        if not sign:
            return self.power()
        value = self.deeper(self.signed)
        return self.scope.negative(value, self.text) if sign == "-" else self.scope.positive(value, self.text)

    def power(self) -> Any:
        """A value, raised to what follows **, from the right."""
        base = self.single()
        if not self.take("**"):
            return base
        return self.scope.power(base, self.deeper(self.signed), self.text)

    def single(self) -> Any:
        """A number, a word, a call, a quoted text, or values in brackets."""
        token = self.token
        self.place += 1
        if token.kind == "number":
            return self.scope.number(token.text, self.text)
        if token.kind == "quoted":
            return self.scope.quoted(token.text[1:-1], self.text)
        if token.kind == "word":
            if self.take("("):
                return self.deeper(lambda: self.call(token))
            return self.scope.word(token.text, self.text)
        if token.kind == "sign" and token.text in "([{":
            return self.deeper({"(": self.group, "[": self.bracket, "{": self.table}[token.text])
        self.place -= 1
        self.unexpected("a number, a name, or a call")

    def group(self) -> Any:
        """(a) is a, (a, b) and (a,) are tuples."""
        values, several = self.until(")")
        return values[0] if len(values) == 1 and not several else tuple(values)

    def bracket(self) -> tuple[str, ...]:
        """[a, b] is the tuple (a, b)."""
        return tuple(self.until("]")[0])

    def until(self, close: str) -> tuple[list[Any], bool]:
        """Values up to a closing bracket, and whether there was a comma."""
        values: list[Any] = []
        comma = False
        while not self.take(close):
            values.append(self.comparison())
            if not self.take(","):
                self.demand(close)
                break
            comma = True
        return values, comma

    def table(self) -> dict[str, Any]:
        """{x: 0.1, y: 0.2}: values by name."""
        values: dict[str, Any] = {}
        while not self.take("}"):
            name = self.name("a name before ':'")
            self.demand(":")
            self.once(name, values)
            values[name] = self.comparison()
            if not self.take(","):
                self.demand("}")
                break
        return values

    def name(self, needed: str) -> str:
        """A name that has to be there, in quotation marks or not."""
        token = self.token
        if token.kind not in ("word", "quoted"):
            self.unexpected(needed)
        self.place += 1
        return token.text if token.kind == "word" else token.text[1:-1]

    def once(self, name: str, values: Collection[str]) -> None:
        """Refuse a name that has its value already."""
        if name in values:
            refuse(self.text, f"which gives {name} twice", "one value for each name", "drop one of them")

    def call(self, head: Token) -> Any:
        """NAME(value, ..., name=value, ...), the opening bracket being passed."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        while not self.take(")"):
            following = self.tokens[self.place + 1] if self.token.kind == "word" else self.token
            if self.token.kind == "word" and following.kind == "sign" and following.text == "=":
                name = self.name("a name")
                self.demand("=")
                self.once(name, named)
                named[name] = self.comparison()
            elif named:
                self.unexpected("a name and '=', as for the values before,")
            else:
                positional.append(self.comparison())
            if not self.take(","):
                self.demand(")")
                break
        source = self.text[head.start : self.tokens[self.place - 1].end]
        return self.scope.call(head.text, positional, named, source)
