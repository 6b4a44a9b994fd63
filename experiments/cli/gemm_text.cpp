#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/cli/accumulators_table.h"
#include "experiments/cli/gemm_file.h"

namespace bitlaw {
namespace {

std::string way_text(const GemmReport& report) {
  if (report.fast_rows == report.m) return "fast kernel";
  if (report.fast_rows == 0) return "definition";
  return fmt::format("fast kernel for {} of {} rows, definition for the others", report.fast_rows, report.m);
}

std::string b_text(const GemmRequest& request) { return request.b + (request.transpose_b ? "^T" : ""); }

}  // namespace

std::string gemm_text(const GemmRequest& request, const GemmReport& report) {
  const ProductError& error = report.error;
  return fmt::format(
      "{} {} -> {}\n"
      "  [{}, {}] times [{}, {}] to [{}, {}], float32\n"
      "  {}: {}\n"
      "  computed by    {}, {:.3g} s, {:.3g} GFLOP/s\n"
      "  largest error  {:.4g} of sum |a b|\n"
      "  rms error      {:.4g} of sum |a b|\n"
      "  compared with  sums in float64, {} of {} rows, {} elements left out as infinite or NaN\n",
      request.a, b_text(request), request.out, report.m, report.k, report.k, report.n, report.m, report.n,
      accumulator_name(report.accumulator), accumulator_summary(report.accumulator), way_text(report), report.seconds,
      report.gflops(), error.max, error.rms, error.rows, report.m, error.not_finite);
}

std::string gemm_json(const GemmRequest& request, const GemmReport& report) {
  return nlohmann::json({{"a", request.a},
                         {"b", request.b},
                         {"transpose_b", request.transpose_b},
                         {"output", request.out},
                         {"accumulator", accumulator_name(report.accumulator)},
                         {"m", report.m},
                         {"k", report.k},
                         {"n", report.n},
                         {"fast_rows", report.fast_rows},
                         {"threads", request.threads},
                         {"seconds", report.seconds},
                         {"gflops", report.gflops()},
                         {"max_error", report.error.max},
                         {"rms_error", report.error.rms},
                         {"error_rows", report.error.rows},
                         {"not_finite", report.error.not_finite}})
      .dump();
}

}  // namespace bitlaw
