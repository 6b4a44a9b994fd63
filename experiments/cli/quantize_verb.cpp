#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "core/block/block_presets.h"
#include "experiments/cli/element_progress.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/quantize_file.h"
#include "experiments/cli/verbs.h"
#include "experiments/sweep/slot_yaml.h"

namespace bitlaw {
namespace {

int quantize(const QuantizeRequest& request, bool json) {
  const QuantizePlan plan = plan_quantize(request);
  const auto report = with_element_progress([&](const ElementsDone& go_on) { return quantize_file(plan, go_on); });
  if (!report) {
    fmt::print(stderr, "stopped; {} was not written\n", plan.out.to_string());
    return kStopped;
  }
  fmt::print("{}", json ? quantize_json(plan, *report) + "\n" : quantize_text(plan, *report));
  return 0;
}

/// "ties_to_even, ties_to_away, ..."
template <typename Names>
std::string words(const Names& names) {
  std::vector<std::string_view> all;
  for (const auto& entry : names) all.push_back(entry.name);
  return fmt::format("{}", fmt::join(all, ", "));
}

/// CLI11 reads -1 as 2^64 - 1 and ends larger numbers there.
std::string is_seed(const std::string& word) {
  std::uint64_t seed = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, seed);
  return error == std::errc() && rest == end ? "" : fmt::format("Value {} is no integer from 0 to 2^64 - 1", word);
}

constexpr std::string_view kHelp =
    "IN and OUT are .npy files of float16, float32 or float64 (OUT keeps shape and order), datasets in HDF5\n"
    "(FILE.h5:/GROUP/NAME; OUT is written anew with this one dataset), or raw little-endian numbers of a type that\n"
    "--dtype or the extension tells (.f16, .bf16, .f32, .f64). OUT may be another kind of file than IN.\n"
    "Blocks lie along the last axis and need float32. --rotate leaves OUT, its codes and the statistics rotated:\n"
    "products with an operand that is rotated alike are those of the numbers before. --codes-out: codes in the order\n"
    "of the file without gaps between them, the first in the lowest bits. --scales-out: [rows of blocks, blocks in a\n"
    "row], and a last axis of bytes, low first, for scales of more than 8 bits. The scale of the whole array is\n"
    "printed. 'bitlaw formats show nvfp4' says what the choices mean.\n"
    "Nothing is rounded twice: float64 never goes through float32, and formats with values that the type of the file\n"
    "lacks are refused without --codes.\n"
    "Stochastic roundings: element i of the file takes the random numbers of element i of the seed's stream.\n\n"
    "Printed, over all elements x that became q:\n"
    "  SNR          10 log10(sum x^2 / sum (x - q)^2) in dB, over finite x with finite q\n"
    "  clipped      finite x below the least or above the largest value of the format (with --block: of their block)\n"
    "  underflowed  finite x other than zero whose q is zero\n\n"
    "Examples:\n"
    "  bitlaw quantize x.npy --to e4m3 --out q.npy\n"
    "  bitlaw quantize x.npy --to e2m1 --round stochastic_a --bits 8 --seed 1 --codes --out codes.npy\n"
    "  bitlaw quantize w.h5:/layer0/weight --block mxfp4 --out w4.h5 --json\n"
    "  bitlaw quantize w.npy --block nvfp4 --codes-out codes.npy --scales-out scales.npy --out q.npy\n"
    "  bitlaw quantize w.npy --to e2m1 --block 32 --scale e8m0 --scale-rule ceil --rotate 32 --out q.npy\n"
    "  bitlaw quantize x.bin --dtype float64 --to bfloat16 --overflow infinity --out q.bin";

void add_block_options(CLI::App& verb, QuantizeRequest& request) {
  verb.add_option("--block", request.block,
                  fmt::format("Scale blocks: elements per scale along the last axis, 16x16, channel, across or tensor, "
                              "with --to; or a preset: {}",
                              fmt::join(block_preset_names(), ", ")));
  verb.add_option("--scale", request.scale, "Format of the scales of blocks (default: float32, or the preset's)");
  verb.add_option("--scale-rule", request.scale_rule, "How a scale follows from its block: " + words(kScaleRuleNames));
  verb.add_option("--tensor-target", request.tensor_target,
                  "Scale the whole array first, so that its largest magnitude becomes this");
  verb.add_option("--rotate", request.rotate, "Rotate pieces of so many numbers, a power of two, along the last axis");
  verb.add_option(
      "--rotate-signs", request.rotate_signs,
      fmt::format("Signs before the rotation: {} (default: random, by --seed)", words(kHadamardSignsNames)));
  verb.add_option("--scales-out", request.scales_out, "File for the codes of the blocks' scales, uint8");
  verb.add_option("--codes-out", request.codes_out, "File for the packed codes of the blocks' elements, uint8");
}

}  // namespace

void add_quantize_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("quantize", "Round the numbers of a file to a format");
  const auto request = std::make_shared<QuantizeRequest>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option("in", request->in, "Numbers to round: x.npy, x.h5:/dataset or a raw file")->required();
  verb->add_option("--out", request->out, "File to write; replaced in one step when all is done")->required();
  verb->add_option("--to", request->to, "Format, one that 'bitlaw formats show' takes; needed without --block");
  verb->add_option("--round", request->round, fmt::format("{} (default: ties_to_even)", words(kRoundingWords)));
  verb->add_option("--bits", request->bits, "Random bits k of stochastic_a, _b and _c, which need it: 1 to 32")
      ->check(number_between(1, 32));
  verb->add_option("--seed", request->seed, "Seed of stochastic roundings, 0 to 2^64 - 1 (default: 0)")->check(is_seed);
  verb->add_option("--overflow", request->overflow, fmt::format("{} (default: saturate)", words(kOverflowNames)));
  verb->add_option("--nan", request->nan,
                   fmt::format("What NaN becomes: {} (default: propagate)", words(kNanPolicyNames)));
  verb->add_option("--power-ties", request->power_ties,
                   fmt::format("Nearest power of two in formats without mantissa bits: {} (default: even_code)",
                               words(kPowerTiesNames)));
  add_block_options(*verb, *request);
  verb->add_flag("--codes", request->codes, "Write codes, as unsigned integers of the least width, instead of values");
  verb->add_option("--dtype", request->dtype, "Numbers in a raw file: float16, bfloat16, float32, float64");
  verb->add_option("--threads", request->threads, "Threads (default: all cores); the result does not depend on them")
      ->check(number_between(1, 4096));
  verb->add_flag("--json", *json, "Print one JSON document");
  verb->footer(std::string(kHelp));
  verb->callback([request, json, &invocation] { invocation.exit_code = quantize(*request, *json); });
}

}  // namespace bitlaw
