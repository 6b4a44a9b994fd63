#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/tensor/accumulator.h"

namespace bitlaw {
namespace {

constexpr std::string_view kSequentialBase = "sequential", kTensorCoreBase = "tensor_core";

constexpr std::array<EnumName<ProductRounding>, 2> kProductNames{
    {{"fused", ProductRounding::Fused}, {"rounded", ProductRounding::Rounded}}};
constexpr std::array<EnumName<RunningSum>, 2> kRunningNames{
    {{"aligned", RunningSum::Aligned}, {"after", RunningSum::After}}};
constexpr std::array<EnumName<ChunkOrder>, 2> kChunkOrderNames{
    {{"ascending", ChunkOrder::Ascending}, {"pairwise", ChunkOrder::Pairwise}}};

template <typename Names, typename Enum>
bool read(const Names& names, std::string_view text, Enum& value) {
  const auto found = value_of(text, names);
  if (found) value = *found;
  return found.has_value();
}

bool read(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// A number, or `word` for the number `meaning`.
bool read(std::string_view text, int& value, std::string_view word, int meaning) {
  if (text != word) return read(text, value);
  value = meaning;
  return true;
}

std::string spell(int value, std::string_view word, int meaning) {
  return value == meaning ? std::string(word) : fmt::format("{}", value);
}

enum class Owner : std::uint8_t {
  Both,
  Sequential,
  TensorCore
};

/// An option: `set` says whether the text is one of its values; `spelling` is what set reads.
struct Option {
  std::string_view name;
  Owner owner;
  std::string_view values;
  bool (*set)(AccumulatorSpec&, std::string_view);
  std::string (*spelling)(const AccumulatorSpec&);
};

using Spec = AccumulatorSpec;
constexpr std::string_view kFormats = "a format within float32, with sign and zero";
constexpr std::string_view kRoundings = "ties_to_even, toward_zero or another rounding that is not stochastic";

template <FormatSpec Spec::*kField>
constexpr Option format_option(std::string_view name, Owner owner) {
  return {name, owner, kFormats,
          [](Spec& spec, std::string_view text) {
            spec.*kField = parse_format(text);
            return true;
          },
          [](const Spec& spec) { return format_name(spec.*kField); }};
}

template <RoundingMode Spec::*kField>
constexpr Option rounding_option(std::string_view name) {
  return {name, Owner::TensorCore, kRoundings,
          [](Spec& spec, std::string_view text) { return read(kRoundingModeNames, text, spec.*kField); },
          [](const Spec& spec) { return std::string(name_of(spec.*kField, kRoundingModeNames)); }};
}

template <int Spec::*kField>
constexpr Option emin_option(std::string_view name) {
  return {name, Owner::TensorCore, "-149 to 127 or 'none'",
          [](Spec& spec, std::string_view text) { return read(text, spec.*kField, "none", kNoMinimumExponent); },
          [](const Spec& spec) { return spell(spec.*kField, "none", kNoMinimumExponent); }};
}

bool set_grid(Spec& spec, std::string_view text) {
  int bits = 0;
  if (text == "none") {
    spec.grid_bits.reset();
    return true;
  }
  if (!read(text, bits)) return false;
  spec.grid_bits = bits;
  return true;
}

constexpr std::array kOptions{
    format_option<&Spec::sum>("sum", Owner::Sequential),
    Option{"product", Owner::Sequential, "fused or rounded",
           [](Spec& spec, std::string_view text) { return read(kProductNames, text, spec.product); },
           [](const Spec& spec) { return std::string(name_of(spec.product, kProductNames)); }},
    Option{"group", Owner::TensorCore, "1 to 1024",
           [](Spec& spec, std::string_view text) { return read(text, spec.group); },
           [](const Spec& spec) { return fmt::format("{}", spec.group); }},
    Option{"bits", Owner::TensorCore, "0 to 36 or 'exact'",
           [](Spec& spec, std::string_view text) { return read(text, spec.alignment_bits, "exact", kExactAlignment); },
           [](const Spec& spec) { return spell(spec.alignment_bits, "exact", kExactAlignment); }},
    rounding_option<&Spec::alignment>("align"),
    Option{"running", Owner::TensorCore, "aligned or after",
           [](Spec& spec, std::string_view text) { return read(kRunningNames, text, spec.running); },
           [](const Spec& spec) { return std::string(name_of(spec.running, kRunningNames)); }},
    format_option<&Spec::group_sum>("group_sum", Owner::TensorCore),
    format_option<&Spec::between>("between", Owner::TensorCore),
    rounding_option<&Spec::between_rounding>("between_round"),
    emin_option<&Spec::emin_a>("emin_a"),
    emin_option<&Spec::emin_b>("emin_b"),
    Option{"chunk", Owner::Both, "0 (all of K) or more",
           [](Spec& spec, std::string_view text) { return read(text, spec.chunk); },
           [](const Spec& spec) { return fmt::format("{}", spec.chunk); }},
    Option{"chunk_order", Owner::Both, "ascending or pairwise",
           [](Spec& spec, std::string_view text) { return read(kChunkOrderNames, text, spec.chunk_order); },
           [](const Spec& spec) { return std::string(name_of(spec.chunk_order, kChunkOrderNames)); }},
    format_option<&Spec::chunk_format>("chunk_format", Owner::Both),
    format_option<&Spec::result>("result", Owner::Both),
    Option{"grid", Owner::Both, "-100 to 149 or 'none'", set_grid,
           [](const Spec& spec) { return spec.grid_bits ? fmt::format("{}", *spec.grid_bits) : "none"; }},
};

bool applies(const Option& option, ChunkSum rule) {
  return option.owner == Owner::Both || (option.owner == Owner::Sequential) == (rule == ChunkSum::Sequential);
}

AccumulatorSpec base_spec(ChunkSum rule) {
  AccumulatorSpec spec;
  spec.chunk_sum = rule;
  return spec;
}

AccumulatorSpec parse_base(std::string_view base) {
  if (base == kSequentialBase) return base_spec(ChunkSum::Sequential);
  if (base == kTensorCoreBase) return base_spec(ChunkSum::TensorCore);
  std::vector<std::string_view> names{kSequentialBase, kTensorCoreBase};
  for (const AccumulatorEntry& entry : accumulator_catalog()) {
    if (entry.name == base) return entry.spec;
    names.push_back(entry.name);
  }
  throw InputError(
      fmt::format("unknown accumulator '{}', neither a name of the table nor 'sequential' or "
                  "'tensor_core' with options, so nothing can be summed with it; {}",
                  base, remedy(base, std::span<const std::string_view>(names))));
}

/// Cuts "sum=e6m9,ieee,chunk=64" into "sum=e6m9,ieee" and "chunk=64": a word without '=' continues the value before it.
std::vector<std::string_view> split_options(std::string_view text) {
  std::vector<std::string_view> options;
  while (!text.empty()) {
    std::size_t end = text.find(',');
    while (end < text.size() && text.substr(end + 1, text.find(',', end + 1) - end - 1).find('=') == text.npos) {
      end = text.find(',', end + 1);
    }
    options.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return options;
}

void apply_option(AccumulatorSpec& spec, std::string_view name, std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view key = text.substr(0, equals);
  std::vector<std::string_view> known;
  for (const Option& option : kOptions) {
    if (!applies(option, spec.chunk_sum)) continue;
    known.push_back(option.name);
    if (option.name != key) continue;
    const std::string_view value = equals == text.npos ? "" : text.substr(equals + 1);
    if (option.set(spec, value) && spec.is_valid()) return;
    throw InputError(fmt::format("accumulator '{}': option '{}' cannot be '{}', so the sum is not defined; use {}",
                                 name, key, value, option.values));
  }
  throw InputError(fmt::format("accumulator '{}': no option '{}' of this kind of sum, so it would have no effect; {}",
                               name, key, remedy(key, std::span<const std::string_view>(known))));
}

}  // namespace

AccumulatorSpec parse_accumulator(std::string_view name) {
  const std::size_t colon = name.find(':');
  AccumulatorSpec spec = parse_base(name.substr(0, colon));
  if (colon == name.npos) return spec;
  std::set<std::string_view> keys;
  for (const std::string_view option : split_options(name.substr(colon + 1))) {
    const std::string_view key = option.substr(0, option.find('='));
    if (!keys.insert(key).second) refuse_given_twice(fmt::format("accumulator '{}'", name), key);
    apply_option(spec, name, option);
  }
  return spec;
}

std::string accumulator_name(const AccumulatorSpec& spec) {
  for (const AccumulatorEntry& entry : accumulator_catalog()) {
    if (entry.spec == spec) return std::string(entry.name);
  }
  const AccumulatorSpec base = base_spec(spec.chunk_sum);
  std::string name(spec.chunk_sum == ChunkSum::Sequential ? kSequentialBase : kTensorCoreBase);
  char separator = ':';
  for (const Option& option : kOptions) {
    const std::string value = option.spelling(spec);
    if (!applies(option, spec.chunk_sum) || value == option.spelling(base)) continue;
    name += fmt::format("{}{}={}", separator, option.name, value);
    separator = ',';
  }
  return name;
}

}  // namespace bitlaw
