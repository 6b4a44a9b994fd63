#pragma once

#include <span>

#include "core/format/storage_types.h"

namespace bitlaw {

// out[i] = x[i] in the other type, by the rules of storage_types.h and, between float and double, of C++. x and out
// have the same size.
void convert(std::span<const BFloat16> x, std::span<float> out);
void convert(std::span<const Float16> x, std::span<float> out);
void convert(std::span<const float> x, std::span<BFloat16> out);
void convert(std::span<const float> x, std::span<Float16> out);
void convert(std::span<const float> x, std::span<double> out);
void convert(std::span<const double> x, std::span<float> out);
void convert(std::span<const BFloat16> x, std::span<double> out);
void convert(std::span<const Float16> x, std::span<double> out);
void convert(std::span<const double> x, std::span<BFloat16> out);
void convert(std::span<const double> x, std::span<Float16> out);

}  // namespace bitlaw
