#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/team.h"
#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "experiments/sweep/block_yaml.h"
#include "experiments/sweep/slot_yaml.h"
#include "notebooks/python/binding/python_types.h"

namespace bitlaw::python {
namespace nb = nanobind;
namespace {

constexpr const char* kBlockDoc = R"(How an array is stored in few bits: elements that share scales.

Block(preset) is one of bitlaw.block_presets(), such as "nvfp4" or "mxfp8". Block(format, block=..., scale=..., ...)
takes the element's format and the keys that YAML has (experiments/sweep/README.md): block (16, "16x16", "channel",
"across" or "tensor"), scale (a format; float32 without), rule, tensor_target, statistic, parameter, scale_round,
scale_ties, least_scale, order, store, scaling, search, search_window, zero_scale, non_finite, double_quantization.
After a preset, they change it. ValueError for what is unknown or contradicts itself.

>>> bitlaw.Block("e2m1", block=16, scale="ue4m3", rule="nearest", tensor_target=2688) == bitlaw.Block("nvfp4")
True
>>> bitlaw.Block("mxfp4", block=64)
Block('e2m1 block=64 scale=e8m0 rule=ocp_floor')
>>> bitlaw.Block("mxfp4").bits_per_element(1, 32)
4.25)";

constexpr const char* kPackedDoc = R"(An array in the bits that a Block stores: what bitlaw.encode(x, block) gives.

codes: uint8, the codes of the elements in the order of memory without gaps, the first in the lowest bits. scales: uint8
[blocks down, blocks across], and a last axis of bytes, low first, for scales of more than 8 bits. tensor_scale: float
or None. bitlaw.decode gives the array.)";

std::string text_of(nb::handle value) { return nb::cast<std::string>(nb::str(value)); }

YamlNode field_of(const std::string& key, const std::string& text) {
  YamlNode field;
  field.kind = YamlNode::Kind::Scalar;
  field.key = key;
  field.text = text;
  field.place.file = field.key_place.file = fmt::format("bitlaw.Block({}={})", key, text);
  return field;
}

/// The names that Block takes besides what it is of.
std::vector<std::string> option_names() {
  std::vector<std::string> names{"block", "scale"};
  for (const std::string_view key : block_keys()) names.emplace_back(key);
  return names;
}

Block block_of(const std::string& what, const nb::dict& options) {
  const auto preset = block_preset(what);
  if (options.size() == 0 && preset) return {what, *preset};
  YamlNode fields;
  fields.kind = YamlNode::Kind::Map;
  fields.children.push_back(field_of(preset ? "preset" : "format", what));
  fields.children.front().place.file = fmt::format("bitlaw.Block('{}')", what);
  const std::vector<std::string> known = option_names();
  for (const auto& [key, value] : options) {
    fields.children.push_back(field_of(text_of(key), text_of(value)));
    const YamlNode& field = fields.children.back();
    if (std::find(known.begin(), known.end(), field.key) == known.end()) refuse_key(field, "a block", known);
  }
  SlotDraft draft;
  draft.apply(fields);
  const SlotSpec slot = draft.finish_as(fmt::format("bitlaw.Block('{}')", what));
  if (!slot.block) {
    throw InputError(fmt::format(
        "bitlaw.Block('{}'): is what blocks are computed in, so nothing would be rounded; choose a narrower format",
        what));
  }
  return {block_text(*slot.block), *slot.block};
}

/// The inverse of block_text.
Block block_of_text(const std::string& name, const std::string& text) {
  std::istringstream words(text);
  std::string element, word;
  words >> element;
  nb::dict options;
  while (words >> word) {
    const std::size_t is = word.find('=');
    options[word.substr(0, is).c_str()] = nb::str(word.substr(is + 1).c_str());
  }
  return {name, block_of(element, options).spec};
}

/// K along the last axis, or along the first one.
KAxis axis_of(bool k_first) { return k_first ? KAxis::Rows : KAxis::Cols; }

void quantize_blocks_into(const Block& block, const Conversion& conversion, const Input& x, std::int64_t rows,
                          std::int64_t cols, bool k_first, const Output& out, const Key& key, int threads) {
  const auto from = matrix(x, rows, cols);
  const auto to = matrix(out, rows, cols);
  const nb::gil_scoped_release released;
  const TeamScope team(threads);
  quantize_blocks_by_team(block.spec, conversion.rounding, axis_of(k_first), from, to, stream_of(key));
}

Packed pack(const Block& block, const Conversion& conversion, const Input& x, std::vector<std::int64_t> shape,
            std::int64_t rows, std::int64_t cols, bool k_first, const Key& key) {
  const auto from = matrix(x, rows, cols);
  const nb::gil_scoped_release released;
  return {block, std::move(shape), axis_of(k_first),
          pack_blocks(block.spec, conversion.rounding, axis_of(k_first), from, stream_of(key))};
}

void unpack_blocks_into(const Packed& packed, const Output& out) {
  const auto to = matrix(out, packed.storage.grid.rows, packed.storage.grid.cols);
  const nb::gil_scoped_release released;
  unpack_blocks(packed.block.spec, packed.storage, to);
}

/// From what was stored elsewhere; the arrays' types are the Python side's.
Packed packed_of(const Block& block, const Input& codes, const Input& scales, std::optional<float> tensor_scale,
                 std::vector<std::int64_t> shape, std::int64_t rows, std::int64_t cols, bool k_first) {
  if (block.spec.double_quantization) {
    throw InputError("bitlaw.Packed: double quantization has a mean and steps besides, which cannot be given");
  }
  BlockStorage storage;
  storage.grid = block_grid(block.spec, axis_of(k_first), rows, cols);
  const auto bytes_of = [](const Input& array) {
    const auto* bytes = static_cast<const std::uint8_t*>(array.data());
    return std::vector<std::uint8_t>(bytes, bytes + array.size());
  };
  storage.codes = bytes_of(codes);
  storage.scales = bytes_of(scales);
  storage.tensor_scale = tensor_scale;
  const std::size_t code_bytes = packed_size(static_cast<std::size_t>(rows * cols), block.spec.element_bits());
  const std::size_t scale_bytes_all =
      static_cast<std::size_t>(storage.grid.count()) * static_cast<std::size_t>(scale_bytes(block.spec));
  if (storage.codes.size() != code_bytes || storage.scales.size() != scale_bytes_all) {
    throw InputError(
        fmt::format("bitlaw.Packed: {} bytes of codes and {} of scales, but [{}, {}] in {} takes {} and {}; is the "
                    "shape right?",
                    storage.codes.size(), storage.scales.size(), rows, cols, block.name, code_bytes, scale_bytes_all));
  }
  return {block, std::move(shape), axis_of(k_first), std::move(storage)};
}

nb::object codes_of(nb::handle_t<Packed> self) {
  const auto& codes = nb::cast<const Packed&>(self).storage.codes;
  return nb::cast(nb::ndarray<nb::numpy, const std::uint8_t>(codes.data(), {codes.size()}, self));
}

nb::object scales_of(nb::handle_t<Packed> self) {
  const auto& packed = nb::cast<const Packed&>(self);
  std::vector<std::size_t> shape{static_cast<std::size_t>(packed.storage.grid.down()),
                                 static_cast<std::size_t>(packed.storage.grid.across())};
  const int bytes = scale_bytes(packed.block.spec);
  if (bytes > 1) shape.push_back(static_cast<std::size_t>(bytes));
  return nb::cast(
      nb::ndarray<nb::numpy, const std::uint8_t>(packed.storage.scales.data(), shape.size(), shape.data(), self));
}

}  // namespace

void bind_blocks(nb::module_& m) {
  nb::class_<Block>(m, "Block", kBlockDoc)
      .def(
          "__init__",
          [](Block* self, const std::string& what, const nb::kwargs& options) {
            new (self) Block(block_of(what, options));
          },
          nb::arg("what"), nb::arg("options"), nb::sig("def __init__(self, what: str, **options: object) -> None"))
      .def_ro("name", &Block::name, "The preset's name, else what decides the bits, as YAML's keys.")
      .def_prop_ro(
          "text", [](const Block& b) { return block_text(b.spec); }, "What decides the bits, as YAML's keys.")
      .def_prop_ro(
          "element",
          [](const Block& b) {
            return Format(b.spec.codebook ? codebook_name(*b.spec.codebook) : format_name(b.spec.element));
          },
          "The Format of the elements.")
      .def_prop_ro(
          "scale", [](const Block& b) { return Format(format_name(b.spec.scale.value_or(kBinary32))); },
          "The Format of the scales.")
      .def(
          "bits_per_element",
          [](const Block& b, std::int64_t rows, std::int64_t cols) {
            if (rows < 1 || cols < 1) throw InputError("bits_per_element: rows and cols are at least 1");
            return bits_per_element(b.spec, KAxis::Cols, rows, cols);
          },
          nb::arg("rows"), nb::arg("cols"), "Bits of codes and scales for each element of [rows, cols].")
      .def("__repr__", [](const Block& b) { return fmt::format("Block('{}')", b.name); })
      .def(
          "__eq__", [](const Block& a, const Block& b) { return a.spec == b.spec; }, nb::is_operator(),
          nb::sig("def __eq__(self, other: object, /) -> bool"))
      .def("__hash__", [](const Block& b) { return std::hash<std::string>()(block_text(b.spec)); })
      .def("__getstate__", [](const Block& b) { return std::pair(b.name, block_text(b.spec)); })
      .def("__setstate__", [](Block& b, const std::pair<std::string, std::string>& state) {
        new (&b) Block(block_of_text(state.first, state.second));
      });
  nb::class_<Packed>(m, "Packed", kPackedDoc)
      .def_ro("block", &Packed::block)
      .def_ro("shape", &Packed::shape, "The array's.")
      .def_prop_ro("codes", &codes_of, "uint8, read-only: the packed codes of the elements.")
      .def_prop_ro("scales", &scales_of, "uint8, read-only: the codes of the scales.")
      .def_prop_ro(
          "tensor_scale", [](const Packed& p) { return p.storage.tensor_scale; }, "The second-level scale, or None.");
  m.def("quantize_blocks_into", &quantize_blocks_into);
  m.def("pack", &pack);
  m.def("unpack_blocks_into", &unpack_blocks_into);
  m.def("packed_of", &packed_of, nb::arg("block"), nb::arg("codes"), nb::arg("scales"), nb::arg("tensor_scale").none(),
        nb::arg("shape"), nb::arg("rows"), nb::arg("cols"), nb::arg("k_first"));
}

}  // namespace bitlaw::python
