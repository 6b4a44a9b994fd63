#pragma once

#include <cmath>
#include <limits>

#include "core/record/sweep_file.h"

namespace bitlaw {

/// A sweep with every kind of value that a file must carry: NaN, infinities, signed zero, the largest integers, UTF-8,
/// empty texts and lists, keys that vary in type. tests/conformance/sweep_file_test.py knows the same literals.
inline SweepFile planted_sweep() {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  RunRecord first;
  first.run_id = "00aa";
  first.precision = "float32";
  first.params = 10240;
  first.params_total = 43008;
  first.tokens = 262144;
  first.flops = 1.610612736e10;
  first.seed = std::numeric_limits<std::uint64_t>::max();
  first.loss = 0.1 + 0.2;
  first.train_loss = 2.25;
  first.error = 0.125;
  first.entropy_rate = kNaN;
  first.corpus_fingerprint = "c0ffee";
  first.state_hash = "beef";
  first.wall_seconds = 1.5;
  first.curve = {
      {1, 1024, 5.5, 1e-4, 3.0, 1e-4, -0.25, 5.75, 0.5}, {2, 2048, 5.25, 2e-4, kInf}, {3, 3072, 5.0, 3e-4, 5e-324}};
  first.config = {{"corpus.kind", std::string("text")},
                  {"model.width", std::int64_t{32}},
                  {"model.ffn", std::int64_t{0}},
                  {"optimizer.rate", 0.003},
                  {"recipe", std::string("float32")},
                  {"tied", false},
                  {"mixed", std::int64_t{1}}};
  first.statistics.slots = {
      {"mxfp4", 7, "block0.mlp.down", "fwd.x", kInf, 0.5, 1.25, -0.0, 1e-300, 0.125, 0.25, 6, 2, 3, 4, -127, -3.5, 2,
       0,       1},
      {"nvfp4", 7, "größer", "", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  first.statistics.products = {{"mxfp4", 7, "head", "wgrad", 19.5, 0.1 + 0.2, 5e-324}};
  first.statistics.gradients = {{"mxfp4", 8, "embedding", 1, -1, kInf}};
  RunRecord second;
  second.run_id = "00bb";
  second.precision = "mxfp4 \"µ\" <größer>";
  second.params = std::numeric_limits<std::int64_t>::max();
  second.params_total = std::numeric_limits<std::int64_t>::min();
  second.tokens = 524288;
  second.flops = -0.0;
  second.exponent_bits = 2;
  second.mantissa_bits = 1;
  second.block_size = 32;
  second.seed = 1;
  second.loss = kNaN;
  second.train_loss = kInf;
  second.diverged = true;
  second.stopped = "divergence";
  second.entropy_rate = 1.25;
  second.wall_seconds = 0;
  second.config = {{"corpus.kind", std::string("text")}, {"model.width", std::int64_t{64}},
                   {"model.ffn", std::int64_t{0}},       {"optimizer.rate", std::int64_t{1}},
                   {"recipe", std::string("日本")},      {"tied", true},
                   {"mixed", std::string("auto")},       {"only.here", std::int64_t{7}}};
  RunRecord third = first;
  third.run_id = "00cc";
  third.loss = 2.125;
  third.wall_seconds = 2.5;
  third.curve = {{1, 512, -0.0, 0.0, kNaN}};

  FitRecord fit;
  fit.name = "chinchilla_float32";
  fit.law = "chinchilla";
  fit.equation = "L = E + A/N^alpha + B/D^beta";
  fit.source = "Hoffmann et al. 2022, arXiv:2203.15556, Eq. 2";
  fit.objective = "sum of Huber(delta = 0.001) on log loss";
  fit.level = 0.9;
  fit.parameters = {{"E", "nat", 1.5, 0.25, 1.0, 2.0, 1.125, 1.875, false, false},
                    {"A", "nat", 400.0, kInf, 0.0, kInf, kNaN, kNaN, true, true, true, -kInf, 401.5, 0.125}};
  fit.derived = {{"a = beta/(alpha+beta)", "1", 0.5, 0.25, 0.1, 0.9, 0.2, 0.8}};
  fit.scale = 0.0078125;
  fit.covariance = {0.0625, kNaN, kNaN, kInf};
  fit.variance_form = {.axes = {0.5, 0}, .mean = {1.0}, .spread = {0.125}};
  fit.draws = {1.25, 399.0, 1.5, 400.0, 1.75, 401.0};
  fit.run_ids = {"00aa", "00cc"};
  fit.observed = {0.1 + 0.2, 2.125};
  fit.predicted = {0.3, 2.0};
  fit.converged = true;
  fit.status = "CONVERGENCE";
  fit.cost = 1e-7;
  fit.gradient_norm = 1e-12;
  fit.condition_number = 1234.5;
  fit.starts = 100;
  fit.starts_agreeing = 97;
  fit.diagnosis = {.singular_values = {1, 0.25},
                   .directions = {0.6, 0.8, -0.8, 0.6},
                   .leverage = {0.25, 0.75},
                   .cook = {0.125, kInf},
                   .residual_tests = {{"D/N", "bend", -0.5, 0.03125}, {"format", "groups", 4.5, kNaN}},
                   .left_out = {"00cc"},
                   .shifts = {0.5, -1.5}};
  fit.warnings = {"one D/N ray: α and β trade off", ""};
  FitRecord refused;
  refused.name = "a/strange name";
  refused.law = "qat";
  refused.objective = "";
  refused.status = "refused";
  refused.cost = kNaN;
  refused.warnings = {"fewer observations than parameters"};
  return {.experiment = "quickstart",
          .title = "Größe × Präzision",
          .command = "bitlaw run quickstart.yaml",
          .config_yaml = "name: quickstart\nmodel:\n  width: [32, 64]  # µ\n",
          .failed_runs = 2,
          .runs = {first, second, third},
          .fits = {fit, refused}};
}

}  // namespace bitlaw
