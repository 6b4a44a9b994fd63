"""Sphinx extension: what the built program says of its laws, formats and blocks, as Markdown in place of a mark.

A page asks by a comment in a line of its own, <!-- catalogue: laws --> (formats, blocks). BITLAW_PROGRAM says where the
program is.
"""

import json
import math
import os
import re
import subprocess

MARK = re.compile(r"^<!-- catalogue: (\w+) -->$", re.MULTILINE)


def asked(*words):
    """What a verb of the program says with --json."""
    return json.loads(subprocess.run([os.environ["BITLAW_PROGRAM"], *words, "--json"], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout)


def prose(text):
    """Text in which nothing is markup, except that arXiv numbers are links."""
    escaped = re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", text)
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", escaped)


def code(text):
    return "`" + str(text).replace("|", r"\|") + "`"


def number(value, digits=6):
    return "–" if value is None else f"{value:.{digits}g}"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def law_section(law):
    """Equation, source, and a row for each parameter with its published values."""
    published = law["published"]
    rows = [[code(p["name"]), prose(p["units"]), "logarithm" if p["transform"] == "log" else "itself",
             number(p["lower"]), number(p["upper"]), *(number(fit["values"][p["name"]], 10) for fit in published)]
            for p in law["parameters"]]
    header = ["parameter", "units", "fitted as", "least", "largest", *(code(fit["name"]) for fit in published)]
    citations = [f"- {code(fit['name'])}: {prose(fit['citation'])}" for fit in published]
    return "\n\n".join([f"## {law['name']}", f"```text\n{law['equation']}\n```", prose(law["source"]),
                        f"Inputs: {', '.join(map(code, law['inputs']))}.", table(header, rows), "\n".join(citations)])


def laws():
    return "\n\n".join(map(law_section, asked("laws")["laws"]))


def specials(facts):
    names = {"infinity": "∞", "nan": "NaN", "minus_zero": "−0"}
    zero = [] if facts.get("zero", True) else ["no 0"]
    return " ".join([*(sign for key, sign in names.items() if facts.get(key)), *zero])


def finite_range(facts):
    least, largest = facts["least_finite"], facts["max_finite"]
    return f"±{number(largest)}" if least == -largest else f"{number(least)} to {number(largest)}"


def power_of_two(value):
    """A number as 2^n where it is one."""
    mantissa, exponent = math.frexp(value or 0)
    return f"2<sup>{exponent - 1}</sup>" if mantissa == 0.5 else number(value)


def formats():
    """A row for each format; names of the same one share it, and so do sources a note."""
    names, same, sources = {}, {}, {}
    for facts in asked("formats")["formats"]:
        key = json.dumps({k: v for k, v in facts.items() if k != "name"}, sort_keys=True)
        names.setdefault(key, []).append(facts["name"])
        same[key] = facts
        sources.setdefault(facts["source"], len(sources) + 1)
    rows = [[", ".join(map(code, names[key])), str(facts["bits"]),
             *(str(facts.get(k, "–")) for k in ("exponent_bits", "mantissa_bits", "bias")), finite_range(facts),
             *(power_of_two(facts.get(k)) for k in ("min_normal", "min_positive")),
             power_of_two(facts.get("epsilon") or facts.get("step")), specials(facts), f"[{sources[facts['source']]}]"]
            for key, facts in same.items()]
    header = ["name", "bits", "E", "M", "bias", "range", "least normal", "least positive", "ulp of 1, step", "specials",
              ""]
    return table(header, rows) + "\n" + "\n".join(f"{n}. {prose(source)}" for source, n in sources.items())


def blocks():
    import bitlaw

    rows = []
    for name in bitlaw.block_presets():
        block = asked("formats", "show", name)
        rows.append([code(name), code(block["element"]["name"]), code(block["scale"]["name"]),
                     code(block["choices"]["block"]), code(block["canonical"]), prose(block["source"])])
    return table(["name", "elements", "scale", "block", "in full", "source"], rows)


def fill(app, docname, source):
    catalogues = {"laws": laws, "formats": formats, "blocks": blocks}
    source[0] = MARK.sub(lambda mark: catalogues[mark[1]](), source[0])


def setup(app):
    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
