#include "core/transform/hadamard.h"

namespace bitlaw {

void hadamard_rotate(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream) {
  hadamard_rotate_reference(x, k_axis, size, stream);
}

void hadamard_unrotate(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream) {
  hadamard_unrotate_reference(x, k_axis, size, stream);
}

}  // namespace bitlaw
