"""The HTML report is well-formed, needs no other file and shows what was planted.

Usage: html_report_test.py FOLDER, where write_planted_report has left planted.html, strange.html and empty.html.
The expected numbers follow from tests/experiments/report/planted_law.h by hand.
"""
import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree as xml

FOLDER = pathlib.Path(sys.argv.pop())
REPORTS = ["planted.html", "strange.html", "empty.html"]


def page(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    doctype, rest = text.split("\n", 1)
    assert doctype == "<!DOCTYPE html>"
    return text, xml.fromstring(rest)


def words(element):
    return "".join(element.itertext())


class Report(unittest.TestCase):
    def test_every_report_is_well_formed(self):
        for name in REPORTS:
            with self.subTest(name):
                _, root = page(name)
                self.assertEqual(root.find("head/meta").get("charset"), "utf-8")

    def test_nothing_is_loaded_from_elsewhere(self):
        for name in REPORTS:
            with self.subTest(name):
                text, root = page(name)
                for element in root.iter():
                    self.assertNotIn(element.tag, ["script", "link", "img", "iframe"])
                    self.assertFalse({"src", "href"} & set(element.keys()))
                self.assertNotIn("url(", text)
                self.assertNotIn("@import", text)

    def test_missing_numbers_never_show_as_nan(self):
        for name in REPORTS:
            _, root = page(name)
            self.assertIsNone(re.search(r"\b(nan|inf)\b", words(root.find("body")), re.IGNORECASE))
            for element in root.iter():
                for value in element.attrib.values():
                    self.assertIsNone(re.search(r"\b(nan|inf)\b", value), f"{name}: {element.attrib}")

    def test_names_are_escaped(self):
        text, root = page("planted.html")
        self.assertEqual(root.find("body/h1").text, "A planted law <& its penalties>")
        self.assertIn("&lt;b&gt;not bold&lt;/b&gt;", text)
        self.assertIn('mxfp4 "µ" <größer>', words(page("strange.html")[1]))

    def test_a_panel_per_token_count_and_per_size(self):
        _, root = page("planted.html")
        titles = [text.text for text in root.iter("text") if text.get("class") == "title"]
        self.assertEqual(titles[:7], ["D = 262.1k", "D = 524.3k", "D = 1.049M",
                                      "N = 10.24k", "N = 32.77k", "N = 102.4k", "N = 300k"])

    def test_marks_lie_inside_their_figure_and_count_the_runs(self):
        _, root = page("planted.html")
        figures = list(root.iter("svg"))
        for svg in figures:
            width, height = map(float, svg.get("viewBox").split()[2:])
            for mark in svg.iter("circle"):
                self.assertTrue(0 < float(mark.get("cx")) < width and 0 < float(mark.get("cy")) < height)
        # 24 float32 runs as circles, one more in the legend.
        self.assertEqual([len(list(svg.iter("circle"))) for svg in figures[:2]], [25, 25])
        # 24 mxfp8 squares, 23 mxfp4 triangles, 2 in the legend; the run without a loss is a cross of two strokes.
        self.assertEqual(len(list(figures[0].iter("polygon"))), 49)
        self.assertEqual(len([line for line in figures[0].iter("line") if line.get("class") == "bar s2"]), 2)

    def test_the_law_passes_through_the_runs_that_obey_it(self):
        """Runs are on the planted law exactly, so each circle of a panel lies on the panel's curve to a pixel's tenth."""
        svg = next(page("planted.html")[1].iter("svg"))
        curves = [line.get("points").split() for line in svg.iter("polyline")]
        self.assertEqual(len(curves), 3)  # float32 in three panels
        points = [tuple(map(float, text.split(","))) for curve in curves for text in curve]
        circles = [(float(c.get("cx")), float(c.get("cy"))) for c in svg.iter("circle")][1:]
        for x, y in circles:
            below = max((p for p in points if p[0] <= x + 0.05), key=lambda p: p[0])
            above = min((p for p in points if p[0] >= x - 0.05), key=lambda p: p[0])
            share = 0 if above[0] == below[0] else (x - below[0]) / (above[0] - below[0])
            self.assertAlmostEqual(y, below[1] + share * (above[1] - below[1]), delta=0.3)

    def test_residuals_of_one_percent_are_drawn_at_one_height_above_zero(self):
        svgs = list(page("planted.html")[1].iter("svg"))
        for svg in svgs[-3:]:
            heights = {float(circle.get("cy")) for circle in list(svg.iter("circle"))[1:]}
            self.assertEqual(len(heights), 1)
            zero = next(float(line.get("y1")) for line in svg.iter("line") if line.get("class") == "zero")
            self.assertLess(heights.pop(), zero)

    def test_an_empty_sweep_says_so(self):
        text = words(page("empty.html")[1].find("body"))
        self.assertIn("There are no runs to compare.", text)
        self.assertIn("No law was fitted.", text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
