"""bitlaw.report: the page that `bitlaw report` writes, and the same as PDF."""

import pathlib

import bitlaw
import pytest

SWEEP = pathlib.Path(__file__).parents[2] / "data" / "results" / "qat_law.h5"
BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)  # Okabe and Ito's, of two precisions


def test_html_is_what_the_program_writes(tmp_path):
    assert bitlaw.report(SWEEP, tmp_path / "a.html") == tmp_path / "a.html"
    bitlaw.command("report", SWEEP, "--to", tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_html_has_no_parse_error_by_the_html_standard(tmp_path):
    html5lib = pytest.importorskip("html5lib")
    bitlaw.report(SWEEP, tmp_path / "a.html")
    html5lib.HTMLParser(strict=True).parse((tmp_path / "a.html").read_bytes())


def test_pdf_has_every_page_with_its_text_and_coloured_figures(tmp_path):
    pytest.importorskip("weasyprint", exc_type=(ImportError, OSError))  # it needs the system's Pango
    pypdf = pytest.importorskip("pypdf")
    bitlaw.report(SWEEP, tmp_path / "r.pdf")
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.pdf"]
    pages = pypdf.PdfReader(tmp_path / "r.pdf").pages
    assert [round(float(length) / 72 * 25.4) for length in pages[0].mediabox[2:]] == [210, 297]  # A4 [mm]
    text = " ".join("".join(page.extract_text() for page in pages).split())
    runs = bitlaw.load(SWEEP).runs
    for words in ("INT4 quantization-aware training", "160 runs", "Penalty against float32", "Configuration", "batch: 8"):
        assert words in text
    for loss in runs["loss"]:
        assert f"{loss:.4f}" in text
    drawn = "".join(page.get_contents().get_data().decode("latin-1") for page in pages)
    for xobject in (x for page in pages for x in page["/Resources"].get("/XObject", {}).values()):
        drawn += xobject.get_object().get_data().decode("latin-1")
    fills = {tuple(round(255 * float(word)) for word in line.split()[:3])
             for line in drawn.splitlines() if line.endswith((" rg", " RG"))}
    assert {BLUE, ORANGE} <= fills


def test_nothing_is_written_of_what_is_no_report(tmp_path):
    with pytest.raises(ValueError, match=r"x.txt: reports are .html or .pdf, so nothing was written"):
        bitlaw.report(SWEEP, tmp_path / "x.txt")
    (tmp_path / "no.h5").write_text("no HDF5")
    for name in ("x.html", "x.pdf"):
        with pytest.raises(ValueError):
            bitlaw.report(tmp_path / "no.h5", tmp_path / name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["no.h5"]
