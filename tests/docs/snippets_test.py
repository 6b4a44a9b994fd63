"""Every snippet of the documentation runs, and prints what its page shows.

Usage: snippets_test.py PROGRAM [PAGE...], the built `bitlaw` and pages by their path in the repository (default: all).
What is done with which block: docs/README.md. `bitlaw` must be importable; 77 where Markdown cannot be read.
"""

import argparse
import dataclasses
import doctest
import io
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import prepare

try:
    from markdown_it import MarkdownIt
except ImportError:
    print("skipped: no markdown-it-py; scripts/setup.sh dev installs it")
    sys.exit(77)

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LONGEST = 300  # seconds that a shell block may take, on a machine that others share
FILE = re.compile(r"<!-- file: (?P<file>\S+) -->\s*$")
MARK = re.compile(r"<!-- not run: (?P<reason>[^[]*?)(?: \[(?P<words>[^]]+)\])? -->\s*$")
SECTION = re.compile(r"<!-- section not run: (?P<reason>.*?) -->\s*$")
COMMAND = re.compile(r"(\$ )?(bitlaw|build/\S+|\./\S+|scripts/\S+|\$\w+|cd|cmake|ctest|export|for|mkdir|pip|pytest"
                     r"|python3|sbatch|time) ")
LANGUAGES = {"sh": "shell", "console": "shell", "python": "python", "yaml": "yaml", "cpp": "elsewhere",
             "cmake": "elsewhere"}


@dataclasses.dataclass
class Block:
    page: str
    line: int
    kind: str  # a value of LANGUAGES, or "text": no code
    text: str
    reason: str = ""  # why it is not run
    words: tuple = ()  # only commands with one of these are not run
    file: str = ""  # it is the content of this one

    @property
    def place(self):
        return f"{self.page}:{self.line}"


def kind_of(token):
    if token.info:
        return LANGUAGES.get(token.info.split()[0], "text")
    return "shell" if COMMAND.match(token.content) else "text"


def blocks_of(page):
    """The code blocks of a page in order, each with the mark that stands before it."""
    tokens = MarkdownIt().parse((REPOSITORY / page).read_text(encoding="utf-8"))
    blocks, section = [], ""
    for before, token in zip([None, *tokens], tokens):
        if token.type == "heading_open":
            section = ""
        elif token.type == "html_block" and (mark := SECTION.match(token.content)):
            section = mark["reason"]
        if token.type not in ("fence", "code_block"):
            continue
        block = Block(page, token.map[0] + 1, kind_of(token), token.content, section)
        comment = before.content if before is not None and before.type == "html_block" else ""
        if mark := MARK.search(comment):
            block.reason = mark["reason"]
            block.words = tuple(mark["words"].split(" | ")) if mark["words"] else ()
        if file := FILE.search(comment):
            block.file = file["file"]
        blocks.append(block)
    return blocks


def commands_of(text):
    """The lines of a shell block, those that end in a backslash with what follows."""
    return re.findall(r"(?:[^\n]*\\\n)*[^\n]*\n", text)


def shell(text, environment):
    tell = "trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n"
    with subprocess.Popen(["bash", "-e", "-o", "pipefail", "-c", tell + text], env=environment, text=True,
                          start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            printed, errors = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with all that it has started
            raise AssertionError(f"not done after {LONGEST} s\n{text}") from None
    assert process.returncode == 0, f"exit code {process.returncode}\n...{(printed + errors)[-2000:]}"
    return printed


def same(shown, printed):
    """Whether a page shows what was printed; `...` stands for anything, more blanks for one."""
    shown, printed = (re.sub(" +", " ", text).replace(" \n", "\n").strip("\n") for text in (shown, printed))
    return re.fullmatch(re.escape(shown).replace(r"\.\.\.", ".*"), printed, re.DOTALL) is not None


def run_console(text, environment):
    """A block in which `$ ` begins a command and other lines are what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = commands_of(part)[0]
        shown, printed = part[len(command):], shell(command, environment)
        assert same(shown, printed), f"$ {command}prints\n{printed}and the page shows\n{shown}"


def run_python(block, names):
    if not block.text.startswith(">>>"):
        exec(compile(block.text, block.place, "exec"), names)
        return
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(block.text, names, block.place, block.page, block.line)
    said = io.StringIO()
    doctest.DocTestRunner(optionflags=options).run(test, out=said.write, clear_globs=False)
    assert not said.getvalue(), said.getvalue()
    names.update(test.globs)


def run_shell(block, environment):
    commands = commands_of(block.text)
    for word in block.words:
        assert any(word in command for command in commands), f"the mark names '{word}', which is in no command"
    shell("".join(c for c in commands if not any(word in c for word in block.words)), environment)


def run_yaml(block, environment):
    """A whole experiment is planned; a part of one is read as such, in a whole one."""
    whole = block.text if "experiment:" in block.text else prepare.EXPERIMENT + block.text
    pathlib.Path("snippet.yaml").write_text(whole, encoding="utf-8")
    shell("bitlaw sweep plan snippet.yaml\n", environment)


def run(block, environment, names):
    if block.file:
        pathlib.Path(block.file).write_text(block.text, encoding="utf-8")
    elif block.kind == "python":
        run_python(block, names)
    elif block.kind == "yaml":
        run_yaml(block, environment)
    elif block.text.startswith("$ "):
        run_console(block.text, environment)
    else:
        run_shell(block, environment)


def check(page, folder, environment):
    """Runs a page's blocks in a folder; counts by outcome, and what failed."""
    counts, failures, names = {"run": 0, "not run": 0, "no code": 0}, [], {}
    os.chdir(folder)
    for block in blocks_of(page):
        if block.kind == "text" and not (block.reason or block.file):
            counts["no code"] += 1
            continue
        if block.kind == "elsewhere" and not block.reason:
            failures.append(f"{block.place}: cannot be compiled here; say in a mark what does")
            continue
        if block.reason:
            print(f"{block.place}: not run: {block.reason} {list(block.words) if block.words else ''}")
        if block.reason and not block.words:
            counts["not run"] += 1
            continue
        begun = time.perf_counter()
        try:
            run(block, environment, names)
            counts["run"] += 1
        except Exception as error:  # of any kind: the next block is run all the same
            said = str(error) if isinstance(error, AssertionError) else traceback.format_exc(limit=-1)
            failures.append(f"{block.place}: {said}")
        if time.perf_counter() - begun > 3:
            print(f"{block.place}: {time.perf_counter() - begun:.1f} s")
    return counts, failures


def pages():
    """Every Markdown file, but for those of builds, results and hidden folders."""
    found = (path.relative_to(REPOSITORY) for top in ["*.md", *(f"{name}/**/*.md" for name in prepare.FOLDERS)]
             for path in REPOSITORY.glob(top))
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("pages", nargs="*")
    arguments = parser.parse_args()
    total, failures = {"run": 0, "not run": 0, "no code": 0}, []
    with tempfile.TemporaryDirectory() as temporary:
        store = prepare.Store(REPOSITORY, arguments.program.resolve(), pathlib.Path(temporary))
        for page in arguments.pages or pages():
            counts, failed = check(page, store.folder_for(page), store.environment)
            total = {key: total[key] + counts[key] for key in total}
            failures += failed
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"snippets: {total['run']} run, {total['not run']} marked as not run, {len(failures)} failed; "
          f"{total['no code']} other blocks are no code")
    return 1 if failures or not total["run"] else 0


if __name__ == "__main__":
    sys.exit(main())
