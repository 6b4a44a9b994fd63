#include "fitting/laws/fp_quantization.h"

#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

std::vector<LawParameter> fp_parameters() {
  std::vector<LawParameter> all = chinchilla_parameters_coarse();
  all[0].name = "n";
  all[2].name = "d";
  all[4].name = "epsilon";
  all.push_back({"gamma", "1/nat", Transform::Log, 1e-12, 1e30, exp_grid({0, 5, 10})});
  all.push_back({"delta", "1", Transform::Identity, -2, 20, {1, 3}});
  all.push_back({"nu", "1", Transform::Identity, -2, 20, {1, 3}});
  return all;
}

std::vector<DesignNeed> fp_needs() {
  std::vector<DesignNeed> all = chinchilla_needs();
  all[0].parameters = "n, alpha";
  all[1].parameters = "d, beta";
  all.push_back({.input = "E",
                 .distinct = 2,
                 .quantized_only = true,
                 .parameters = "gamma, delta",
                 .consequence = "delta trades off against gamma, so the cost of another exponent width is unknown",
                 .cure = "repeat the smallest quantized run with one exponent bit more or fewer"});
  all.push_back({.input = "M",
                 .distinct = 2,
                 .quantized_only = true,
                 .parameters = "gamma, nu",
                 .consequence = "nu trades off against gamma, so the cost of another mantissa width is unknown",
                 .cure = "repeat the smallest quantized run with one mantissa bit more or fewer"});
  return all;
}

}  // namespace

LawInfo FpQuantizationLaw::info() {
  return {
      .name = "fp_quantization",
      .equation = "L = n/N^alpha + d/D^beta + epsilon + (D^beta/N^alpha) log2(B) / (gamma (E+0.5)^delta (M+0.5)^nu)",
      .source = "Sun et al. 2025, arXiv:2501.02423, Eq. 1",
      .parameters = fp_parameters(),
      .inputs = {"N", "D", "E", "M", "B"},
      .needs = fp_needs(),
      .published = {{.name = "sun",
                     .citation = "Sun et al. 2025, arXiv:2501.02423, Table 2",
                     .values = {69.2343, 0.2368, 68973.0621, 0.5162, 1.9061, 11334.5197, 3.1926, 2.9543}}}};
}

const Law& fp_quantization_law() { return law_of_formula<FpQuantizationLaw>(); }

}  // namespace bitlaw
