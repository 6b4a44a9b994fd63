#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

/// What one accelerator does at best.
struct Hardware {
  std::string_view name;
  double flops_per_second = 0;  ///< of matrix products, a multiply-add counts 2
  double bytes_per_second = 0;  ///< of its memory
  std::string_view source;

  /// I: the FLOPs that take as long as one byte [FLOP/byte].
  double intensity() const { return flops_per_second / bytes_per_second; }
};

/// All named hardware; the first is that of arXiv:2506.05333, I = 562.5.
std::span<const Hardware> hardware_table();

/// The row of that name; InputError, with the names that exist, where there is none.
const Hardware& find_hardware(std::string_view name);

}  // namespace bitlaw
