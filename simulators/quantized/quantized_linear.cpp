#include "simulators/quantized/quantized_linear.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "core/block/quantize_blocks.h"
#include "core/tensor/gemm.h"
#include "core/tensor/vector_math.h"
#include "core/transform/hadamard.h"
#include "simulators/quantized/guided_rounding.h"
#include "simulators/quantized/quantizer_backward.h"

namespace bitlaw {
namespace {

constexpr std::uint16_t kSignSlots = 32;  // of the products' rotations

RandomStream rounding_stream(RandomStream stream, Slot slot) {
  stream.slot = static_cast<std::uint16_t>(slot);
  return stream;
}

RandomStream sign_stream(RandomStream stream, Product product) {
  stream.slot = static_cast<std::uint16_t>(kSignSlots + static_cast<int>(product));
  return stream;
}

void copy(ConstMatrixView<float> x, Matrix<float>& y) {
  y.resize(x.rows, x.cols);
  for (std::int64_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, y.view().row(i));
}

/// The parameters that a slot has learned so far; none where it learns nothing.
std::vector<float> learned_values(const SlotSpec& spec, Slot slot, const LinearScratch<float>& scratch) {
  if (spec.learned == Learned::None) return {};
  const std::span<const float> logs = scratch.learned[static_cast<std::size_t>(slot)].log_values;
  BITLAW_CHECK(!logs.empty(), "slot {} has no parameter", static_cast<int>(slot));
  std::vector<float> values(logs.size());
  exp(logs, values);
  return values;
}

/// The spec with the only parameter of its layer, of which kernels know; those of groups stay beside it.
SlotSpec with_parameter(SlotSpec spec, std::span<const float> values) {
  if (spec.learned == Learned::Layer) spec.block->parameter = static_cast<double>(values[0]);
  return spec;
}

std::span<const float> of_groups(const SlotSpec& spec, std::span<const float> values) {
  return spec.learned == Learned::Groups ? values : std::span<const float>();
}

/// What delayed scaling takes for the largest magnitude of x, if the slot has it.
std::optional<float> held_amax(const SlotSpec& spec, Slot slot, const RandomStream& stream, ConstMatrixView<float> x,
                               LinearScratch<float>& scratch) {
  if (!spec.delayed) return std::nullopt;
  BITLAW_CHECK(scratch.amax != nullptr, "slot {} has no earlier steps", static_cast<int>(slot));
  return (*scratch.amax)[static_cast<std::size_t>(slot)].held(*spec.delayed, stream.step, x);
}

void round_operand(const SlotSpec& spec, Slot slot, const RandomStream& stream, KAxis k_axis, ConstMatrixView<float> x,
                   const GivenScales& given, MatrixView<float> q, LinearScratch<float>& scratch) {
  if (spec.guided) return quantize_guided(*spec.block, k_axis, x, scratch.mean, q, scratch.plain, given.held_amax);
  const RandomStream own = rounding_stream(stream, slot);
  if (!given.parameters.empty()) {
    return quantize_blocks_by_parameters(*spec.block, spec.rounding, k_axis, x, q, own, given.parameters);
  }
  quantize_blocks_by_team(*spec.block, spec.rounding, k_axis, x, q, own, given.held_amax);
}

/// What the product sees of x: x itself, or its rotated and quantized copy in `storage`.
ConstMatrixView<float> operand(const SlotSpec& spec, std::span<const float> parameters, Slot slot, Product product,
                               const RandomStream& stream, KAxis k_axis, ConstMatrixView<float> x,
                               Matrix<float>& storage, LinearScratch<float>& scratch) {
  if (!spec.block && spec.rotate == 0) return x;
  storage.resize(x.rows, x.cols);
  ConstMatrixView<float> source = x;
  if (spec.rotate > 0) {
    hadamard_rotate(rotation_of(spec), k_axis, x, storage.view(), sign_stream(stream, product));
    source = storage.view();
  }
  if (!spec.block) return source;
  if (scratch.observer != nullptr && spec.rotate > 0) {
    copy(source, scratch.source);
    source = scratch.source.view();
  }
  const GivenScales given{held_amax(spec, slot, stream, source, scratch), parameters};
  round_operand(spec, slot, stream, k_axis, source, given, storage.view(), scratch);
  if (scratch.observer != nullptr) {
    scratch.observer->operand(stream.layer, slot, spec, k_axis, source, storage.view(), given);
  }
  return storage.view();
}

ConstMatrixView<float> operand(const LinearSlots& slots, Slot slot, Product product, const RandomStream& stream,
                               KAxis k_axis, ConstMatrixView<float> x, Matrix<float>& storage,
                               LinearScratch<float>& scratch) {
  const SlotSpec& spec = slots[slot];
  if (spec.learned == Learned::None) return operand(spec, {}, slot, product, stream, k_axis, x, storage, scratch);
  const std::vector<float> values = learned_values(spec, slot, scratch);
  return operand(with_parameter(spec, values), of_groups(spec, values), slot, product, stream, k_axis, x, storage,
                 scratch);
}

bool is_rounded(const LinearSlots& slots, Slot a, Slot b) { return slots[a].block || slots[b].block; }

/// Tells an observer of a product whose quantized result is `result`; a and b are the operands as they came.
void observe(LinearScratch<float>& scratch, const RandomStream& stream, Product product, Op op_a, Op op_b,
             ConstMatrixView<float> a, ConstMatrixView<float> b, ConstMatrixView<float> result) {
  scratch.plain.resize(result.rows, result.cols);
  gemm(op_a, op_b, a, b, scratch.plain.view());
  scratch.observer->product(stream.layer, product, result, scratch.plain.view());
}

/// Adds to the gradients of a slot's parameters what they are by the `elements` of an operand.
void add_learned(const SlotSpec& spec, std::int64_t elements, std::span<const double> by_log,
                 const LearnedParameters<float>& learned) {
  // The factor of LSQ, section 2.2, keeps them as large as a weight's gradient.
  const double sharing = static_cast<double>(elements) / static_cast<double>(by_log.size());
  const double factor = 1 / std::sqrt(sharing * spec.block->element_max());
  for (std::size_t i = 0; i < by_log.size(); ++i) learned.gradients[i] += static_cast<float>(factor * by_log[i]);
}

/// d, the gradient of what the forward product saw of x, becomes that of x.
void through_quantizer(const SlotSpec& as_given, Slot slot, const RandomStream& stream, ConstMatrixView<float> x,
                       MatrixView<float> d, LinearScratch<float>& scratch) {
  const std::vector<float> values = learned_values(as_given, slot, scratch);
  const SlotSpec spec = with_parameter(as_given, values);
  const RandomStream signs = sign_stream(stream, Product::Forward);
  HadamardSpec rotation;
  if (spec.rotate > 0) {
    rotation = rotation_of(spec);
    scratch.source.resize(x.rows, x.cols);
    hadamard_rotate(rotation, KAxis::Cols, x, scratch.source.view(), signs);
    x = scratch.source.view();
    rotation.result = std::nullopt;  // gradients pass straight through the rounding of the rotated operand
    hadamard_rotate(rotation, KAxis::Cols, d, d, signs);
  }
  scratch.a.resize(x.rows, x.cols);
  const GivenScales given{held_amax(spec, slot, stream, x, scratch), of_groups(spec, values)};
  round_operand(spec, slot, stream, KAxis::Cols, x, given, scratch.a.view(), scratch);
  const std::vector<double> learned =
      quantizer_backward(*spec.block, spec.gradient, KAxis::Cols, x, scratch.a.view(), d, given);
  if (spec.learned != Learned::None)
    add_learned(spec, x.size(), learned, scratch.learned[static_cast<std::size_t>(slot)]);
  if (spec.rotate > 0) hadamard_unrotate(rotation, KAxis::Cols, d, d, signs);
}

bool has_estimator(const SlotSpec& slot) {
  return slot.block && (slot.learned != Learned::None || slot.gradient != GradientSpec());
}

/// Operands in double are never rounded.
ConstMatrixView<double> operand(const LinearSlots& slots, Slot slot, Product, const RandomStream&, KAxis,
                                ConstMatrixView<double> x, Matrix<double>&, LinearScratch<double>&) {
  BITLAW_CHECK(!slots[slot].block && slots[slot].rotate == 0, "slot {} quantizes a double operand",
               static_cast<int>(slot));
  return x;
}

/// dx; K is the output features: the columns of dy, the rows of W.
template <typename T>
void input_gradient(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x, ConstMatrixView<T> w,
                    ConstMatrixView<T> dy, MatrixView<T> dx, LinearScratch<T>& scratch) {
  const auto qdy = operand(slots, Slot::DgradG, Product::Dgrad, stream, KAxis::Cols, dy, scratch.a, scratch);
  const auto qw = operand(slots, Slot::DgradW, Product::Dgrad, stream, KAxis::Rows, w, scratch.b, scratch);
  gemm(Op::AsIs, Op::AsIs, qdy, qw, dx);
  if constexpr (std::is_same_v<T, float>) {
    if (scratch.observer != nullptr && is_rounded(slots, Slot::DgradG, Slot::DgradW)) {
      observe(scratch, stream, Product::Dgrad, Op::AsIs, Op::AsIs, dy, w, dx);
    }
    if (has_estimator(slots[Slot::FwdX])) through_quantizer(slots[Slot::FwdX], Slot::FwdX, stream, x, dx, scratch);
  }
}

/// dW through the estimator of W, added as a whole.
void add_estimated_weight_gradient(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<float> qdy,
                                   ConstMatrixView<float> qx, ConstMatrixView<float> w, MatrixView<float> dw,
                                   LinearScratch<float>& scratch) {
  scratch.dw.resize(dw.rows, dw.cols);
  const MatrixView<float> own = scratch.dw.view();
  gemm(Op::Transposed, Op::AsIs, qdy, qx, own);
  through_quantizer(slots[Slot::FwdW], Slot::FwdW, stream, w, own, scratch);
  for (std::int64_t i = 0; i < dw.rows; ++i) {
    for (std::int64_t j = 0; j < dw.cols; ++j) dw(i, j) += own(i, j);
  }
}

/// Tells the observer of this layer's share of dW, which the layer itself adds term by term.
void observe_weight_gradient(const RandomStream& stream, ConstMatrixView<float> qdy, ConstMatrixView<float> qx,
                             ConstMatrixView<float> dy, ConstMatrixView<float> x, LinearScratch<float>& scratch) {
  scratch.dw.resize(dy.cols, x.cols);
  gemm(Op::Transposed, Op::AsIs, qdy, qx, scratch.dw.view());
  observe(scratch, stream, Product::Wgrad, Op::Transposed, Op::AsIs, dy, x, scratch.dw.view());
}

}  // namespace

template <typename T>
void quantized_linear_forward(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x,
                              ConstMatrixView<T> w, MatrixView<T> y, LinearScratch<T>& scratch) {
  const auto qx = operand(slots, Slot::FwdX, Product::Forward, stream, KAxis::Cols, x, scratch.a, scratch);
  const auto qw = operand(slots, Slot::FwdW, Product::Forward, stream, KAxis::Cols, w, scratch.b, scratch);
  gemm(Op::AsIs, Op::Transposed, qx, qw, y);
  if constexpr (std::is_same_v<T, float>) {
    if (scratch.observer != nullptr && is_rounded(slots, Slot::FwdX, Slot::FwdW)) {
      observe(scratch, stream, Product::Forward, Op::AsIs, Op::Transposed, x, w, y);
    }
  }
}

template <typename T>
void quantized_linear_backward(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x,
                               ConstMatrixView<T> w, ConstMatrixView<T> dy, MatrixView<T> dx, MatrixView<T> dw,
                               LinearScratch<T>& scratch) {
  if (dx.data == nullptr && slots[Slot::FwdX].learned != Learned::None) {
    scratch.dx.resize(x.rows, x.cols);
    dx = scratch.dx.view();
  }
  if (dx.data != nullptr) input_gradient(slots, stream, x, w, dy, dx, scratch);
  // K is the tokens: the rows of both
  const auto qdy = operand(slots, Slot::WgradG, Product::Wgrad, stream, KAxis::Rows, dy, scratch.a, scratch);
  const auto qx = operand(slots, Slot::WgradX, Product::Wgrad, stream, KAxis::Rows, x, scratch.b, scratch);
  if constexpr (std::is_same_v<T, float>) {
    if (scratch.observer != nullptr && is_rounded(slots, Slot::WgradG, Slot::WgradX)) {
      observe_weight_gradient(stream, qdy, qx, dy, x, scratch);
    }
    if (has_estimator(slots[Slot::FwdW])) {
      add_estimated_weight_gradient(slots, stream, qdy, qx, w, dw, scratch);
      return;
    }
  }
  gemm(Op::Transposed, Op::AsIs, qdy, qx, dw, Accumulate::Add);
}

template void quantized_linear_forward(const LinearSlots&, const RandomStream&, ConstMatrixView<float>,
                                       ConstMatrixView<float>, MatrixView<float>, LinearScratch<float>&);
template void quantized_linear_forward(const LinearSlots&, const RandomStream&, ConstMatrixView<double>,
                                       ConstMatrixView<double>, MatrixView<double>, LinearScratch<double>&);
template void quantized_linear_backward(const LinearSlots&, const RandomStream&, ConstMatrixView<float>,
                                        ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>,
                                        MatrixView<float>, LinearScratch<float>&);
template void quantized_linear_backward(const LinearSlots&, const RandomStream&, ConstMatrixView<double>,
                                        ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>,
                                        MatrixView<double>, LinearScratch<double>&);

}  // namespace bitlaw
