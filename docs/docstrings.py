"""Sphinx extension: a paragraph of a docstring whose lines begin with names and colons becomes a list of them."""

import re

NAME = re.compile(r"\w+(, \w+)*: ")


def as_list(paragraph):
    """`x: what it is` as `- **x:** what it is`, with the lines that go on with it; other paragraphs as they are."""
    if sum(NAME.match(line) is not None for line in paragraph) < 2:
        return paragraph
    lines = []
    for line in paragraph:
        name = NAME.match(line)
        lines.append(f"- **{name[0].strip()}** {line[name.end():]}" if name else "  " * bool(lines) + line)
    return lines


def rewrite(app, what, name, obj, options, lines):
    paragraphs, paragraph = [], []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
        else:
            paragraphs += [*as_list(paragraph), ""]
            paragraph = []
    lines[:] = paragraphs


def setup(app):
    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True}
