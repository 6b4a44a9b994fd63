#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "tests/experiments/cli/program.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("bitlaw formats: shows the numbers of the specifications") {
  Program bitlaw;
  const json formats = json::parse(bitlaw({"formats", "e4m3", "e2m1", "e5m2", "int8", "--json"}).out)["formats"];
  CHECK(formats[0]["max_finite"] == 448);  // OCP OFP8, Table 1
  CHECK(formats[0]["min_positive"] == 0x1p-9);
  CHECK(formats[0]["epsilon"] == 0.125);
  CHECK(formats[0]["infinity"] == false);
  CHECK(formats[1]["max_finite"] == 6);  // OCP MX v1.0, Table 5
  CHECK(formats[1]["bits"] == 4);
  CHECK(formats[2]["max_finite"] == 57344);
  CHECK(formats[3]["max_finite"] == 127);
  CHECK(formats[3]["epsilon"] == nullptr);
}

TEST_CASE("bitlaw formats: the table has a line per format, a note per source and fits 100 columns") {
  Program bitlaw;
  const std::vector<std::string> lines = lines_of(bitlaw({"formats"}).out);
  const auto notes = std::count_if(lines.begin(), lines.end(), [](const auto& l) { return l.starts_with("  ["); });
  CHECK(static_cast<std::size_t>(notes) + format_catalog().size() + 3 == lines.size());
  for (const std::string& line : lines) CHECK(line.size() <= 100);
  CHECK(bitlaw({"formats", "e4m3"}).out ==
        "Number formats: E exponent bits, M fraction bits, epsilon = 2^-M\n"
        "  name  specials  bits  E  M  bias  max  min normal  subnormal  epsilon  ref\n"
        "  e4m3  nan -0       8  4  3     7  448    0.015625   0.001953    0.125  [1]\n"
        "  [1] OCP 8-bit Floating Point Specification (OFP8) v1.0, Table 1\n");
}

TEST_CASE("bitlaw formats show: the 16 codes of FP4 E2M1 (OCP MX v1.0, Table 5)") {
  Program bitlaw;
  const std::string text = bitlaw({"formats", "show", "e2m1"}).out;
  CHECK(text.substr(text.find("All")) ==
        "All 16 codes\n"
        "  code  binary  is         value\n"
        "  0x00  0 00 0  zero           0\n"
        "  0x01  0 00 1  subnormal    0.5\n"
        "  0x02  0 01 0  normal         1\n"
        "  0x03  0 01 1  normal       1.5\n"
        "  0x04  0 10 0  normal         2\n"
        "  0x05  0 10 1  normal         3\n"
        "  0x06  0 11 0  normal         4\n"
        "  0x07  0 11 1  normal         6\n"
        "  0x08  1 00 0  zero          -0\n"
        "  0x09  1 00 1  subnormal   -0.5\n"
        "  0x0a  1 01 0  normal        -1\n"
        "  0x0b  1 01 1  normal      -1.5\n"
        "  0x0c  1 10 0  normal        -2\n"
        "  0x0d  1 10 1  normal        -3\n"
        "  0x0e  1 11 0  normal        -4\n"
        "  0x0f  1 11 1  normal        -6\n");
}

TEST_CASE("bitlaw formats show: says what each code is") {
  Program bitlaw;
  const auto kinds = [&](const std::string& name) {
    std::map<std::string, int> counts;
    const json document = json::parse(bitlaw({"formats", "show", name, "--json"}).out);
    for (const json& code : document["codes"]) ++counts[code["is"]];
    return counts;
  };
  using Counts = std::map<std::string, int>;
  // Per sign: 7 subnormals, 15 binades of 8 less the NaN code (OCP OFP8, Table 2).
  CHECK(kinds("e4m3") == Counts{{"zero", 2}, {"subnormal", 14}, {"normal", 238}, {"nan", 2}});
  CHECK(kinds("e5m2") == Counts{{"zero", 2}, {"subnormal", 6}, {"normal", 240}, {"inf", 2}, {"nan", 6}});
  CHECK(kinds("binary8p3se") == Counts{{"zero", 1}, {"subnormal", 6}, {"normal", 246}, {"inf", 2}, {"nan", 1}});
  CHECK(kinds("e8m0") == Counts{{"normal", 255}, {"nan", 1}});
  CHECK(kinds("int4") == Counts{{"zero", 1}, {"number", 15}});
  CHECK(kinds("int4,symmetric") == Counts{{"zero", 1}, {"number", 14}, {"unused", 1}});
}

TEST_CASE("bitlaw formats show --csv: the values of binary16 are those of its definition") {
  Program bitlaw;
  const auto lines = lines_of(bitlaw({"formats", "show", "binary16", "--csv"}).out);
  REQUIRE(lines.size() == 65537);
  CHECK(lines[0] == "code,value");
  int wrong = 0;
  for (int code = 0; code < 65536; ++code) {
    const std::string& line = lines[static_cast<std::size_t>(code) + 1];
    const int field = code >> 10 & 31, fraction = code & 1023;  // IEEE 754-2019, section 3.4
    double value = field == 31  ? (fraction == 0 ? INFINITY : NAN)
                   : field == 0 ? std::ldexp(fraction, -24)
                                : std::ldexp(1024 + fraction, field - 25);
    if (code >= 32768) value = -value;
    const double read = std::strtod(line.c_str() + 7, nullptr);
    const bool same =
        std::isnan(value) ? line.substr(7) == "nan" : read == value && std::signbit(read) == std::signbit(value);
    wrong += line.substr(0, 7) != fmt::format("0x{:04x},", code) || !same;
  }
  CHECK(wrong == 0);
}

TEST_CASE("bitlaw formats show --csv: powers of two far outside double, by P3109's name") {
  Program bitlaw;
  std::string expected = "code,value\n0x0000,0x0p+0\n";  // one bit of precision, bias 2^15, infinity and NaN on top
  for (int code = 1; code <= 0xFFFD; ++code) expected += fmt::format("0x{:04x},0x1p{:+}\n", code, code - 32768);
  CHECK((bitlaw({"formats", "show", "Binary16p1ue", "--csv"}).out == expected + "0xfffe,inf\n0xffff,nan\n"));
}

TEST_CASE("bitlaw formats show: what has too many codes says so") {
  Program bitlaw;
  const std::string half = bitlaw({"formats", "show", "float16"}).out;
  CHECK(half.ends_with("\nAll 65536 codes: bitlaw formats show 'float16' --csv\n"));
  CHECK(half.find("  max            65504\n") != std::string::npos);
  check_refused({"formats", "show", "float32", "--csv"},
                "bitlaw formats show float32: has 32 bits, so a list of its codes would have 2^32 lines; --csv lists "
                "formats of at most 16 bits");
}

TEST_CASE("bitlaw formats show: the least value, the step and the sign coding of each kind of format") {
  struct Row {
    const char *name, *least, *step, *coding;
  };
  for (const Row& row :
       {Row{"e4m3", "-448", "-", "sign bit"}, Row{"ue4m3", "0", "-", "-"},
        Row{"e8m0", "5.87747175e-39", "-", "-"},  // 2^-127
        Row{"int8", "-128", "1", "two's complement"}, Row{"int4,symmetric", "-7", "1", "two's complement, symmetric"},
        Row{"int8:frac=6", "-2", "0.015625", "two's complement"}, Row{"codebook[1,-0.5,0,0.75]", "-0.5", "-", "-"}}) {
    CAPTURE(row.name);
    const std::string text = Program()({"formats", "show", row.name}).out;
    for (const auto& [label, value] :
         {std::pair{"least", row.least}, {"step", row.step}, {"sign coding", row.coding}}) {
      CHECK(text.find(fmt::format("\n  {:<13}  {}\n", label, value)) != std::string::npos);
    }
  }
}

TEST_CASE("bitlaw formats show: a block preset is its elements, scales, sizes and choices") {
  Program bitlaw;
  // OCP MX v1.0, Table 1: 32 elements of E2M1 and a scale of E8M0 are 4.25 bits each, the largest value is 6 x 2^127.
  CHECK(bitlaw({"formats", "show", "mxfp4"}).out ==
        "mxfp4\n"
        "  source         OCP Microscaling Formats (MX) v1.0, Table 1 and section 6.3\n"
        "  elements       e2m1, 4 bits, -6 to 6 ('bitlaw formats show e2m1')\n"
        "  scales         e8m0, 8 bits, 5.87747175e-39 to 1.70141183e+38\n"
        "  tensor scale   none\n"
        "  bits each      4.25 = 4 + 8 / 32\n"
        "  largest value  1.02085e+39 = 6 x 1.70141e+38, beyond float32, in which values are computed\n"
        "\n"
        "Choices, by their keys in YAML; a: the size of a block, X: its scale, S: 1 without a tensor scale\n"
        "  block          32              elements in a row along the axis that products sum over\n"
        "  statistic      amax            a is the largest magnitude of the block\n"
        "  rule           ocp_floor       X = 2^(floor(log2 a) - emax); the largest element may be clipped\n"
        "  scaling        ratio           elements are rounded from x times (S / X)\n"
        "  search         none            the scale of the rule is taken\n"
        "  zero_scale     keep            blocks of zeros have the scale that the rule gives\n"
        "  non_finite     block_nan       a NaN or an infinity makes all of its block NaN\n");
  const json nvfp4 = json::parse(bitlaw({"formats", "show", "nvfp4", "--json"}).out);  // arXiv:2509.25149, section 2
  CHECK(nvfp4["element"]["max_finite"] == 6);
  CHECK(nvfp4["scale"]["max_finite"] == 448);
  CHECK(nvfp4["block_elements"] == 16);
  CHECK(nvfp4["largest_value"] == 2688);
  CHECK(nvfp4["choices"]["tensor_target"] == "2688");
  for (const std::string_view name : block_preset_names()) {
    CAPTURE(name);
    const auto printed = bitlaw({"formats", "show", std::string(name)});
    CHECK(printed.exit_code == 0);
    for (const std::string& line : lines_of(printed.out)) CHECK(line.size() <= 120);
  }
  check_refused({"formats", "show", "mxfp4", "--csv"},
                "bitlaw formats show mxfp4: is a way to scale blocks, which has no codes to list; drop --csv, or list "
                "its elements: bitlaw formats show e2m1 --csv");
}

TEST_CASE("bitlaw formats compare: E4M3 and E5M2 share what the ranges and fractions of both allow") {
  Program bitlaw;
  const json both = json::parse(bitlaw({"formats", "compare", "e4m3", "e5m2", "--json"}).out);
  CHECK(both["values_a"] == 253);  // 256 codes less two NaN, with one zero
  CHECK(both["values_b"] == 247);  // 256 codes less two infinities and six NaN, with one zero
  // Two fraction bits in 15 binades from 2^-6 on, in the subnormals of E4M3 4 + 2 + 1: 67 of each sign, and zero.
  CHECK(both["common"] == 2 * (15 * 4 + 4 + 2 + 1) + 1);
  CHECK(both["only_a"].size() == 253 - 135);
  CHECK(both["only_b"].size() == 247 - 135);
  CHECK(both["largest_gap_a"] == 0.125);  // 2^-M
  CHECK(both["largest_gap_b"] == 0.25);
  std::map<int, std::array<int, 3>> binades;
  for (const json& row : both["binades"]) binades[row["exponent"]] = {row["a"], row["b"], row["common"]};
  CHECK(binades.size() == 32);  // 2^-16 to 2^15
  CHECK(binades[-16] == std::array{0, 1, 0});
  CHECK(binades[-9] == std::array{1, 4, 1});
  CHECK(binades[0] == std::array{8, 4, 4});
  CHECK(binades[8] == std::array{7, 4, 4});  // 480 is NaN
  CHECK(binades[15] == std::array{0, 4, 0});
  const std::string text = bitlaw({"formats", "compare", "e4m3", "e5m2"}).out;
  CHECK(text.find("  in both                135             135\n") != std::string::npos);
  CHECK(text.find("  -6 to 7        8     4        4\n") != std::string::npos);
}

TEST_CASE("bitlaw formats compare: symmetric integers have one value less") {
  Program bitlaw;
  const json both = json::parse(bitlaw({"formats", "compare", "int8", "int8,symmetric", "--json"}).out);
  CHECK(both["values_a"] == 256);
  CHECK(both["values_b"] == 255);
  CHECK(both["only_a"] == json({-128}));
}

TEST_CASE("bitlaw formats compare: of a wide format, membership of the narrow one's values" * BITLAW_LONG_TEST) {
  Program bitlaw;
  const json both = json::parse(bitlaw({"formats", "compare", "float32", "bfloat16", "--json"}).out);
  CHECK(both["values_a"] == nullptr);
  CHECK(both["values_b"] == 65536 - 256 - 1);  // less the top exponent of both signs, with one zero
  CHECK(both["common"] == 65536 - 256 - 1);
  CHECK(both["only_b"].empty());
  // Powers of two from 2^-24 to 2^15, and zero.
  CHECK(json::parse(bitlaw({"formats", "compare", "Binary16p1ue", "float16", "--json"}).out)["common"] == 41);
  check_refused({"formats", "compare", "e4m3"},
                "bitlaw formats compare: names: At least 2 required but received 1, so nothing was done; see bitlaw "
                "formats compare --help");
}

TEST_CASE("bitlaw formats: codebooks are listed, shown and compared as their values") {
  Program bitlaw;
  CHECK(bitlaw({"formats", "show", "codebook[1,-0.5,0,0.75]", "--csv"}).out ==
        "code,value\n0x00,0x1p+0\n0x01,-0x1p-1\n0x02,0x0p+0\n0x03,0x1.8p-1\n");
  const json nf4 = json::parse(bitlaw({"formats", "show", "nf4", "--json"}).out);
  CHECK(nf4["codes"].size() == 16);
  CHECK(nf4["codes"][7]["is"] == "zero");
  CHECK(nf4["codes"][15]["value"] == 1);
  // Powers of the square root of 2: -1 to 1 in 15 values, of which e2m1 has 0, 0.5 and 1; step 2^0.5 - 1 in float32.
  const json both = json::parse(bitlaw({"formats", "compare", "log4:steps=2", "e2m1", "--json"}).out);
  CHECK(both["values_a"] == 15);
  CHECK(both["common"] == 5);
  CHECK(std::abs(both["largest_gap_a"].get<double>() - (std::sqrt(2.0) - 1)) < 0x1p-23);
}

}  // namespace
}  // namespace bitlaw
