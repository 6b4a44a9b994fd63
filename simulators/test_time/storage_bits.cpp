#include "simulators/test_time/storage_bits.h"

#include "core/block/block_presets.h"
#include "core/block/block_storage.h"
#include "core/format/element.h"

namespace bitlaw {

double storage_bits(std::string_view name, int columns) {
  if (auto spec = block_preset(name)) {
    if (spec->shape == BlockShape::Tensor) return spec->element_bits();
    spec->tensor_target.reset();
    return bits_per_element(*spec, KAxis::Cols, spec->shape == BlockShape::Square ? spec->size : 1, columns);
  }
  if (const auto book = parse_codebook(name)) return book->total_bits();
  return parse_format(name, block_preset_names()).total_bits();
}

}  // namespace bitlaw
