#pragma once

#include <tuple>

#include "core/record/run_record.h"

namespace bitlaw {

/// Whether all files have a field. Where one lacks a later field, the member keeps its default.
enum class FieldSince {
  Always,
  Later
};

/// One member of a record with the name, meaning and unit under which every file stores it.
template <typename Record, typename T>
struct Field {
  constexpr Field(const char* n, T Record::*m, const char* l, const char* u = "1",
                  FieldSince since = FieldSince::Always)
      : name(n), member(m), long_name(l), units(u), may_be_absent(since == FieldSince::Later) {}
  const char* name;
  T Record::*member;
  const char* long_name;
  const char* units;
  bool may_be_absent;
};

/// Every scalar of a run, the one list behind result.json, /runs and /tables/runs. What is measured on a clock is last
/// and apart, because equal runs agree in everything else.
inline constexpr std::tuple kRunFields{
    Field("run_id", &RunRecord::run_id, "fingerprint of the resolved configuration"),
    Field("precision", &RunRecord::precision, "name of the precision recipe"),
    Field("params", &RunRecord::params, "parameters N without embedding and head"),
    Field("params_total", &RunRecord::params_total, "parameters with embedding and head"),
    Field("tokens", &RunRecord::tokens, "tokens D seen in training"),
    Field("flops", &RunRecord::flops, "floating-point operations of all matrix products in training"),
    Field("exponent_bits", &RunRecord::exponent_bits, "exponent bits E of the narrowest format", "bit"),
    Field("mantissa_bits", &RunRecord::mantissa_bits, "mantissa bits M of the narrowest format", "bit"),
    Field("block_size", &RunRecord::block_size, "elements per scale along K; 0: unquantized, -1: channel, -2: tensor"),
    Field("seed", &RunRecord::seed, "seed of initialisation, batches and stochastic rounding"),
    Field("loss", &RunRecord::loss, "final held-out loss per token, missing when diverged", "nat"),
    Field("train_loss", &RunRecord::train_loss, "mean training loss per token over the last tenth of the steps", "nat"),
    Field("diverged", &RunRecord::diverged, "1 when the loss left the finite numbers"),
    Field("stopped", &RunRecord::stopped, "rule that ended the run early, empty when none did", "1", FieldSince::Later),
    Field("entropy_rate", &RunRecord::entropy_rate, "entropy per token of the synthetic source, missing when unknown",
          "nat"),
    Field("error", &RunRecord::error, "held-out fraction misclassified, missing without classes", "1",
          FieldSince::Later),
    Field("corpus_fingerprint", &RunRecord::corpus_fingerprint, "fingerprint of the corpus"),
    Field("state_hash", &RunRecord::state_hash, "fingerprint of the final training state"),
};
inline constexpr Field kWallSeconds("wall_seconds", &RunRecord::wall_seconds, "wall-clock time of training", "s");
/// In result.json only.
inline constexpr Field kTimedOn("timed_on", &RunRecord::timed_on, "processor and threads of wall_seconds", "1",
                                FieldSince::Later);

/// Every member of a logged step: result.json and /curves.
inline constexpr std::tuple kCurveFields{
    Field("step", &CurvePoint::step, "training step"),
    Field("tokens", &CurvePoint::tokens, "tokens seen"),
    Field("train_loss", &CurvePoint::train_loss, "training loss per token before the step's update", "nat"),
    Field("learning_rate", &CurvePoint::learning_rate, "learning rate"),
    Field("gradient_norm", &CurvePoint::gradient_norm, "global gradient norm before clipping"),
    Field("s1", &CurvePoint::s1, "sum of the learning rates so far", "1", FieldSince::Later),
    Field("s2", &CurvePoint::s2, "annealing area so far, lambda 0.999", "1", FieldSince::Later),
    Field("validation_loss", &CurvePoint::validation_loss, "held-out loss per token, missing where not taken", "nat",
          FieldSince::Later),
    Field("validation_error", &CurvePoint::validation_error, "held-out fraction misclassified, missing where not taken",
          "1", FieldSince::Later),
};

/// Calls visit(field) for each field of kRunFields or kCurveFields.
template <typename Fields, typename Visit>
void for_each_field(const Fields& fields, Visit visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, fields);
}

}  // namespace bitlaw
