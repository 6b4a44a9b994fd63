#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/base/cores.h"
#include "core/base/error.h"
#include "experiments/cli/accumulators_table.h"
#include "experiments/cli/element_progress.h"
#include "experiments/cli/gemm_file.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"

namespace bitlaw {
namespace {

struct GemmArguments {
  GemmRequest request;
  bool json = false, list = false;
};

int multiply(const GemmArguments& arguments) {
  const GemmRequest& request = arguments.request;
  if (request.a.empty() || request.b.empty() || request.out.empty()) {
    throw InputError(fmt::format("bitlaw gemm: {} is required, so nothing was done; see bitlaw gemm --help",
                                 request.a.empty()   ? "a"
                                 : request.b.empty() ? "b"
                                                     : "--out"));
  }
  const auto report = with_element_progress([&](const ElementsDone& go_on) { return gemm_file(request, go_on); });
  if (!report) {
    fmt::print(stderr, "stopped; {} was not written\n", request.out);
    return kStopped;
  }
  fmt::print("{}", arguments.json ? gemm_json(request, *report) + "\n" : gemm_text(request, *report));
  return 0;
}

int gemm_or_list(const GemmArguments& arguments) {
  if (!arguments.list) return multiply(arguments);
  fmt::print("{}", arguments.json ? accumulators_json() + "\n" : accumulators_table());
  return 0;
}

}  // namespace

void add_gemm_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("gemm", "Multiply two matrices, summed as a matrix unit sums");
  const auto arguments = std::make_shared<GemmArguments>();
  GemmRequest& request = arguments->request;
  request.threads = all_cores();
  verb->add_option("a", request.a, "A [M, K], float32 in a .npy file");
  verb->add_option("b", request.b, "B [K, N], the same");
  verb->add_option("--out", request.out, "File to write, .npy; replaced in one step when all is done");
  verb->add_option("--accumulator", request.accumulator, "How products are summed: a name of --list, or a pattern");
  verb->add_flag("--transpose-b", request.transpose_b, "B is [N, K]");
  verb->add_option("--threads", request.threads, "Threads (default: all cores); the result does not depend on them")
      ->check(number_between(1, 4096));
  verb->add_flag("--list", arguments->list, "List the accumulators: name, how it sums, source");
  verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->footer(
      fmt::format("C = A B, [M, N] in float32. An accumulator is a name or a pattern,\n  {}.\n\n"
                  "Printed: the shapes, the accumulator, whether the vector kernel or the slow definition ran (both\n"
                  "give the same bits), and the largest and root mean square of |c - sum a b| / sum |a b|, from sums\n"
                  "in float64, over all of C up to 2^31 products, beyond that over rows spread evenly.\n\n"
                  "Examples:\n"
                  "  bitlaw gemm a.npy b.npy --accumulator hopper_fp8 --out c.npy\n"
                  "  bitlaw gemm a.npy w.npy --transpose-b --accumulator tensor_core:group=32,bits=13 --out c.npy\n"
                  "  bitlaw gemm --list",
                  kAccumulatorPattern));
  verb->callback([arguments, &invocation] { invocation.exit_code = gemm_or_list(*arguments); });
}

}  // namespace bitlaw
