#include "simulators/quantized/quantized_linear.h"

#include <type_traits>

#include "core/block/quantize_blocks.h"
#include "core/tensor/gemm.h"
#include "core/transform/hadamard.h"
#include "simulators/quantized/quantizer_backward.h"

namespace bitlaw {
namespace {

enum class Product : std::uint16_t {
  Forward = 32,
  Dgrad = 33,
  Wgrad = 34
};

RandomStream with_slot(RandomStream stream, std::uint16_t slot) {
  stream.slot = slot;
  return stream;
}

/// What the product sees of x: x itself, or its rotated and quantized copy in `storage`.
ConstMatrixView<float> operand(const LinearSlots& slots, Slot slot, Product product, const RandomStream& stream,
                               KAxis k_axis, ConstMatrixView<float> x, Matrix<float>& storage) {
  const SlotSpec& spec = slots[slot];
  if (!spec.block && spec.rotate == 0) return x;
  storage.resize(x.rows, x.cols);
  ConstMatrixView<float> source = x;
  if (spec.rotate > 0) {
    hadamard_rotate(rotation_of(spec), k_axis, x, storage.view(),
                    with_slot(stream, static_cast<std::uint16_t>(product)));
    source = storage.view();
  }
  if (spec.block) {
    quantize_blocks(*spec.block, spec.rounding, k_axis, source, storage.view(),
                    with_slot(stream, static_cast<std::uint16_t>(slot)));
  }
  return storage.view();
}

/// d, the gradient of what the forward product saw of x, becomes that of x.
void through_quantizer(const SlotSpec& spec, Slot slot, const RandomStream& stream, ConstMatrixView<float> x,
                       MatrixView<float> d, LinearScratch<float>& scratch) {
  const RandomStream signs = with_slot(stream, static_cast<std::uint16_t>(Product::Forward));
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
  quantize_blocks(*spec.block, spec.rounding, KAxis::Cols, x, scratch.a.view(),
                  with_slot(stream, static_cast<std::uint16_t>(slot)));
  quantizer_backward(*spec.block, spec.gradient, KAxis::Cols, x, scratch.a.view(), d);
  if (spec.rotate > 0) hadamard_unrotate(rotation, KAxis::Cols, d, d, signs);
}

bool has_estimator(const SlotSpec& slot) { return slot.block && slot.gradient != GradientSpec(); }

ConstMatrixView<double> operand(const LinearSlots& slots, Slot slot, Product, const RandomStream&, KAxis,
                                ConstMatrixView<double> x, Matrix<double>&) {
  BITLAW_CHECK(!slots[slot].block && slots[slot].rotate == 0, "slot {} quantizes a double operand",
               static_cast<int>(slot));
  return x;
}

}  // namespace

template <typename T>
void quantized_linear_forward(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x,
                              ConstMatrixView<T> w, MatrixView<T> y, LinearScratch<T>& scratch) {
  const auto qx = operand(slots, Slot::FwdX, Product::Forward, stream, KAxis::Cols, x, scratch.a);
  const auto qw = operand(slots, Slot::FwdW, Product::Forward, stream, KAxis::Cols, w, scratch.b);
  gemm(Op::AsIs, Op::Transposed, qx, qw, y);
}

template <typename T>
void quantized_linear_backward(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x,
                               ConstMatrixView<T> w, ConstMatrixView<T> dy, MatrixView<T> dx, MatrixView<T> dw,
                               LinearScratch<T>& scratch) {
  {  // K is the output features: the columns of dy, the rows of W
    const auto qdy = operand(slots, Slot::DgradG, Product::Dgrad, stream, KAxis::Cols, dy, scratch.a);
    const auto qw = operand(slots, Slot::DgradW, Product::Dgrad, stream, KAxis::Rows, w, scratch.b);
    gemm(Op::AsIs, Op::AsIs, qdy, qw, dx);
    if constexpr (std::is_same_v<T, float>) {
      if (has_estimator(slots[Slot::FwdX])) through_quantizer(slots[Slot::FwdX], Slot::FwdX, stream, x, dx, scratch);
    }
  }
  {  // K is the tokens: the rows of both
    const auto qdy = operand(slots, Slot::WgradG, Product::Wgrad, stream, KAxis::Rows, dy, scratch.a);
    const auto qx = operand(slots, Slot::WgradX, Product::Wgrad, stream, KAxis::Rows, x, scratch.b);
    if constexpr (std::is_same_v<T, float>) {
      if (has_estimator(slots[Slot::FwdW])) {
        scratch.dw.resize(dw.rows, dw.cols);
        gemm(Op::Transposed, Op::AsIs, qdy, qx, scratch.dw.view());
        through_quantizer(slots[Slot::FwdW], Slot::FwdW, stream, w, scratch.dw.view(), scratch);
        for (std::int64_t i = 0; i < dw.rows; ++i) {
          for (std::int64_t j = 0; j < dw.cols; ++j) dw(i, j) += scratch.dw.view()(i, j);
        }
        return;
      }
    }
    gemm(Op::Transposed, Op::AsIs, qdy, qx, dw, Accumulate::Add);
  }
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
