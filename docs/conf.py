"""The documentation: the Markdown files of the whole repository, where they lie, and what the code says of itself.

Sphinx's source folder is the repository; ./docs.sh calls it. BITLAW_PROGRAM is the built program.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

project = "Bitlaw"
html_title = "Bitlaw"
extensions = ["sphinx.ext.autodoc", "myst_parser", "catalogues", "docstrings", "repository_links"]
root_doc = "docs/index"
folders = ["core", "data", "docs", "experiments", "fitting", "notebooks", "simulators", "tests"]
include_patterns = ["*.md", *(f"{folder}/**.md" for folder in folders)]
exclude_patterns = ["build*", "results", "shared"]
highlight_language = "none"  # indented blocks; fences name theirs

html_theme = "furo"
html_copy_source = False
html_show_copyright = html_show_sphinx = False
html_extra_path = ["site"]  # index.html, which leads to root_doc
html_static_path = ["static"]
html_css_files = ["tables.css"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"

autodoc_mock_imports = ["matplotlib"]  # of which bitlaw.plot says nothing before it draws
default_role = "literal"  # of the docstrings' backquotes
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures already say them
cpp_tagfile = str(pathlib.Path(__file__).parents[1] / "build" / "docs" / "cpp.tag")  # written by Doxygen
