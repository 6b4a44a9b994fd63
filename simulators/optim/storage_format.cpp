#include "simulators/optim/storage_format.h"

#include "core/block/quantize_blocks.h"
#include "core/format/quantize.h"

namespace bitlaw {

void store(const StorageFormat& format, const Parameter& parameter, const RandomStream& stream,
           std::span<float> values) {
  if (format.element) quantize(*format.element, Conversion(format.rounding), values, values, stream);
  if (format.block) {
    const MatrixView<float> matrix(values.data(), parameter.rows, parameter.cols);
    quantize_blocks(*format.block, format.rounding, KAxis::Cols, matrix, matrix, stream);
  }
}

}  // namespace bitlaw
