"""The Python that Chameleon makes of our templates, where its own takes steps that lead nowhere for them.

A sentence is looked up in the reader's, as no name is filled in; Chameleon puts it together and calls a function. What
is shown is made a text once, and needs no function where it is one without a sign to be escaped.
"""

import ast
import re
from collections import Counter
from typing import Any

from chameleon import nodes
from chameleon.astutil import Builtin, Symbol
from chameleon.codegen import template
from chameleon.compiler import Compiler, EmitText, ExpressionEngine, Interpolator
from markupsafe import Markup

NODES: Any = nodes  # whose attributes no type names
SPACES = re.compile(r"\s+")
# Names that Chameleon gives to what each element has, and hardly ever looks at.
NOTE = re.compile(r"^( +)(__(?:attrs|default)_\d+) = \w+$", re.MULTILINE)


class TextEngine(ExpressionEngine):
    """Makes texts of values."""

    def get_compiler(self, expression: Any, string: Any, handle_errors: bool, char_escape: Any) -> Any:
        compiler = super().get_compiler(expression, string, handle_errors, char_escape)
        if not isinstance(expression, Interpolator) or not self._literal_false:
            return compiler
        # What it puts together are texts.
        return lambda target, engine, _result_type=None, *_arguments: compiler(target, engine)

    def _convert_text(self, target: Any, char_escape: Any) -> Any:
        escaped = super()._convert_text(target, char_escape)
        if not char_escape:
            return escaped
        is_to_be_escaped = template(
            "TARGET.__class__ is not MARKUP and (TARGET.__class__ is not STR or __re_needs_escape(TARGET))",
            TARGET=target,
            MARKUP=Symbol(Markup),
            STR=Builtin("str"),
            mode="eval",
        )
        return [ast.If(test=is_to_be_escaped, body=escaped, orelse=[])]


class TemplateCompiler(Compiler):
    """Looks up sentences that are the same on all pages of a language in the name `sentences`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        uses = Counter(re.findall(r"(?<!-> )\b__(?:attrs|default)_\d+\b(?! =)", self.code))
        self.code = NOTE.sub(lambda note: note[0] if uses[note[2]] else f"{note[1]}pass", self.code)

    def visit_Translate(self, node: Any) -> Any:  # noqa: N802 Chameleon's name
        text = _static_text(node.node)
        if text is None or node.msgid:
            return super().visit_Translate(node)
        message = SPACES.sub(" ", text).strip()
        return [_sentence(message)] if message else []

    def visit_Attribute(self, node: Any) -> Any:  # noqa: N802 Chameleon's name
        value = node.expression
        if not isinstance(value, NODES.Translate) or not isinstance(value.node, ast.Constant) or node.filters:
            return super().visit_Attribute(node)
        message = str(value.node.value if value.msgid is None else value.msgid)
        before = EmitText(node.space + node.name + node.eq + node.quote)
        return [before, _sentence(message), EmitText(node.quote)]


def _static_text(node: Any) -> str | None:
    """The text of a node; None where something is filled in."""
    if isinstance(node, NODES.Text):
        return str(node.value)
    if not isinstance(node, NODES.Sequence):
        return None
    texts = [_static_text(item) for item in node.items]
    return None if None in texts else "".join(filter(None, texts))


def _sentence(message: str) -> ast.stmt:
    (statement,) = template("__append(getname('sentences')[MESSAGE])", MESSAGE=ast.Constant(message))
    return statement
