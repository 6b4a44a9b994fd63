#include "simulators/quantized/weight_movement.h"

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

Matrix<float> copy_of(ConstMatrixView<float> x) {
  Matrix<float> copy(x.rows, x.cols);
  for (std::int64_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, copy.view().row(i));
  return copy;
}

double distance(const Matrix<float>& a, const Matrix<float>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    sum += std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]));
  }
  return sum;
}

}  // namespace

void WeightMovement::operand(std::uint16_t layer, Slot slot, const SlotSpec& spec, KAxis k_axis,
                             ConstMatrixView<float> x, ConstMatrixView<float> quantized, const GivenScales& given) {
  if (slot == Slot::FwdW) layers_.insert_or_assign(layer, Weights{copy_of(x), copy_of(quantized)});
  if (next_ != nullptr) next_->operand(layer, slot, spec, k_axis, x, quantized, given);
}

void WeightMovement::product(std::uint16_t layer, Product product, ConstMatrixView<float> quantized,
                             ConstMatrixView<float> plain) {
  if (next_ != nullptr) next_->product(layer, product, quantized, plain);
}

std::map<std::uint16_t, double> WeightMovement::oscillation(const WeightMovement& later) const {
  std::map<std::uint16_t, double> rates;
  for (const auto& [layer, before] : layers_) {
    const auto found = later.layers_.find(layer);
    if (found == later.layers_.end()) continue;
    const double moved = distance(before.plain, found->second.plain);
    rates[layer] = moved > 0 ? distance(before.quantized, found->second.quantized) / moved : 0;
  }
  return rates;
}

}  // namespace bitlaw
