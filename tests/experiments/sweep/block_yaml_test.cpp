#include <doctest/doctest.h>

#include <string>

#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/slot_yaml.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

SlotSpec slot(const std::string& fields) {
  return recipe_in(parse_value("{all: {" + fields + "}}", "r"), {})[Slot::FwdX];
}

std::string refusal(const std::string& fields) {
  return message_of([&] { slot(fields); });
}

}  // namespace

TEST_CASE("blocks in YAML: every choice has its spelling") {
  const BlockSpec expected{.element = kE2M1,
                           .shape = BlockShape::Square,
                           .size = 16,
                           .scale = kUE4M3,
                           .rule = ScaleRule::Reciprocal,
                           .tensor_target = 1536.0,
                           .statistic = BlockStatistic::Percentile,
                           .parameter = 99.5,
                           .scale_rounding = {RoundingMode::TowardPositive, 0, PowerTies::Larger},
                           .least_scale = 0.015625,
                           .order = TensorOrder::Folded,
                           .store = TensorStore::Amax,
                           .scaling = ElementScaling::DivideExact,
                           .search = ScaleSearch::Mse,
                           .search_window = 7,
                           .zero_scale = ZeroScale::Least,
                           .non_finite = NonFinite::Ignore};
  const SlotSpec parsed = slot(
      "format: e2m1, block: 16x16, scale: ue4m3, rule: reciprocal, tensor_target: 1536, statistic: percentile, "
      "parameter: 99.5, scale_round: toward_positive, scale_ties: larger, least_scale: 0.015625, order: folded, store: "
      "amax, scaling: divide_exact, search: mse, search_window: 7, zero_scale: least, non_finite: ignore");
  CHECK(parsed.block == expected);
  CHECK(to_text(parsed) ==
        "e2m1 block=16x16 scale=ue4m3 rule=reciprocal tensor_target=1536 statistic=percentile parameter=99.5 "
        "scale_round=toward_positive scale_ties=larger least_scale=0.015625 order=folded store=amax "
        "scaling=divide_exact search=mse search_window=7 zero_scale=least non_finite=ignore round=nearest");
  const SlotSpec doubly = slot("format: nf4, block: 64, double_quantization: int8/128");
  CHECK(doubly.block->double_quantization == DoubleQuantization{kInt8, 128});
  CHECK(slot("format: nf4, block: 64, double_quantization: int8").block->double_quantization->size == 256);
}

TEST_CASE("blocks in YAML: each preset can be written out, and one choice of it changed") {
  CHECK(slot("preset: nvfp4, rule: reciprocal, order: folded, scaling: reciprocal, store: amax").block ==
        block_preset("nvfp4_te"));
  CHECK(slot("preset: nvfp4, block: 16x16").block == block_preset("nvfp4_16x16"));
  CHECK(slot("preset: mxfp4, rule: divide").block->rule == slot("preset: mxfp4, rule: nearest").block->rule);
}

TEST_CASE("blocks in YAML: an rms statistic without a parameter clips normal numbers best (Quartet's 2.92 of E2M1)") {
  const std::string quartet = "preset: mxfp4, rule: divide, scale_round: toward_zero, statistic: rms";
  CHECK(slot(quartet).block->parameter == doctest::Approx(2.92247856).epsilon(1e-6));
  CHECK(slot(quartet + ", parameter: 3").block->parameter == 3);
  CHECK(slot("parameter: 3, preset: mxfp4, statistic: rms").block->parameter == 3);
}

TEST_CASE("blocks in YAML: choices that contradict each other are refused") {
  CHECK(refusal("format: e2m1, block: 16, search: mse") ==
        "r: slot fwd.x searches scales of float32, of which there are too many; name a scale format, or delete search");
  CHECK(refusal("format: e2m1, block: 16, scale: e8m0, double_quantization: int8") ==
        "r: slot fwd.x has double_quantization of scales that have a format already; write scale: float32");
  CHECK(refusal("format: nf4, block: 16, scale: e8m0, rule: even") ==
        "r: slot fwd.x has the rule even, but values of a list have no significand; use another rule");
  CHECK(refusal("format: e2m1, block: 16, statistic: percentile, parameter: 101") ==
        "r: slot fwd.x has a percentile above 100; write a parameter of 0 to 100");
  CHECK(refusal("format: e8m15, block: 16, statistic: rms") ==
        "r: slot fwd.x clips at a multiple of the root mean square, which is computed for formats of at most 16 bits; "
        "write it as parameter");
  CHECK(
      refusal("format: nf4, block: 16, double_quantization: ue4m3") ==
      "r: double_quantization 'ue4m3' has no sign, so it cannot hold distances from a mean; use a signed format, e.g. "
      "int8");
  CHECK(refusal("format: e2m1, block: 16, scale_round: stochastic_a") ==
        "r: scale_round is 'stochastic_a', which is not known; use one of: ties_to_even, ties_to_away, "
        "ties_toward_zero, toward_zero, toward_positive, toward_negative, to_odd");
}
