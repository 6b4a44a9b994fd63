#!/usr/bin/env python3
"""Runs notebooks and compares every number that they print with the one that is stored in them.

    notebooks/check.py                       # all of them; exit code 1 when something differs
    notebooks/check.py 02_formats.ipynb      # some
    notebooks/check.py --write 02_formats.ipynb    # runs it and stores what it printed and drew
    notebooks/check.py --count               # runs nothing, says what is stored

What is compared is the text of every cell's outputs, character for character; pictures are drawn and not compared.
Needs the Python packages of tests/conformance/requirements.txt and `bitlaw` itself.
"""

import argparse
import difflib
import re
import sys
from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parent
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")


def text_of(cell):
    """What a cell printed and what its last line was worth, without pictures."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and output.name == "stdout":
            parts.append(output.text)
        elif output.output_type in ("execute_result", "display_data") and "image/png" not in output.data:
            parts.append(output.data.get("text/plain", "") + "\n")
    return "".join(parts)


def texts_of(notebook):
    return [text_of(cell) for cell in notebook.cells if cell.cell_type == "code"]


def count_numbers(notebook):
    return sum(len(NUMBER.findall(text)) for text in texts_of(notebook))


def executed(notebook):
    """The notebook run in a fresh kernel. CellExecutionError where a cell raises."""
    import nbclient

    fresh = nbformat.from_dict(notebook)
    nbclient.NotebookClient(fresh, timeout=600, kernel_name="python3",
                            resources={"metadata": {"path": str(FOLDER)}}).execute()
    for cell in fresh.cells:
        cell.metadata.pop("execution", None)  # times, which differ from run to run
    return fresh


def differences(stored, fresh):
    """The lines that a notebook printed otherwise, as a diff."""
    lines = []
    for number, (old, new) in enumerate(zip(texts_of(stored), texts_of(fresh)), start=1):
        lines += difflib.unified_diff(old.splitlines(), new.splitlines(), f"code cell {number}, stored", "now",
                                      lineterm="", n=1)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--count", action="store_true")
    arguments = parser.parse_args()
    files = [file if file.is_absolute() else FOLDER / file.name for file in arguments.notebooks]
    files = files or sorted(FOLDER.glob("*.ipynb"))
    for file in files:
        if not file.is_file():
            parser.error(f"{file.name}: is no notebook of {FOLDER}, so nothing was run; give the name of a file there")

    failed, numbers = 0, 0
    for file in files:
        stored = nbformat.read(file, as_version=4)
        if not arguments.count:
            fresh = executed(stored)
            if arguments.write:
                nbformat.write(fresh, file)
                stored = fresh
            changed = differences(stored, fresh)
            if changed:
                failed += 1
                print(f"{file.name}: prints something else than is stored in it:", *changed, sep="\n")
        count = count_numbers(stored)
        if count == 0:
            failed += 1
            print(f"{file.name}: has no number stored, so nothing would be compared; --write stores them")
        numbers += count
    print(f"{len(files) - failed} of {len(files)} notebooks {'have' if arguments.count else 'print'} what is stored in "
          f"them, {numbers} numbers in all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
