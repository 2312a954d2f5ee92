"""Texts out of templates: the values of a recipient put into the places of its variables.

Values are taken as they are, never read again for variables. A recipient without a value gets what
the template says about missing values, or no text at all.
"""

from collections.abc import Mapping, Sequence

from textwave.content.variables import MissingValue, TemplateText

_DROP = MissingValue()


def render(template: TemplateText, values: Sequence[str], token: str = "") -> str:
    """Return the text for one recipient; `values` in the order of `template.names`.

    Raises:
        IndexError: fewer values than names.
    """
    return template.form.format(token, *values)


def render_many(
    template: TemplateText, columns: Sequence[Sequence[str]], tokens: Sequence[str]
) -> list[str]:
    """Return the texts for many; a column a name in the order of `template.names`, a token each.

    Raises:
        ValueError: the columns are not one a name, or not of one length with `tokens`.
    """
    if len(columns) != len(template.names):
        raise ValueError(f"{len(columns)} columns for {len(template.names)} variables")
    if any(len(column) != len(tokens) for column in columns):
        raise ValueError("the columns are not as long as the tokens")
    return list(map(template.form.format, tokens, *columns))


def fill(
    template: TemplateText, values: Sequence[str | None], missing: Mapping[str, MissingValue]
) -> list[str] | None:
    """Return the values with the missing ones filled in; None if the recipient is to be dropped.

    A value is missing if it is None or blank. A variable that `missing` does not name drops.
    """
    filled: list[str] = []
    for name, value in zip(template.names, values, strict=True):
        present = value if value and not value.isspace() else missing.get(name, _DROP).text
        if present is None:
            return None
        filled.append(present)
    return filled
