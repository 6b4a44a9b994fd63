#include <cmath>
#include <random>

#include "core/record/npy.h"
#include "core/tensor/gemm.h"
#include "experiments/cli/product_error.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

template <typename T>
std::string npy(const std::string& descr, std::vector<std::int64_t> shape, const std::vector<T>& values,
                bool fortran = false) {
  return npy_header_bytes({.descr = descr, .fortran_order = fortran, .shape = std::move(shape)}) +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string matrix(std::int64_t rows, std::int64_t cols, const std::vector<float>& values) {
  return npy("<f4", {rows, cols}, values);
}

const std::string kOnes = matrix(4, 1, {1, 1, 1, 1});

/// 2^24 + 1 + 1 + 1, and 1 + 2^-13 + 2^-14 + 0.
const std::string kLosing = matrix(2, 4, {0x1p24F, 1, 1, 1, 1, 0x1p-13F, 0x1p-14F, 0});

/// The file's bytes, header and all, for the one column c.
void check_column(Program& bitlaw, const std::string& model, const std::vector<float>& c) {
  CAPTURE(model);
  const auto output = bitlaw({"gemm", "a.npy", "b.npy", "--accumulator", model, "--out", "c.npy"});
  CHECK(output.error == "");
  CHECK(output.exit_code == 0);
  CHECK((read_file(bitlaw.folder() / "c.npy") == matrix(static_cast<std::int64_t>(c.size()), 1, c)));
}

TEST_CASE("bitlaw gemm: each model loses what it must, worked out by hand") {
  Program bitlaw;
  bitlaw.folder().write("a.npy", kLosing);
  bitlaw.folder().write("b.npy", kOnes);
  // float32: 2^24 + 1 is a tie, to 2^24, three times. Pairwise: (2^24 + 1) + (1 + 1) = 2^24 + 2.
  // hopper_fp8 keeps 2^-13 beside 1, and 2^11 beside 2^24.
  check_column(bitlaw, "float32", {0x1p24F, 1 + 0x1p-13F + 0x1p-14F});
  check_column(bitlaw, "float32_pairwise", {0x1p24F + 2, 1 + 0x1p-13F + 0x1p-14F});
  check_column(bitlaw, "hopper_fp8", {0x1p24F, 1 + 0x1p-13F});
  check_column(bitlaw, "tensor_core:bits=12", {0x1p24F, 1});
}

TEST_CASE("bitlaw gemm: what is printed, with errors worked out by hand") {
  Program bitlaw;
  bitlaw.folder().write("a.npy", matrix(1, 4, {0x1p24F, 1, 1, 1}));
  bitlaw.folder().write("b.npy", kOnes);
  const auto output = bitlaw({"gemm", "a.npy", "b.npy", "--accumulator", "float32_pairwise", "--out", "c.npy"});
  // Off by 1 of 2^24 + 3: 5.96e-08.
  const std::size_t time = output.out.find(", ", output.out.find("computed by")), next = output.out.find('\n', time);
  CHECK(output.out.substr(time, next - time).ends_with(" GFLOP/s"));
  CHECK(output.out.substr(0, time) + output.out.substr(next) ==
        "a.npy b.npy -> c.npy\n"
        "  [1, 4] times [4, 1] to [1, 1], float32\n"
        "  float32_pairwise: one by one in binary32, products rounded; chunks of 1 pairwise in binary32\n"
        "  computed by    fast kernel\n"
        "  largest error  5.96e-08 of sum |a b|\n"
        "  rms error      5.96e-08 of sum |a b|\n"
        "  compared with  sums in float64, 1 of 1 rows, 0 elements left out as infinite or NaN\n");
}

TEST_CASE("bitlaw gemm --json: the same for programs; infinities are left out of the errors") {
  Program bitlaw;
  bitlaw.folder().write("a.npy", matrix(2, 2, {60000, 10000, 256, 1}));
  bitlaw.folder().write("b.npy", matrix(2, 1, {1, 1}));
  const json report = json::parse(
      bitlaw({"gemm", "a.npy", "b.npy", "--accumulator", "float16", "--out", "c.npy", "--threads", "1", "--json"}).out);
  CHECK(report["accumulator"] == "float16");
  CHECK(report["m"] == 2);
  CHECK(report["k"] == 2);
  CHECK(report["n"] == 1);
  CHECK(report["threads"] == 1);
  CHECK(report["not_finite"] == 1);
  CHECK(report["max_error"] == 0);
  CHECK(report["error_rows"] == 2);
  const json lossy =
      json::parse(bitlaw({"gemm", "a.npy", "b.npy", "--accumulator", "bfloat16", "--out", "c.npy", "--json"}).out);
  // 60000 -> 59904, + 10000 = 69904 -> 70144 of ulp 512; 256 + 1 -> 256.
  CHECK(lossy["not_finite"] == 0);
  CHECK(lossy["max_error"].get<double>() == doctest::Approx(1.0 / 257));
  CHECK(lossy["rms_error"].get<double>() ==
        doctest::Approx(std::sqrt((std::pow(144.0 / 70000, 2) + std::pow(1.0 / 257, 2)) / 2)));
}

TEST_CASE("bitlaw gemm: float32_fma gives the bits of gemm, whatever the order of the files and the threads") {
  constexpr std::int64_t kM = 300, kK = 70, kN = 130;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Matrix<float> a(kM, kK), b(kK, kN), c(kM, kN), at(kK, kM), bt(kN, kK);
  for (std::int64_t i = 0; i < kM; ++i) {
    for (std::int64_t k = 0; k < kK; ++k) at(k, i) = a(i, k) = normal(random);
  }
  for (std::int64_t k = 0; k < kK; ++k) {
    for (std::int64_t j = 0; j < kN; ++j) bt(j, k) = b(k, j) = normal(random);
  }
  gemm(Op::AsIs, Op::AsIs, a.view(), b.view(), c.view());
  const auto values = [](const Matrix<float>& x) { return std::vector<float>(x.data(), x.data() + x.size()); };
  Program bitlaw;
  bitlaw.folder().write("a.npy", npy("<f4", {kM, kK}, values(a)));
  bitlaw.folder().write("b.npy", npy("<f4", {kK, kN}, values(b)));
  bitlaw.folder().write("bt.npy", npy("<f4", {kN, kK}, values(bt)));
  bitlaw.folder().write("a_f.npy", npy("<f4", {kM, kK}, values(at), true));
  bitlaw.folder().write("b_f.npy", npy("<f4", {kK, kN}, values(bt), true));
  bitlaw.folder().write("bt_f.npy", npy("<f4", {kN, kK}, values(b), true));
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"a.npy", "b.npy"},
                                             {"a_f.npy", "b_f.npy"},
                                             {"a.npy", "bt.npy", "--transpose-b"},
                                             {"a.npy", "bt_f.npy", "--transpose-b", "--threads", "3"}}) {
    std::vector<std::string> all{"gemm", "--accumulator", "float32_fma", "--out", "c.npy"};
    all.insert(all.end(), words.begin(), words.end());
    CHECK(bitlaw(all).exit_code == 0);
    CHECK((read_file(bitlaw.folder() / "c.npy") == npy("<f4", {kM, kN}, values(c))));
  }
}

TEST_CASE("product_error: looks at rows spread evenly when all are too many") {
  const Matrix<float> a(4, 1), b(1, 1);
  Matrix<float> c(4, 1);
  c(1, 0) = c(3, 0) = INFINITY;  // rows 0 and 2 are looked at
  const ProductError error = product_error(a.view(), b.view(), c.view(), 1, 2);
  CHECK(error.rows == 2);
  CHECK(error.not_finite == 0);
  CHECK(product_error(a.view(), b.view(), c.view(), 1, 4).not_finite == 2);
}

TEST_CASE("bitlaw gemm --list: every model with its sum and source") {
  Program bitlaw;
  const std::string table = bitlaw({"gemm", "--list"}).out;
  CHECK(table.find("32 at once, 13 bits kept, running sum e8m13") != std::string::npos);
  CHECK(table.find("DeepSeek-V3, arXiv:2412.19437") != std::string::npos);
  CHECK(json::parse(bitlaw({"gemm", "--list", "--json"}).out)["accumulators"].size() == 23);
}

TEST_CASE("bitlaw gemm: what it refuses, leaving nothing") {
  const std::vector<std::string> words{"gemm", "a.npy", "b.npy", "--accumulator", "float32", "--out", "c.npy"};
  const std::string b = matrix(2, 1, {1, 1});
  check_refused(words,
                "a.npy: holds float64, but the models multiply float32, so its numbers would change unseen; convert "
                "it, in NumPy with x.astype('float32')",
                {{"a.npy", npy<double>("<f8", {1, 2}, {1, 2})}, {"b.npy", b}});
  check_refused(words,
                "b.npy: has shape [2], which is not 2-D, so it is no matrix; reshape it, in NumPy with "
                "x.reshape(rows, columns)",
                {{"a.npy", b}, {"b.npy", npy<float>("<f4", {2}, {1, 1})}});
  check_refused(words,
                "a.npy: has shape [2, 1], so its K is 1, but b.npy has shape [4, 1] with K = 4; K must be equal, A is "
                "[M, K] and B is [K, N], or [N, K] with --transpose-b",
                {{"a.npy", b}, {"b.npy", kOnes}});
  check_refused({"gemm", "a.npy", "b.npy", "--transpose-b", "--accumulator", "float32", "--out", "c.npy"},
                "a.npy: has shape [2, 4], so its K is 4, but b.npy has shape [4, 1] with K = 1 under --transpose-b; K "
                "must be equal, A is [M, K] and B is [N, K]",
                {{"a.npy", kLosing}, {"b.npy", kOnes}});
  check_refused({"gemm", "a.npy", "b.npy", "--accumulator", "hopper_fp9", "--out", "c.npy"},
                "unknown accumulator 'hopper_fp9', neither a name of the table nor 'sequential' or 'tensor_core' with "
                "options, so nothing can be summed with it; did you mean 'hopper_fp8'?");
  check_refused({"gemm", "a.npy", "b.npy", "--accumulator", "float32", "--out", "a.npy"},
                "--out a.npy: is the input a.npy, so what it holds would be lost; choose another file",
                {{"a.npy", kLosing}, {"b.npy", kOnes}});
  check_refused({"gemm", "a.npy", "b.npy", "--accumulator", "float32", "--out", "c.bin"},
                "--out c.bin: does not end in .npy, the kind of file that knows the shape of a matrix here; choose "
                "such a name",
                {{"a.npy", kLosing}, {"b.npy", kOnes}});
  check_refused({"gemm", "a.npy", "--accumulator", "float32", "--out", "c.npy"},
                "bitlaw gemm: b is required, so nothing was done; see bitlaw gemm --help");
  check_refused({"gemm", "a.npy", "b.npy", "--out", "c.npy"},
                "--accumulator: is missing, so nothing says how the products are summed; use one of: float32, "
                "float32_fma, float32_chunk128, float32_pairwise, bfloat16, float16, fp16_169, fp16_169_chunk64, "
                "volta_fp16, ampere_fp16, ampere_bf16, ada_fp8, hopper_fp16, hopper_bf16, hopper_fp8, hopper_e4m3, "
                "hopper_e5m2, hopper_fp8_promote128, blackwell_fp16, blackwell_bf16, blackwell_fp8, "
                "blackwell_fp8_mma_sync, blackwell_fp4 (bitlaw gemm --list tells what they are)");
}

}  // namespace
}  // namespace bitlaw
