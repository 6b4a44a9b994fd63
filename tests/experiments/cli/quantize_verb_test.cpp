#include <bit>
#include <cmath>
#include <csignal>
#include <cstring>
#include <sstream>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <typename T>
std::vector<T> values_in(const std::string& file) {
  const std::string bytes = read_file(file);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// The header that numpy.save writes, and float32 after it.
std::string npy(const std::string& text, const std::string& numbers) {
  std::string bytes("\x93NUMPY\x01\x00v\x00", 10);
  bytes += text + std::string(117 - text.size(), ' ') + "\n";
  return bytes + numbers;
}

TEST_CASE("bitlaw quantize: numbers, codes and the printed report of eight numbers worked out by hand") {
  Program bitlaw;
  // To E2M1: 0, 0.5, 1, 1.5, 2, 3, 4, 6. Ties: 2.5 to 2, 5 to 4, 0.25 to 0.
  const std::vector<float> x{1, -2.5F, 5, 0.25F, -0.75F, 7, -0.0F, 3.5F};
  bitlaw.folder().write("x.f32", bytes_of(x));
  const auto values = bitlaw({"quantize", "x.f32", "--to", "e2m1", "--out", "q.f32"});
  CHECK(values.exit_code == 0);
  CHECK(values.error == "");
  CHECK(values.out ==
        "x.f32 -> q.f32\n"
        "  e2m1 round=ties_to_even overflow=saturate nan=propagate\n"
        "  float32 [8] to values of the same type, 8 elements\n"
        "  SNR            15.55 dB\n"
        "  largest error  1\n"
        "  clipped        1 of 8 finite (12.5 %)\n"
        "  underflowed    1 of 7 nonzero (14.29 %)\n"
        "  NaN            0 before, 0 after\n"
        "  infinite       0 before, 0 after\n");
  CHECK(bytes_of(values_in<float>(bitlaw.folder() / "q.f32")) ==
        bytes_of(std::vector<float>{1, -2, 4, 0, -1, 6, -0.0F, 4}));
  CHECK(bitlaw({"quantize", "x.f32", "--to", "e2m1", "--codes", "--out", "codes.bin"}).exit_code == 0);
  CHECK(values_in<std::uint8_t>(bitlaw.folder() / "codes.bin") == std::vector<std::uint8_t>{2, 12, 6, 0, 10, 7, 8, 6});
}

TEST_CASE("bitlaw quantize: the examples of experiments/README.md print and write what it says") {
  Program bitlaw;
  const std::string readme = read_file(std::string(BITLAW_SOURCE_DIR) + "/experiments/README.md");
  const std::vector<float> x{1, -2.5F, 5, 0.25F, -0.75F, 7, -0.0F, 3.5F};
  CHECK(readme.find("np.save(\"x.npy\", np.float32([1, -2.5, 5, 0.25, -0.75, 7, -0.0, 3.5]))") != std::string::npos);
  bitlaw.folder().write("x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (8,), }", bytes_of(x)));
  const auto check_example = [&](const Words& words) {
    const std::string command = fmt::format("    $ bitlaw {}\n", fmt::join(words, " "));
    const std::size_t place = readme.find(command);
    REQUIRE(place != std::string::npos);
    std::istringstream lines(bitlaw(words).out);
    std::string expected = command;
    for (std::string line; std::getline(lines, line);) expected += "    " + line + "\n";
    CHECK(readme.substr(place, expected.size() + 1) == expected + "\n");
  };
  const auto numbers = [&](const char* file, auto number) {
    const auto all = values_in<decltype(number)>(bitlaw.folder() / file);
    return std::vector(all.begin() + static_cast<std::ptrdiff_t>(128 / sizeof(number)),
                       all.end());  // behind the header
  };
  check_example({"quantize", "x.npy", "--to", "e2m1", "--out", "q.npy"});
  CHECK(bytes_of(numbers("q.npy", 0.0F)) == bytes_of(std::vector<float>{1, -2, 4, 0, -1, 6, -0.0F, 4}));
  check_example(
      {"quantize", "x.npy", "--block", "mxfp4", "--codes-out", "c.npy", "--scales-out", "s.npy", "--out", "q.npy"});
  CHECK(numbers("c.npy", std::uint8_t{}) == std::vector<std::uint8_t>{194, 6, 122, 104});
  CHECK(numbers("s.npy", std::uint8_t{}) == std::vector<std::uint8_t>{127});
}

TEST_CASE("bitlaw quantize --block: blocks, scales and codes as asked, worked out by hand") {
  Program bitlaw;
  // OCP MX v1.0, 6.3: of 6, 2^(2 - 2); of 0.25, 2^(-2 - 2): code 123. 0.1 is 1.6 steps of 2^-4: 1.5.
  bitlaw.folder().write("x.f32", bytes_of(std::vector<float>{6, -1, 0.25F, 0.1F}));
  const json report =
      json::parse(bitlaw({"quantize", "x.f32", "--to", "e2m1", "--block", "2", "--scale", "e8m0", "--scale-rule",
                          "ocp_floor", "--codes-out", "c.bin", "--scales-out", "s.bin", "--out", "q.f32", "--json"})
                      .out);
  CHECK(report["format"] == "e2m1 block=2 scale=e8m0 rule=ocp_floor");
  CHECK(report["bits_per_element"] == 8);
  CHECK(values_in<float>(bitlaw.folder() / "q.f32") == std::vector<float>{6, -1, 0.25F, 0.09375F});
  CHECK(values_in<std::uint8_t>(bitlaw.folder() / "c.bin") == std::vector<std::uint8_t>{0xA7, 0x36});
  CHECK(values_in<std::uint8_t>(bitlaw.folder() / "s.bin") == std::vector<std::uint8_t>{127, 123});
  // arXiv:2509.25149: with T = 6 * 448, the scale of the largest number is 448, the last code; D = 6 / 2688 = 1 / 448.
  const auto nvfp4 = bitlaw({"quantize", "x.f32", "--block", "nvfp4", "--scales-out", "s.bin", "--out", "q.f32"});
  CHECK(nvfp4.out.ends_with("  stored         s.bin, 14 bits per element, tensor scale 0.002232143\n"));
  CHECK(values_in<std::uint8_t>(bitlaw.folder() / "s.bin") == std::vector<std::uint8_t>{0x7E});
  const json folded = json::parse(
      bitlaw({"quantize", "x.f32", "--block", "nvfp4", "--tensor-target", "6", "--out", "q.f32", "--json"}).out);
  CHECK(folded["format"] == "e2m1 block=16 scale=ue4m3 rule=nearest tensor_target=6");
}

TEST_CASE("bitlaw quantize --rotate: pieces of the last axis, with the signs asked for") {
  Program bitlaw;
  // Times the Hadamard matrix of 4, over 2. All are values of E2M1 times a power of two.
  bitlaw.folder().write("x.f32", bytes_of(std::vector<float>{1, 0, 0, 0, 0, 0, 2, 0, 3, 3, 3, 3}));
  const auto rotated = [&](const Words& more) {
    Words words{"quantize", "x.f32", "--block", "mxfp4", "--rotate", "4", "--out", "q.f32"};
    words.insert(words.end(), more.begin(), more.end());
    CHECK(bitlaw(words).exit_code == 0);
    return values_in<float>(bitlaw.folder() / "q.f32");
  };
  CHECK(rotated({"--rotate-signs", "none"}) == std::vector<float>{0.5F, 0.5F, 0.5F, 0.5F, 1, 1, -1, -1, 6, 0, 0, 0});
  const std::vector<float> random = rotated({"--seed", "7"});  // one number of a piece: only its sign may differ
  for (int i = 0; i < 8; ++i) CHECK(std::abs(random[static_cast<std::size_t>(i)]) == (i < 4 ? 0.5F : 1));
  CHECK(random == rotated({"--seed", "7"}));
  bool differs = false;
  for (const char* seed : {"1", "2", "3", "4", "5", "6", "8", "9"}) differs |= rotated({"--seed", seed}) != random;
  CHECK(differs);
}

TEST_CASE("bitlaw quantize --json: the same report for programs") {
  Program bitlaw;
  bitlaw.folder().write("x.bin", bytes_of(std::vector<double>{1, 1000, NAN, INFINITY, 0, 1e-9}));
  const json report = json::parse(bitlaw({"quantize", "x.bin", "--dtype", "float64", "--to", "e4m3", "--overflow",
                                          "infinity", "--out", "q.bin", "--json"})
                                      .out);
  CHECK(report["input"] == "x.bin");
  CHECK(report["output"] == "q.bin");
  CHECK(report["conversion"] == "round=ties_to_even overflow=infinity nan=propagate");
  CHECK(report["input_type"] == "float64");
  CHECK(report["shape"] == std::vector<int>{6});
  CHECK(report["elements"] == 6);
  CHECK(report["finite"] == 4);
  CHECK(report["nonzero"] == 3);
  CHECK(report["clipped"] == 1);
  CHECK(report["clip_rate"] == 0.25);
  CHECK(report["underflowed"] == 1);
  CHECK(report["nan_in"] == 1);
  CHECK(report["nan_out"] == 3);  // E4M3 has no infinity
  CHECK(report["inf_in"] == 1);
  CHECK(report["inf_out"] == 0);
  CHECK(report["max_abs_error"] == 1e-9);
  CHECK(report["snr_db"].get<double>() == doctest::Approx(180));  // 1 against 1e-9
}

TEST_CASE("bitlaw quantize: the report of an array without signal, noise or finite numbers") {
  struct Row {
    const char* format;
    std::vector<float> x;
    const char* snr;
  };
  for (const Row& row : {Row{"e4m3", {0, -0.0F}, "none: only zeros, which stayed zero\n"},
                         Row{"e8m0", {0, 0}, "minus infinity: only zeros, which changed\n"},  // it has no zero
                         Row{"e4m3", {NAN, NAN}, "none: no number is finite before and after\n"},
                         Row{"e4m3", {}, "none: no number is finite before and after\n"},
                         Row{"e5m2", {1, 0.5F}, "infinite: nothing changed\n"},
                         Row{"e5m2", {1, 1e9F}, "infinite: nothing changed that stayed finite\n"}}) {
    Program bitlaw;
    bitlaw.folder().write("x.f32", bytes_of(row.x));
    CAPTURE(row.snr);
    const auto printed = bitlaw({"quantize", "x.f32", "--to", row.format, "--overflow",
                                 row.format == std::string("e5m2") ? "infinity" : "saturate", "--out", "q.f32"});
    CHECK(printed.out.find("  SNR            " + std::string(row.snr)) != std::string::npos);
  }
}

TEST_CASE("bitlaw quantize: zeros and small numbers that a format without zero raises are not clipped") {
  Program bitlaw;
  bitlaw.folder().write("x.f32", bytes_of(std::vector<float>{0, -0.0F, 0x1p-130F, 1, -1, 0x1.8p127F}));
  const json report = json::parse(bitlaw({"quantize", "x.f32", "--to", "e8m0", "--out", "q.f32", "--json"}).out);
  CHECK(values_in<float>(bitlaw.folder() / "q.f32") ==
        std::vector<float>{0x1p-127F, 0x1p-127F, 0x1p-127F, 1, 0x1p-127F, 0x1p127F});
  CHECK(report["clipped"] == 2);  // -1 and 1.5 x 2^127
}

TEST_CASE("bitlaw quantize: float64 is rounded once") {
  Program bitlaw;
  // Just below the midpoint of 416 and 448: as float32 it would be the midpoint, whose even neighbour is 448.
  bitlaw.folder().write("x.f64", bytes_of(std::vector<double>{431.99999999999994}));
  CHECK(bitlaw({"quantize", "x.f64", "--to", "e4m3", "--out", "q.f64"}).exit_code == 0);
  CHECK(values_in<double>(bitlaw.folder() / "q.f64") == std::vector<double>{416});
}

TEST_CASE("bitlaw quantize: to the nearest value of a list, as value and as code") {
  Program bitlaw;
  bitlaw.folder().write("x.f64", bytes_of(std::vector<double>{0.3, -0.2, -9, 0.9, 0.25}));
  const std::string list = "codebook[1,-0.5,0,0.5]";
  const json report = json::parse(bitlaw({"quantize", "x.f64", "--to", list, "--out", "q.f64", "--json"}).out);
  CHECK(report["clipped"] == 1);
  CHECK(values_in<double>(bitlaw.folder() / "q.f64") == std::vector<double>{0.5, 0, -0.5, 1, 0});
  CHECK(bitlaw({"quantize", "x.f64", "--to", list, "--codes", "--out", "c.bin"}).exit_code == 0);
  CHECK(values_in<std::uint8_t>(bitlaw.folder() / "c.bin") == std::vector<std::uint8_t>{3, 2, 1, 0, 2});
}

TEST_CASE("bitlaw quantize: 16-bit numbers keep their type") {
  Program bitlaw;
  bitlaw.folder().write("x.bf16", bytes_of(std::vector<std::uint16_t>{0x3F80, 0x3F8F, 0xC3FF}));  // 1, 1.1171875, -510
  CHECK(bitlaw({"quantize", "x.bf16", "--to", "e4m3", "--out", "q.bf16"}).exit_code == 0);
  CHECK(values_in<std::uint16_t>(bitlaw.folder() / "q.bf16") == std::vector<std::uint16_t>{0x3F80, 0x3F90, 0xC3E0});
  bitlaw.folder().write("x.f16", bytes_of(std::vector<std::uint16_t>{0x3C00, 0x3C79}));  // 1, 1.1181640625
  CHECK(bitlaw({"quantize", "x.f16", "--to", "e4m3", "--codes", "--out", "q.bin"}).exit_code == 0);
  CHECK(values_in<std::uint8_t>(bitlaw.folder() / "q.bin") == std::vector<std::uint8_t>{0x38, 0x39});
}

TEST_CASE("bitlaw quantize: element i of the file takes the random bits of element i, whatever parts and threads") {
  Program bitlaw;
  std::vector<float> x((1 << 20) + 1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 4093) / 4093;
  bitlaw.folder().write("x.f32", bytes_of(x));
  const auto result = [&](const Words& more) {
    Words words{"quantize", "x.f32", "--round", "stochastic_b", "--bits", "11", "--seed", "5", "--out", "q.bin"};
    words.insert(words.end(), more.begin(), more.end());
    CHECK(bitlaw(words).exit_code == 0);
    return read_file(bitlaw.folder() / "q.bin");
  };
  const Conversion conversion = Rounding(RoundingMode::StochasticB, 11);
  std::vector<float> expected(x.size());
  quantize(kE4M3, conversion, std::span<const float>(x), expected, RandomStream{.seed = 5});
  CHECK((result({"--to", "e4m3", "--threads", "1"}) == bytes_of(expected)));
  CHECK((result({"--to", "e4m3", "--threads", "3"}) == bytes_of(expected)));
  std::vector<std::uint8_t> codes(x.size());
  encode(kE4M3, conversion, std::span<const float>(x), std::span(codes), RandomStream{.seed = 5});
  CHECK((result({"--to", "e4m3", "--codes"}) == bytes_of(codes)));
  const auto size = static_cast<std::int64_t>(x.size());  // one row, longer than a part
  quantize_blocks(*block_preset("mxfp4"), conversion.rounding, KAxis::Cols, {x.data(), 1, size},
                  MatrixView<float>(expected.data(), 1, size), RandomStream{.seed = 5});
  CHECK((result({"--block", "mxfp4"}) == bytes_of(expected)));
}

TEST_CASE("bitlaw quantize: writes through a link") {
  Program bitlaw;
  bitlaw.folder().write("x.f32", bytes_of(std::vector<float>{5}));
  bitlaw.folder().write("q.f32", "old");
  std::filesystem::create_symlink("q.f32", bitlaw.folder() / "link.f32");
  CHECK(bitlaw({"quantize", "x.f32", "--to", "e2m1", "--out", "link.f32"}).exit_code == 0);
  CHECK(std::filesystem::is_symlink(bitlaw.folder() / "link.f32"));
  CHECK(values_in<float>(bitlaw.folder() / "q.f32") == std::vector<float>{4});
}

TEST_CASE("bitlaw quantize: a signal stops it and leaves nothing") {
  Program bitlaw;
  const std::string x = bitlaw.folder().write("x.f64", "");
  std::filesystem::resize_file(x, std::uintmax_t{1} << 36);  // zeros without room on the disk; minutes of work
  const pid_t child = bitlaw.start({"quantize", "x.f64", "--to", "e2m1", "--codes", "--threads", "1", "--out", "q"});
  CHECK(wait_for([&] { return entries_in(bitlaw.folder().path()) == 2; }));  // its temporary file
  ::kill(child, SIGINT);
  const auto output = bitlaw.finish(child);
  CHECK(output.exit_code == 130);
  CHECK(output.error == "stopped; q was not written\n");
  CHECK(output.out == "");
  CHECK(entries_in(bitlaw.folder().path()) == 1);
}

TEST_CASE("bitlaw quantize: flags that say nothing, or two things, are refused") {
  const std::map<std::string, std::string> files{{"x.f32", bytes_of(std::vector<float>{1, NAN})},
                                                 {"x.bin", "12345678"},
                                                 {"x.f64", "12345678"},
                                                 {"x.bf16", "1234"}};
  struct Row {
    Words words;
    std::string message;
  };
  for (const Row& row : std::vector<Row>{
           {{"x.f32"},
            "--to: is missing, so nothing says which format to round to; add for example --to e4m3, or --block mxfp4"},
           {{"x.f32", "--to", "e2m"},
            "unknown number format 'e2m', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', 'int8:frac=6' or "
            "'binary8p3se', so nothing can be rounded to it; did you mean 'e2m3'?"},
           {{"x.f32", "--to", "Binary16p1ue"},
            "--to Binary16p1ue: has values outside float64, in which numbers are rounded, so it can be listed but not "
            "rounded to; choose a format with fewer exponent bits"},
           {{"x.f32", "--to", "e4m3", "--round", "ties_to_evn"},
            "--round ties_to_evn: 'ties_to_evn' is not known, so nothing was done; did you mean 'ties_to_even'?"},
           {{"x.f32", "--to", "e4m3", "--round", "stochastic_a"},
            "--round stochastic_a: --bits is missing, so the number of random bits is unknown; add for example --bits "
            "8, or use stochastic_exact, which takes as many as it needs"},
           {{"x.f32", "--to", "e4m3", "--bits", "8"},
            "--bits 8: --round ties_to_even does not take a number of random bits, so it would be ignored; drop it or "
            "use stochastic_a, stochastic_b or stochastic_c"},
           {{"x.f32", "--to", "e4m3", "--round", "stochastic_a", "--bits", "33"},
            "bitlaw quantize: --bits: '33' is no number from 1 to 32, so nothing was done; see bitlaw quantize --help"},
           {{"x.f32", "--to", "e4m3", "--overflow", "wrap"},
            "--overflow wrap: 'wrap' is not known, so nothing was done; use one of: saturate, propagate, infinity, "
            "by_direction"},
           {{"x.f32", "--to", "e4m3", "--nan", "one"},
            "--nan one: 'one' is not known, so nothing was done; use one of: propagate, zero, max"},
           {{"x.f32", "--to", "e3m0", "--round", "toward_zero", "--power-ties", "larger"},
            "--power-ties larger: is about --round ties_to_even alone, so with toward_zero it would be ignored; drop "
            "one of the two"},
           {{"x.f32", "--block", "mxfp5"},
            "--block mxfp5: 'mxfp5' is not known, so nothing was done; did you mean 'mxfp4'?"},
           {{"x.f32", "--block", "mxfp4", "--codes"},
            "--block mxfp4: --codes has no place for the scales of blocks, so the codes could not be read back; write "
            "both with --codes-out and --scales-out"},
           {{"x.f32", "--block", "mxfp4", "--codes-out", "c"},
            "--codes-out c: --scales-out is missing, so the codes could not be read back; add it"},
           {{"x.f32", "--block", "mxfp4", "--codes-out", "c", "--scales-out", "c"},
            "--scales-out c: is what --codes-out writes, so one of them would be lost; choose another file"},
           {{"x.f32", "--to", "e4m3", "--codes-out", "c"},
            "--codes-out c: is about blocks, so without --block it would be ignored; drop it, or add for example "
            "--block nvfp4"},
           {{"x.f32", "--to", "e4m3", "--rotate", "16"},
            "--rotate 16: is about blocks, so without --block it would be ignored; drop it, or add for example --block "
            "nvfp4"},
           {{"x.f32", "--block", "16"},
            "--block 16: says which elements share a scale, but not their format, so nothing can be rounded; add for "
            "example --to e2m1, or name a preset"},
           {{"x.f32", "--block", "16", "--to", "float32"},
            "--to float32: is what blocks are computed in, so nothing would be rounded; choose a narrower format"},
           {{"x.f32", "--block", "16", "--to", "nf4", "--scale-rule", "even"},
            "--to nf4: --block 16 has the rule even, but values of a list have no significand; use another rule"},
           {{"x.f32", "--block", "mxfp4", "--scale-rule", "ocp_flor"},
            "--scale-rule ocp_flor: rule is 'ocp_flor', which is not known; did you mean 'ocp_floor'?"},
           {{"x.f32", "--block", "mxfp4", "--rotate", "4"},
            "--rotate 4: the last axis of x.f32 has 2 numbers, so the last rotation would be too short; choose a power "
            "of two that divides them"},
           {{"x.f32", "--block", "mxfp4", "--rotate-signs", "none"},
            "--rotate-signs none: there is no --rotate, so it would be ignored; drop it"},
           {{"x.f32", "--block", "16", "--to", "float16", "--scales-out", "s"},
            "element binary16: has 16 bits, but codes are packed into bytes, at most 8 bits each; use a narrower "
            "format"},
           {{"x.f32", "--block", "mxfp4", "--nan", "zero"},
            "--block mxfp4: blocks saturate, and one with a NaN becomes NaN throughout, so --nan would be ignored; "
            "drop it"},
           {{"x.f32", "--block", "mxfp4", "--to", "e4m3"},
            "--to e4m3: --block mxfp4 has elements of e2m1, so one of the two would be ignored; drop --to"},
           {{"x.f64", "--block", "mxfp4"},
            "x.f64: holds float64, but blocks are scaled in float32, so its numbers would be rounded twice; convert it "
            "to float32 before"},
           {{"x.bf16", "--to", "nf4"},
            "x.bf16: holds bfloat16, in which the values of nf4 are not exact, so its numbers would be rounded twice; "
            "convert it to float32 before, or add --codes"},
           {{"x.bf16", "--to", "float16"},
            "x.bf16: holds bfloat16, in which the values of float16 are not exact, so its numbers would be rounded "
            "twice; convert it to float32 before, or add --codes"},
           {{"x.f32", "--to", "e4m3", "--seed", "1"},
            "--seed 1: --round ties_to_even takes no random numbers, so it would be ignored; drop it"},
           {{"x.f32", "--to", "nf4", "--overflow", "infinity"},
            "--overflow infinity: lists of values such as nf4 always saturate, so it would be ignored; drop it"},
           {{"x.f32", "--to", "e4m3", "--power-ties", "larger"},
            "--power-ties larger: is about formats without fraction bits, which e4m3 is not, so it would be ignored; "
            "drop it"},
           {{"x.f32", "--block", "mxfp4", "--threads", "2"},
            "--threads 2: --block runs on one thread, so it would be ignored; drop it"},
           {{"x.f32", "--to", "e4m3", "--round", "stochastic_exact", "--seed", "-1"},
            "bitlaw quantize: --seed: Value -1 is no integer from 0 to 2^64 - 1, so nothing was done; see bitlaw "
            "quantize --help"},
           {{"x.f32", "--to", "e4m3", "--round", "stochastic_exact", "--seed", "18446744073709551616"},
            "bitlaw quantize: --seed: Value 18446744073709551616 is no integer from 0 to 2^64 - 1, so nothing was "
            "done; see bitlaw quantize --help"},
           {{"x.bin", "--to", "e4m3"},
            "x.bin: has no header and its extension is none of .npy, .h5, .f16, .bf16, .f32, .f64, so the type of its "
            "numbers is unknown; add for example --dtype float32"},
           {{"x.bin", "--to", "e4m3", "--dtype", "int8"},
            "--dtype int8: 'int8' is not known, so nothing was done; use one of: float16, bfloat16, float32, float64"},
           {{"x.npy", "--to", "e4m3", "--dtype", "float32"},
            "--dtype float32: x.npy says itself what its numbers are, so this would be ignored; drop it"},
           {{"x.f32", "--to", "e2m1", "--codes"},
            "x.f32: element 1 is NaN, of which e2m1 has no code, so --codes cannot write it; add --nan zero or --nan "
            "max"},
       }) {
    Words words{"quantize", "--out", "q"};
    words.insert(words.end(), row.words.begin(), row.words.end());
    check_refused(words, row.message, files);
  }
}

TEST_CASE("bitlaw quantize: files that cannot be read or written are refused, and nothing is left") {
  const std::string numbers = bytes_of(std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::map<std::string, std::string> files{
      {"x.f32", numbers},
      {"odd.f32", "12345"},
      {"ints.npy", npy("{'descr': '<i4', 'fortran_order': False, 'shape': (6,), }", numbers)},
      {"short.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }", numbers)},
      {"f.npy", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", numbers)},
      {"x.bf16", "1234"},
      {"no.h5", "no HDF5"}};
  struct Row {
    std::string in, out, message;
  };
  for (const Row& row : {
           Row{"y.f32", "q.f32",
               "y.f32: cannot be read (No such file or directory); check the path and its permissions"},
           Row{"y.h5:/a", "q.f32",
               "y.h5: cannot be read (No such file or directory); check the path and its permissions"},
           Row{"no.h5:/a", "q.f32", "no.h5: is not an HDF5 file, so it has no datasets; check the path"},
           Row{"x.f32", "x.f32",
               "--out x.f32: is the input x.f32, so what it holds would be lost; choose another file"},
           Row{"x.f32", ".", ".: is not a regular file, so it cannot be replaced in one step; choose another name"},
           Row{"x.f32", "no/q.f32",
               "no/q.f32: its folder does not exist, so nothing was written; make it, or choose another"},
           Row{"odd.f32", "q.f32",
               "odd.f32: has 5 bytes, which is no whole number of float32, so its numbers have another type; say which "
               "with --dtype"},
           Row{"ints.npy", "q.npy",
               "ints.npy: its elements are '<i4', not float16, float32 or float64, so they cannot be rounded; convert "
               "them, in NumPy with x.astype('float32')"},
           Row{"short.npy", "q.npy",
               "short.npy: holds 24 bytes of numbers where its header promises 28, so it is incomplete; copy or write "
               "it again"},
           Row{"f.npy", "q.h5:/f",
               "q.h5:/f: HDF5 has no Fortran order, in which the input lies, so its indices would be swapped; write "
               ".npy, or use numpy.ascontiguousarray before"},
           Row{"x.f32", "q.h5",
               "q.h5: no dataset is named, so the numbers would have no place in the file; write q.h5:/NAME"},
           Row{"x.f32", "q.f64",
               "q.f64: its extension says float64 while the numbers are float32, so it would be misread; choose "
               "another extension"},
           Row{"x.bf16", "q.npy",
               "q.npy: .npy files have no type for bfloat16, so it cannot be written; write a raw file such as "
               "out.bf16, or HDF5"},
       }) {
    check_refused({"quantize", row.in, "--to", "e4m3", "--out", row.out}, row.message, files);
  }
}

}  // namespace
}  // namespace bitlaw
