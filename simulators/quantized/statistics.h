#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/record/statistics_record.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/quantized/observer.h"

namespace bitlaw {

// Of an operand, a product and a gradient; recipe, step and names are the caller's.
SlotStatistics slot_statistics(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                               ConstMatrixView<float> quantized, const GivenScales& given = {});
ProductStatistics product_statistics(ConstMatrixView<float> quantized, ConstMatrixView<float> plain);
GradientStatistics gradient_statistics(std::span<const float> quantized, std::span<const float> plain);

/// Adds the statistics of a step to those of a run.
class StatisticsObserver : public LinearObserver {
 public:
  /// All must outlive it; `layers` are those of the model's LayerPlan.
  StatisticsObserver(RunStatistics& statistics, std::string recipe, std::int64_t step,
                     std::span<const LinearShape> layers)
      : statistics_(statistics), recipe_(std::move(recipe)), step_(step), layers_(layers) {}

  void operand(std::uint16_t layer, Slot slot, const SlotSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
               ConstMatrixView<float> quantized, const GivenScales& given) override;
  void product(std::uint16_t layer, Product product, ConstMatrixView<float> quantized,
               ConstMatrixView<float> plain) override;

 private:
  RunStatistics& statistics_;
  std::string recipe_;
  std::int64_t step_;
  std::span<const LinearShape> layers_;
};

}  // namespace bitlaw
