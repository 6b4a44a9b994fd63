"""core <- simulators <- experiments <- notebooks and core <- fitting <- experiments: no include goes against an arrow."""
import pathlib
import re
import tempfile
import unittest

MAY_INCLUDE = {
    "core": {"core"},
    "simulators": {"core", "simulators"},
    "fitting": {"core", "fitting"},
    "experiments": {"core", "simulators", "fitting", "experiments"},
    "notebooks": {"core", "simulators", "fitting", "experiments", "notebooks"},
}
QUOTED = re.compile(r'^\s*#\s*(?:include|define\s+HWY_TARGET_INCLUDE)\s*["<]([^">]+)[">]', re.MULTILINE)


def violations(root):
    """Lines "file includes header" for each include of another layer, of tests/ or by a relative path."""
    return sorted(
        f"{file.relative_to(root)} includes {header}"
        for layer, allowed in MAY_INCLUDE.items()
        for file in (root / layer).rglob("*")
        if file.suffix in {".h", ".cpp"}
        for header in QUOTED.findall(file.read_text(encoding="utf-8"))
        if (first := header.split("/")[0]) in (MAY_INCLUDE.keys() | {"tests", "..", "."}) - allowed
    )


class Layering(unittest.TestCase):
    def test_no_include_goes_against_an_arrow(self):
        self.assertEqual(violations(pathlib.Path(__file__).resolve().parents[2]), [])

    def test_a_planted_include_is_found(self):
        planted = {"core/a.h": "fitting/b.h", "fitting/b.h": "simulators/c.h", "simulators/c.cpp": "../core/a.h",
                   "experiments/d.cpp": "tests/e.h", "experiments/fine.cpp": "fitting/b.h"}
        with tempfile.TemporaryDirectory() as folder:
            for file, header in planted.items():
                (path := pathlib.Path(folder, file)).parent.mkdir(exist_ok=True)
                path.write_text(f'#include <vector>\n  # include "{header}"\n', encoding="utf-8")
            expected = [f"{file} includes {header}" for file, header in planted.items() if "fine" not in file]
            self.assertEqual(violations(pathlib.Path(folder)), sorted(expected))


if __name__ == "__main__":
    unittest.main()
