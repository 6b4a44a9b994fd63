"""Sphinx extension: a path in code type, as the READMEs write it, leads to the page or the header that it names.

Paths count from the page's own folder or from the repository's: `core/README.md`, `launch/` (a folder with a README),
`core/format/rounding.h` (its page in Doxygen's tag file, the configuration value cpp_tagfile).
"""

import os
import pathlib
import xml.etree.ElementTree as xml

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform


def header_pages(tagfile, repository):
    """Doxygen's page, below cpp/, of each documented header by its path in the repository."""
    files = (c for c in xml.parse(tagfile).getroot() if c.get("kind") == "file")
    return {os.path.relpath(f.findtext("path") + f.findtext("name"), repository): f.findtext("filename") for f in files}


class RepositoryLinks(SphinxTransform):
    default_priority = 500

    def apply(self):
        pages = header_pages(self.config.cpp_tagfile, self.env.srcdir)
        folder = pathlib.PurePosixPath(self.env.docname).parent
        for literal in list(self.document.findall(nodes.literal)):
            if not isinstance(literal.parent, (nodes.reference, addnodes.pending_xref)):
                self.link(literal, [str(folder / literal.astext()), literal.astext()], pages)

    def link(self, literal, paths, pages):
        for path in paths:
            document = path.removesuffix(".md") if path.endswith(".md") else f"{path.rstrip('/')}/README"
            if document in self.env.found_docs and document != self.env.docname:
                target = addnodes.pending_xref("", refdomain="std", reftype="doc", reftarget=f"/{document}",
                                               refexplicit=True, refdoc=self.env.docname, refwarn=True)
            elif path in pages:
                up = "../" * self.env.docname.count("/")
                target = nodes.reference("", "", refuri=f"{up}cpp/{pages[path]}", internal=False)
            else:
                continue
            literal.replace_self(target)
            target += literal
            return


def setup(app):
    app.add_config_value("cpp_tagfile", "", "env")
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True}
