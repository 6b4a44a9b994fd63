#include "experiments/cli/quantize_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/block/block_presets.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void unknown_word(std::string_view flag, const std::string& word,
                               const std::vector<std::string_view>& known) {
  throw InputError(fmt::format("{} {}: '{}' is not known, so nothing was done; {}", flag, word, word,
                               remedy(word, std::span<const std::string_view>(known))));
}

/// The value that `word` names in a table of names.
template <typename Names>
auto value_named(std::string_view flag, const std::string& word, const Names& names) {
  if (const auto value = value_of(word, names)) return *value;
  std::vector<std::string_view> known;
  for (const auto& entry : names) known.push_back(entry.name);
  unknown_word(flag, word, known);
}

Rounding rounding_of(const QuantizeRequest& request) {
  const RoundingMode mode = value_named("--round", request.round, kRoundingModeNames);
  const bool takes_bits = is_stochastic(mode) && mode != RoundingMode::StochasticExact;
  if (takes_bits && !request.bits) {
    throw InputError(
        fmt::format("--round {}: --bits is missing, so the number of random bits is unknown; add for "
                    "example --bits 8, or use stochastic_exact, which takes as many as it needs",
                    request.round));
  }
  if (!takes_bits && request.bits) {
    throw InputError(
        fmt::format("--bits {}: --round {} does not take a number of random bits, so it would be ignored; "
                    "drop it or use stochastic_a, stochastic_b or stochastic_c",
                    *request.bits, request.round));
  }
  const PowerTies power_ties = value_named("--power-ties", request.power_ties.value_or("even_code"), kPowerTiesNames);
  if (request.power_ties && mode != RoundingMode::TiesToEven) {
    throw InputError(
        fmt::format("--power-ties {}: is about --round ties_to_even alone, so with {} it would be ignored; "
                    "drop one of the two",
                    *request.power_ties, request.round));
  }
  return {mode, request.bits.value_or(0), power_ties};
}

/// What blocks cannot do.
void check_block_flags(const QuantizeRequest& request, const BlockSpec& block) {
  const std::string place = "--block " + *request.block;
  if (request.codes) {
    throw InputError(place +
                     ": --codes has no place for the scales of blocks, so the codes could not be read back; "
                     "drop --codes to write the values");
  }
  if (request.overflow || request.nan) {
    throw InputError(
        fmt::format("{}: blocks saturate, and one with a NaN becomes NaN throughout, so {} would be "
                    "ignored; drop it",
                    place, request.overflow ? "--overflow" : "--nan"));
  }
  if (request.to && parse_element(*request.to) != Element(block.element)) {
    throw InputError(fmt::format("--to {}: {} has elements of {}, so one of the two would be ignored; drop --to",
                                 *request.to, place, format_name(block.element)));
  }
}

Element format_of(const std::string& name) {
  Element format = parse_element(name);
  const auto* spec = std::get_if<FormatSpec>(&format);
  if (spec != nullptr && !spec->is_exact_in_double()) {
    throw InputError(
        fmt::format("--to {}: has values outside float64, in which numbers are rounded, so it can be "
                    "listed but not rounded to; choose a format with fewer exponent bits",
                    name));
  }
  return format;
}

NumberType raw_type_of(const QuantizeRequest& request, const ArrayPlace& in) {
  std::vector<std::string_view> known;
  for (const NumberTypeInfo& row : kNumberTypes) {
    if (is_float(row.type)) known.push_back(row.name);
  }
  if (request.dtype) {
    if (in.kind != ArrayPlace::Kind::Raw) {
      throw InputError(fmt::format("--dtype {}: {} says itself what its numbers are, so this would be ignored; drop it",
                                   *request.dtype, in.to_string()));
    }
    const auto found = std::find(known.begin(), known.end(), *request.dtype);
    if (found == known.end()) unknown_word("--dtype", *request.dtype, known);
    return kNumberTypes[static_cast<std::size_t>(found - known.begin())].type;
  }
  const auto type = type_of_extension(in.file);
  if (in.kind == ArrayPlace::Kind::Raw && !type) {
    throw InputError(
        fmt::format("{}: has no header and its extension is none of .npy, .h5, .f16, .bf16, .f32, .f64, so "
                    "the type of its numbers is unknown; add for example --dtype float32",
                    in.to_string()));
  }
  return type.value_or(NumberType::Float32);
}

ArrayPlace out_of(const QuantizeRequest& request, const ArrayPlace& in) {
  ArrayPlace out = parse_array_place(request.out);
  if (out.kind == ArrayPlace::Kind::Hdf5 && out.dataset.empty()) out.dataset = in.dataset;
  std::error_code error;  // of an input that cannot be found: reading it will say so
  if (fs::equivalent(in.file, file_to_replace(out.file), error)) {
    throw InputError(
        fmt::format("--out {}: is the input, so the numbers before rounding would be lost; choose another "
                    "file",
                    request.out));
  }
  return out;
}

/// A flag that would be ignored.
void refuse_idle(const std::string& flag, const std::string& why) {
  throw InputError(fmt::format("{}: {}, so it would be ignored; drop it", flag, why));
}

/// Flags that say nothing beside the format and the rounding.
void check_idle_flags(const QuantizeRequest& request, const QuantizePlan& plan) {
  if (request.seed && !plan.conversion.rounding.is_stochastic()) {
    refuse_idle(fmt::format("--seed {}", *request.seed),
                fmt::format("--round {} takes no random numbers", request.round));
  }
  if (request.threads && plan.block)
    refuse_idle(fmt::format("--threads {}", *request.threads), "--block runs on one thread");
  const auto* spec = std::get_if<FormatSpec>(&plan.format);
  if (request.overflow && spec == nullptr) {
    refuse_idle("--overflow " + *request.overflow, "lists of values such as " + plan.format_name + " always saturate");
  }
  if (request.power_ties && (spec == nullptr || spec->mantissa_bits > 0)) {
    refuse_idle("--power-ties " + *request.power_ties,
                "is about formats without fraction bits, which " + plan.format_name + " is not");
  }
}

}  // namespace

QuantizePlan plan_quantize(const QuantizeRequest& request) {
  QuantizePlan plan;
  plan.in = parse_array_place(request.in);
  plan.raw_type = raw_type_of(request, plan.in);
  plan.out = out_of(request, plan.in);
  plan.conversion.rounding = rounding_of(request);
  if (request.overflow) plan.conversion.overflow = value_named("--overflow", *request.overflow, kOverflowNames);
  if (request.nan) plan.conversion.nan = value_named("--nan", *request.nan, kNanPolicyNames);
  if (request.block) {
    plan.block = block_preset(*request.block);
    const auto names = block_preset_names();
    if (!plan.block) unknown_word("--block", *request.block, {names.begin(), names.end()});
    check_block_flags(request, *plan.block);
    plan.format = plan.block->element;
  } else if (request.to) {
    plan.format = format_of(*request.to);
  } else {
    throw InputError(
        "--to: is missing, so nothing says which format to round to; add for example --to e4m3, or --block "
        "mxfp4");
  }
  plan.format_name = request.block ? *request.block : *request.to;
  check_idle_flags(request, plan);
  plan.seed = request.seed.value_or(0);
  plan.codes = request.codes;
  plan.threads = request.threads.value_or(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  return plan;
}

std::string conversion_text(const QuantizePlan& plan) {
  const Rounding& rounding = plan.conversion.rounding;
  std::string text = fmt::format("round={}", name_of(rounding.mode, kRoundingModeNames));
  if (rounding.bits != 0) text += fmt::format(" bits={}", rounding.bits);
  if (rounding.is_stochastic()) text += fmt::format(" seed={}", plan.seed);
  if (rounding.power_ties != PowerTies::EvenCode) {
    text += fmt::format(" power_ties={}", name_of(rounding.power_ties, kPowerTiesNames));
  }
  if (plan.block) return text;
  return text + fmt::format(" overflow={} nan={}", name_of(plan.conversion.overflow, kOverflowNames),
                            name_of(plan.conversion.nan, kNanPolicyNames));
}

}  // namespace bitlaw
