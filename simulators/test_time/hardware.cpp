#include "simulators/test_time/hardware.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"

namespace bitlaw {
namespace {

constexpr std::array kHardware{
    Hardware{"b200", 4.5e15, 8e12, "arXiv:2506.05333: 562.5 FLOP/byte; NVIDIA's dense FP8, or sparse BF16"},
    Hardware{"b200_bf16", 2.25e15, 8e12, "NVIDIA Blackwell datasheet, dense BF16"},
    Hardware{"b200_fp4", 9e15, 8e12, "NVIDIA Blackwell datasheet, dense FP4"},
    Hardware{"h200_bf16", 9.895e14, 4.8e12, "NVIDIA H200 SXM datasheet, dense BF16"},
    Hardware{"h200_fp8", 1.979e15, 4.8e12, "NVIDIA H200 SXM datasheet, dense FP8"},
    Hardware{"h100_bf16", 9.895e14, 3.35e12, "NVIDIA H100 SXM datasheet, dense BF16"},
    Hardware{"h100_fp8", 1.979e15, 3.35e12, "NVIDIA H100 SXM datasheet, dense FP8"},
    Hardware{"a100_bf16", 3.12e14, 2.039e12, "NVIDIA A100 80 GB SXM datasheet, dense BF16"},
};

}  // namespace

std::span<const Hardware> hardware_table() { return kHardware; }

const Hardware& find_hardware(std::string_view name) {
  const auto found =
      std::find_if(kHardware.begin(), kHardware.end(), [&](const Hardware& h) { return h.name == name; });
  if (found != kHardware.end()) return *found;
  std::vector<std::string_view> names;
  for (const Hardware& hardware : kHardware) names.push_back(hardware.name);
  throw InputError(
      fmt::format("hardware '{}': is not known, so bytes have no price; {}", name,
                  remedy(name, std::span<const std::string_view>(names), "give its FLOP/s and bytes/s, or one of")));
}

}  // namespace bitlaw
