#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/block/block_presets.h"
#include "core/format/codes.h"
#include "experiments/cli/format_facts.h"
#include "notebooks/python/binding/python_types.h"

namespace bitlaw::python {
namespace nb = nanobind;
namespace {

constexpr int kMostListedBits = 16;

constexpr const char* kFormatDoc = R"(A number format: every value that a code of so many bits can stand for.

Format(name): a name of the catalog (bitlaw.formats()), a pattern such as "e3m2:bias=5,finite", an integer "int4", a
format of IEEE P3109 such as "Binary8p3se", or a list of values, "nf4" or "codebook[-1,0,1]". ValueError for any other,
with the nearest name. Formats are equal where all their codes mean the same, whatever their names.

>>> bitlaw.Format("e4m3")
Format('e4m3': 8 bits, 4 exponent, 3 fraction, bias 7, max 448, min normal 0.015625, min subnormal 0.001953125, epsilon 0.125)
>>> bitlaw.Format("e2m1").values()
array([ 0. ,  0.5,  1. ,  1.5,  2. ,  3. ,  4. ,  6. , -0. , -0.5, -1. ,
       -1.5, -2. , -3. , -4. , -6. ])
>>> bitlaw.Format("e4m3").max == bitlaw.Format("ue4m3").max == 448
True

A list of values has bits, max and least; what a format lacks is None.)";

const FormatSpec* spec_of(const Format& format) { return std::get_if<FormatSpec>(&format.element); }

const FormatSpec& float_spec(const Format& format, const char* what) {
  const FormatSpec* spec = spec_of(format);
  if (spec == nullptr) {
    throw InputError(
        fmt::format("format '{}': is a list of values, of which there is no {}; see values()", format.name, what));
  }
  check_rounds(format);
  return *spec;
}

/// A property of formats that are no lists, or None.
template <typename Of>
auto of_spec(Of of) {
  return [of](const Format& format) {
    const FormatSpec* spec = spec_of(format);
    return spec == nullptr ? std::nullopt : std::optional(of(*spec));
  };
}

/// The same of a number, also None where the format has values outside float64 or `has` is false.
template <typename Has, typename Of>
auto number_of(Has has, Of of) {
  return [has, of](const Format& format) -> std::optional<double> {
    const FormatSpec* spec = spec_of(format);
    return spec == nullptr || !spec->is_exact_in_double() || !has(*spec) ? std::nullopt : std::optional(of(*spec));
  };
}

constexpr auto kAlways = [](const FormatSpec&) { return true; };
constexpr auto kFloats = [](const FormatSpec& s) { return s.exponent_bits > 0; };
constexpr auto kSubnormals = [](const FormatSpec& s) {
  return s.exponent_bits > 0 && s.has_zero && s.has_subnormals && s.mantissa_bits > 0;
};

int bits_of(const Format& format) {
  return std::visit([](const auto& element) { return element.total_bits(); }, format.element);
}

nb::object values_of(const Format& format) {
  std::vector<double> values;
  if (const auto* book = std::get_if<Codebook>(&format.element)) {
    values.assign(book->values().begin(), book->values().end());
  } else if (bits_of(format) > kMostListedBits) {
    throw InputError(
        fmt::format("format '{}': has {} bits and so too many values to list; up to {} bits are listed, beyond "
                    "that use value_of(code)",
                    format.name, bits_of(format), kMostListedBits));
  } else {
    values = all_values(float_spec(format, "list of values"));
  }
  auto* owned = new std::vector<double>(std::move(values));
  const nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, double, nb::ndim<1>>(owned->data(), {owned->size()}, owner));
}

double value_of_code(const Format& format, std::uint64_t code) {
  const int bits = bits_of(format);
  if (bits < 64 && code >> bits != 0) {
    throw InputError(
        fmt::format("format '{}': code {} has more than {} bits, so it has no value", format.name, code, bits));
  }
  if (const auto* book = std::get_if<Codebook>(&format.element)) {
    if (code < book->values().size()) return static_cast<double>(book->values()[code]);
    throw InputError(
        fmt::format("format '{}': code {} has no value; there are {}", format.name, code, book->values().size()));
  }
  return decode(float_spec(format, "value"), code);
}

std::optional<std::uint64_t> code_of_value(const Format& format, double value) {
  if (const auto* book = std::get_if<Codebook>(&format.element)) {
    const auto values = book->values();
    const auto found = std::find_if(values.begin(), values.end(), [&](float v) { return v == value; });
    if (found == values.end()) return std::nullopt;
    return static_cast<std::uint64_t>(found - values.begin());
  }
  return encode(float_spec(format, "code"), value);
}

/// `value`, which has to be one of the format.
double value_in(const Format& format, double value) {
  if (std::isnan(value) || std::isinf(value) || encode(float_spec(format, "neighbour"), value)) return value;
  throw InputError(
      fmt::format("format '{}': {} is none of its values, so it has no neighbours there; round it first with "
                  "bitlaw.quantize",
                  format.name, value));
}

double ulp_at(const Format& format, double value) {
  const FormatSpec& spec = float_spec(format, "ulp");
  if (std::abs(value) <= spec.max_finite()) return ulp(spec, value);
  throw InputError(fmt::format("format '{}': {} is beyond its largest value {}, where there is no ulp", format.name,
                               value, spec.max_finite()));
}

std::string repr_of(const Format& format) {
  const FormatTexts texts = format_texts(format.element, kFactDigits);
  std::string text = fmt::format("Format('{}': {} bits", format.name, texts.bits);
  const auto add = [&](const char* label, const std::string& value) {
    if (value != "-") text += fmt::format(", {} {}", label, value);
  };
  if (texts.exponent_bits != "-") {
    text += fmt::format(", {} exponent, {} fraction", texts.exponent_bits, texts.mantissa_bits);
  }
  add("bias", texts.bias);
  add("max", texts.max);
  add("min normal", texts.min_normal);
  add("min subnormal", texts.min_subnormal);
  add("step", texts.step);
  add("epsilon", texts.epsilon);
  return text + ")";
}

std::vector<std::string> preset_names() {
  const auto names = block_preset_names();
  return {names.begin(), names.end()};
}

}  // namespace

Format::Format(const std::string& asked) : name(asked), element(kE4M3), source("by the pattern of its name") {
  auto book = parse_codebook(asked);
  element = book ? Element(*std::move(book)) : Element(parse_format(asked, block_preset_names()));
  for (const NamedFormat& named : catalog_formats()) {
    if (named.name == asked) source = named.source;
  }
}

void check_rounds(const Format& format) {
  const FormatSpec* spec = spec_of(format);
  if (spec == nullptr || spec->is_exact_in_double()) return;
  throw InputError(
      fmt::format("format '{}': has values outside float64, in which numbers are rounded, so it can be listed but "
                  "not rounded to; choose a format with fewer exponent bits",
                  format.name));
}

void bind_formats(nb::module_& m) {
  nb::class_<Format>(m, "Format", kFormatDoc)
      .def(nb::init<const std::string&>(), nb::arg("name"))
      .def_ro("name", &Format::name, "The name that it was asked by.")
      .def_ro("source", &Format::source, "The document that defines it.")
      .def_prop_ro("bits", &bits_of, "Bits of a code, the sign included.")
      .def_prop_ro("exponent_bits", of_spec([](const FormatSpec& s) { return s.exponent_bits; }), "Bits.")
      .def_prop_ro("mantissa_bits", of_spec([](const FormatSpec& s) { return s.mantissa_bits; }),
                   "Bits of the fraction, without the implicit one.")
      .def_prop_ro("bias", of_spec([](const FormatSpec& s) { return s.bias; }),
                   "A normal value is 2^(exponent field - bias) (1 + fraction).")
      .def_prop_ro("signed", of_spec([](const FormatSpec& s) { return s.is_signed; }), "Whether there is a sign.")
      .def_prop_ro("has_infinity", of_spec([](const FormatSpec& s) { return s.has_infinity(); }), "bool")
      .def_prop_ro("has_nan", of_spec([](const FormatSpec& s) { return s.has_nan(); }), "bool")
      .def_prop_ro("has_minus_zero", of_spec([](const FormatSpec& s) { return s.has_minus_zero(); }), "bool")
      .def_prop_ro("has_zero", of_spec([](const FormatSpec& s) { return s.has_zero; }), "bool")
      .def_prop_ro(
          "max",
          [](const Format& f) -> std::optional<double> {
            if (const auto* book = std::get_if<Codebook>(&f.element)) return static_cast<double>(book->max());
            return number_of(kAlways, [](const FormatSpec& s) { return s.max_finite(); })(f);
          },
          "The largest finite value.")
      .def_prop_ro(
          "least",
          [](const Format& f) -> std::optional<double> {
            if (const auto* book = std::get_if<Codebook>(&f.element)) return static_cast<double>(book->lowest());
            return number_of(kAlways, [](const FormatSpec& s) { return s.lowest(); })(f);
          },
          "The least finite value: the most negative one, or without a sign zero or the least positive.")
      .def_prop_ro("min_normal", number_of(kFloats, [](const FormatSpec& s) { return s.min_normal(); }),
                   "The least positive normal value.")
      .def_prop_ro("min_subnormal", number_of(kSubnormals, [](const FormatSpec& s) { return s.min_positive(); }),
                   "The least positive subnormal value; None where there is none.")
      .def_prop_ro("min_positive", number_of(kAlways, [](const FormatSpec& s) { return s.min_positive(); }),
                   "The least positive value.")
      .def_prop_ro("epsilon", number_of(kFloats, [](const FormatSpec& s) { return pow2(-s.mantissa_bits); }),
                   "2^-mantissa_bits: the distance from 1 to the next value where both are normal.")
      .def("values", &values_of, "float64 [2^bits]: the value of each code, in the order of codes; up to 16 bits.")
      .def("value_of", &value_of_code, nb::arg("code"), "The value of a code. ValueError where it has none.")
      .def("code_of", &code_of_value, nb::arg("value"), "The code of a value; None where it is none of the format's.")
      .def(
          "next_up", [](const Format& f, double v) { return next_up(float_spec(f, "next_up"), value_in(f, v)); },
          nb::arg("value"), "The next larger value (IEEE 754-2019 5.3.1). ValueError for what is none of its values.")
      .def(
          "next_down", [](const Format& f, double v) { return next_down(float_spec(f, "next_down"), value_in(f, v)); },
          nb::arg("value"), "The next smaller value.")
      .def("ulp", &ulp_at, nb::arg("value"), "The distance of the two values that enclose `value`, any float.")
      .def("__repr__", &repr_of)
      .def(
          "__eq__", [](const Format& a, const Format& b) { return a.element == b.element; }, nb::is_operator(),
          nb::sig("def __eq__(self, other: object, /) -> bool"))
      .def("__hash__", [](const Format& f) { return std::hash<std::string>()(element_name(f.element)); })
      .def("__getstate__", [](const Format& f) { return f.name; })
      .def("__setstate__", [](Format& f, const std::string& name) { new (&f) Format(name); });
  m.def("catalog_names", [] {
    std::vector<std::string> names;
    for (const NamedFormat& format : catalog_formats()) names.push_back(format.name);
    return names;
  });
  m.def("block_preset_names", &preset_names);
}

}  // namespace bitlaw::python
