#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <bit>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/tensor/accumulate_gemm.h"
#include "core/tensor/gemm.h"
#include "core/transform/hadamard.h"
#include "notebooks/python/binding/python_types.h"

namespace bitlaw::python {
namespace nb = nanobind;
namespace {

/// c [m, n] = a [m, k] b^T, b [n, k].
void gemm_into(const AccumulatorSpec& accumulator, const Input& a, const Input& b, const Output& c, std::int64_t m,
               std::int64_t k, std::int64_t n, int threads) {
  const nb::gil_scoped_release released;
  gemm_accumulate(accumulator, matrix(a, m, k), matrix(b, n, k), matrix(c, m, n), threads);
}

HadamardSpec hadamard_of(int size, const std::string& signs, const std::optional<Format>& result) {
  constexpr int kLargest = 65536;
  if (size < 1 || size > kLargest || !std::has_single_bit(static_cast<unsigned>(size))) {
    throw InputError(
        fmt::format("size={}: is no power of two of 1 to {}, so there is no Hadamard matrix of it here; use 16, 32, "
                    "...",
                    size, kLargest));
  }
  HadamardSpec spec{.size = size};
  const auto kind = value_of(signs, kHadamardSignsNames);
  if (!kind) {
    std::vector<std::string_view> known;
    for (const auto& row : kHadamardSignsNames) known.push_back(row.name);
    throw InputError(fmt::format("signs='{}': is not known, so nothing was done; {}", signs,
                                 remedy(signs, std::span<const std::string_view>(known))));
  }
  spec.signs = *kind;
  if (*kind == HadamardSigns::Fixed) {
    if (size != static_cast<int>(kTransformerEngineSigns.size())) {
      throw InputError(fmt::format(
          "signs='fixed': is TransformerEngine's list of {}, so size={} has none; use size=16, or random or none",
          kTransformerEngineSigns.size(), size));
    }
    spec.fixed.assign(kTransformerEngineSigns.begin(), kTransformerEngineSigns.end());
  }
  if (result) {
    check_rounds(*result);
    const auto* format = std::get_if<FormatSpec>(&result->element);
    if (format == nullptr) {
      throw InputError(fmt::format("result: '{}' is a list of values; use a format such as bfloat16", result->name));
    }
    spec.result = *format;
  }
  return spec;
}

void hadamard_into(const HadamardSpec& spec, bool inverse, const Input& x, std::int64_t rows, std::int64_t cols,
                   bool k_first, const Output& out, const Key& key) {
  const KAxis axis = k_first ? KAxis::Rows : KAxis::Cols;
  const std::int64_t extent = k_first ? rows : cols;
  if (extent % spec.size != 0) {
    throw InputError(
        fmt::format("size={}: the axis has {} numbers, so the last rotation would be too short; choose a power of two "
                    "that divides them",
                    spec.size, extent));
  }
  const nb::gil_scoped_release released;
  const auto rotate = inverse ? hadamard_unrotate : hadamard_rotate;
  rotate(spec, axis, matrix(x, rows, cols), matrix(out, rows, cols), stream_of(key));
}

}  // namespace

void bind_products(nb::module_& m) {
  nb::class_<AccumulatorSpec>(m, "Accumulator", R"(How the products of one element of a matrix product are added up.

Accumulator(name): one of bitlaw.accumulators(), or a pattern such as "tensor_core:group=32,bits=13" (bitlaw gemm --help).
ValueError for any other.

>>> bitlaw.Accumulator("hopper_fp8").name
'hopper_fp8')")
      .def(
          "__init__",
          [](AccumulatorSpec* self, const std::string& name) { new (self) AccumulatorSpec(parse_accumulator(name)); },
          nb::arg("name"))
      .def_prop_ro("name", [](const AccumulatorSpec& a) { return accumulator_name(a); })
      .def("__repr__", [](const AccumulatorSpec& a) { return fmt::format("Accumulator('{}')", accumulator_name(a)); })
      .def(
          "__eq__", [](const AccumulatorSpec& a, const AccumulatorSpec& b) { return a == b; }, nb::is_operator(),
          nb::sig("def __eq__(self, other: object, /) -> bool"))
      .def("__hash__", [](const AccumulatorSpec& a) { return std::hash<std::string>()(accumulator_name(a)); });
  m.def("accumulators", [] {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const AccumulatorEntry& entry : accumulator_catalog()) rows.emplace_back(entry.name, entry.source);
    return rows;
  });
  nb::class_<HadamardSpec>(m, "Hadamard").def_prop_ro("is_random", [](const HadamardSpec& spec) {
    return spec.signs == HadamardSigns::Random;
  });
  m.def("hadamard_spec", &hadamard_of, nb::arg("size"), nb::arg("signs"), nb::arg("result").none());
  m.def("hadamard_into", &hadamard_into);
  m.def("gemm_into", &gemm_into);
}

}  // namespace bitlaw::python
