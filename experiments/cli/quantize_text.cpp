#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/cli/quantize_file.h"

namespace bitlaw {
namespace {

std::string snr_text(const RoundingStatistics& s) {
  const double snr_db = s.snr_db();
  if (s.compared == 0) return "none: no number is finite before and after";
  if (std::isnan(snr_db)) return "none: only zeros, which stayed zero";
  if (std::isfinite(snr_db)) return fmt::format("{:.2f} dB", snr_db);
  if (snr_db < 0) return "minus infinity: only zeros, which changed";
  return s.compared == s.finite() ? "infinite: nothing changed" : "infinite: nothing changed that stayed finite";
}

std::string stored_text(const QuantizePlan& plan, const StoredBlocks& stored) {
  const std::string codes = plan.codes_out ? plan.codes_out->to_string() + " and " : "";
  const std::string tensor = stored.tensor_scale ? fmt::format(", tensor scale {}", *stored.tensor_scale) : "";
  return fmt::format("  stored         {}{}, {:.6g} bits per element{}\n", codes, plan.scales_out->to_string(),
                     stored.bits_per_element, tensor);
}

}  // namespace

std::string quantize_text(const QuantizePlan& plan, const QuantizeReport& report) {
  const RoundingStatistics& s = report.statistics;
  const std::string text = fmt::format(
      "{} -> {}\n"
      "  {} {}\n"
      "  {} [{}] to {}, {} elements\n"
      "  SNR            {}\n"
      "  largest error  {:.6g}\n"
      "  clipped        {} of {} finite ({:.4g} %)\n"
      "  underflowed    {} of {} nonzero ({:.4g} %)\n"
      "  NaN            {} before, {} after\n"
      "  infinite       {} before, {} after\n",
      plan.in.to_string(), plan.out.to_string(), plan.format_name, conversion_text(plan), info(report.input.type).name,
      fmt::join(report.input.shape, ", "),
      plan.codes ? fmt::format("codes in {}", info(report.output.type).name) : "values of the same type", s.elements,
      snr_text(s), s.max_abs_error, s.clipped, s.finite(), 100 * s.clip_rate(), s.underflowed, s.nonzero,
      100 * s.underflow_rate(), s.nan_in, s.nan_out, s.inf_in, s.inf_out);
  return report.stored ? text + stored_text(plan, *report.stored) : text;
}

std::string quantize_json(const QuantizePlan& plan, const QuantizeReport& report) {
  using nlohmann::json;
  const RoundingStatistics& s = report.statistics;
  const double snr = s.snr_db();
  json document({{"input", plan.in.to_string()},
                 {"output", plan.out.to_string()},
                 {"format", plan.format_name},
                 {"conversion", conversion_text(plan)},
                 {"content", plan.codes ? "codes" : "values"},
                 {"input_type", info(report.input.type).name},
                 {"output_type", info(report.output.type).name},
                 {"shape", report.input.shape},
                 {"elements", s.elements},
                 {"finite", s.finite()},
                 {"nonzero", s.nonzero},
                 {"snr_db", std::isfinite(snr) ? json(snr) : json()},  // JSON has no infinity
                 {"max_abs_error", s.max_abs_error},
                 {"clipped", s.clipped},
                 {"clip_rate", s.clip_rate()},
                 {"underflowed", s.underflowed},
                 {"underflow_rate", s.underflow_rate()},
                 {"nan_in", s.nan_in},
                 {"nan_out", s.nan_out},
                 {"inf_in", s.inf_in},
                 {"inf_out", s.inf_out}});
  if (report.stored) {
    document["bits_per_element"] = report.stored->bits_per_element;
    if (report.stored->tensor_scale) document["tensor_scale"] = *report.stored->tensor_scale;
    document["scales_file"] = plan.scales_out->to_string();
    if (plan.codes_out) document["codes_file"] = plan.codes_out->to_string();
  }
  return document.dump();
}

}  // namespace bitlaw
