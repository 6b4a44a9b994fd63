#include "experiments/cli/quantize_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/closest.h"
#include "core/base/cores.h"
#include "core/base/error.h"
#include "experiments/cli/block_request.h"
#include "experiments/cli/conversion_words.h"
#include "experiments/cli/output_files.h"

namespace bitlaw {
namespace {

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
    if (found == known.end()) {
      throw InputError(fmt::format("--dtype {}: '{}' is not known, so nothing was done; {}", *request.dtype,
                                   *request.dtype, remedy(*request.dtype, std::span<const std::string_view>(known))));
    }
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

/// Where `flag` writes, which it tells `files`.
ArrayPlace out_of(const char* flag, const std::string& word, const ArrayPlace& in, OutputFiles& files) {
  ArrayPlace out = parse_array_place(word);
  if (out.kind == ArrayPlace::Kind::Hdf5 && out.dataset.empty()) out.dataset = in.dataset;
  files.add(flag, word, out.file);
  return out;
}

void set_outputs(QuantizePlan& plan, const QuantizeRequest& request) {
  OutputFiles files({plan.in.file.string()});
  plan.out = out_of("--out", request.out, plan.in, files);
  if (request.codes_out) plan.codes_out = out_of("--codes-out", *request.codes_out, plan.in, files);
  if (request.scales_out) plan.scales_out = out_of("--scales-out", *request.scales_out, plan.in, files);
}

/// A flag that would be ignored.
void refuse_idle(const std::string& flag, const std::string& why) {
  throw InputError(fmt::format("{}: {}, so it would be ignored; drop it", flag, why));
}

bool draws_signs(const QuantizePlan& plan) { return plan.rotation && plan.rotation->signs == HadamardSigns::Random; }

/// Flags that say nothing beside the format and the rounding.
void check_idle_flags(const QuantizeRequest& request, const QuantizePlan& plan) {
  if (request.seed && !plan.conversion.rounding.is_stochastic() && !draws_signs(plan)) {
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
  set_outputs(plan, request);
  plan.conversion = conversion_of({.round = request.round,
                                   .bits = request.bits,
                                   .overflow = request.overflow,
                                   .nan = request.nan,
                                   .power_ties = request.power_ties});
  if (request.block) {
    const SlotSpec slot = slot_of(request);
    plan.block = slot.block;
    if (slot.rotate != 0) plan.rotation = rotation_of(slot);
    plan.format = slot.block->codebook ? Element(*slot.block->codebook) : Element(slot.block->element);
    plan.format_name = slot_name(request, slot);
  } else if (request.to) {
    refuse_block_flags(request);
    plan.format = format_of(*request.to);
    plan.format_name = *request.to;
  } else {
    throw InputError(
        "--to: is missing, so nothing says which format to round to; add for example --to e4m3, or --block "
        "mxfp4");
  }
  check_idle_flags(request, plan);
  plan.seed = request.seed.value_or(0);
  plan.codes = request.codes;
  plan.threads = request.threads.value_or(all_cores());
  return plan;
}

std::string conversion_text(const QuantizePlan& plan) {
  const Rounding& rounding = plan.conversion.rounding;
  std::string text = fmt::format("round={}", name_of(rounding.mode, kRoundingModeNames));
  if (rounding.bits != 0) text += fmt::format(" bits={}", rounding.bits);
  if (rounding.is_stochastic() || draws_signs(plan)) text += fmt::format(" seed={}", plan.seed);
  if (rounding.power_ties != PowerTies::EvenCode) {
    text += fmt::format(" power_ties={}", name_of(rounding.power_ties, kPowerTiesNames));
  }
  if (plan.block) return text;
  return text + fmt::format(" overflow={} nan={}", name_of(plan.conversion.overflow, kOverflowNames),
                            name_of(plan.conversion.nan, kNanPolicyNames));
}

}  // namespace bitlaw
