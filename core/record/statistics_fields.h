#pragma once

#include <tuple>

#include "core/record/run_fields.h"
#include "core/record/statistics_record.h"

namespace bitlaw {

inline constexpr std::tuple kSlotStatisticsFields{
    Field("recipe", &SlotStatistics::recipe, "precision that rounded: the run's or a shadow"),
    Field("step", &SlotStatistics::step, "training step"),
    Field("layer", &SlotStatistics::layer, "layer"),
    Field("slot", &SlotStatistics::slot, "operand"),
    Field("snr_db", &SlotStatistics::snr_db, "signal to noise of the rounding", "dB"),
    Field("cosine", &SlotStatistics::cosine, "cosine of before and after"),
    Field("norm_ratio", &SlotStatistics::norm_ratio, "norm after / before"),
    Field("bias", &SlotStatistics::bias, "mean error / root mean square"),
    Field("shrinkage", &SlotStatistics::shrinkage, "1 - projection of after on before"),
    Field("clipped", &SlotStatistics::clipped, "fraction of elements beyond their block's largest value"),
    Field("underflow", &SlotStatistics::underflow, "fraction of elements that became zero"),
    Field("amax", &SlotStatistics::amax, "largest magnitude"),
    Field("rms", &SlotStatistics::rms, "root mean square"),
    Field("kurtosis", &SlotStatistics::kurtosis, "kurtosis, 3 for normal numbers"),
    Field("crest", &SlotStatistics::crest, "mean over blocks of largest magnitude / root mean square"),
    Field("scale_low", &SlotStatistics::scale_low, "least log2 of a block's decoding factor"),
    Field("scale_mean", &SlotStatistics::scale_mean, "mean log2 of the blocks' decoding factors"),
    Field("scale_high", &SlotStatistics::scale_high, "largest log2 of a block's decoding factor"),
    Field("zero_blocks", &SlotStatistics::zero_blocks, "fraction of blocks that hold zeros only"),
    Field("non_finite", &SlotStatistics::non_finite, "fraction of elements that are infinite or NaN"),
    Field("oscillation", &SlotStatistics::oscillation,
          "weights: distance that an update moved after / before rounding"),
};
inline constexpr std::tuple kProductStatisticsFields{
    Field("recipe", &ProductStatistics::recipe, "precision that rounded: the run's or a shadow"),
    Field("step", &ProductStatistics::step, "training step"),
    Field("layer", &ProductStatistics::layer, "layer"),
    Field("product", &ProductStatistics::product, "forward, dgrad or wgrad"),
    Field("snr_db", &ProductStatistics::snr_db, "signal to noise of the product", "dB"),
    Field("cosine", &ProductStatistics::cosine, "cosine of the product and the exact one"),
    Field("norm_ratio", &ProductStatistics::norm_ratio, "norm of the product / of the exact one"),
};
inline constexpr std::tuple kGradientStatisticsFields{
    Field("recipe", &GradientStatistics::recipe, "precision that rounded: the run's or a shadow"),
    Field("step", &GradientStatistics::step, "training step"),
    Field("parameter", &GradientStatistics::parameter, "parameter"),
    Field("cosine", &GradientStatistics::cosine, "cosine with the float32 gradient"),
    Field("norm_ratio", &GradientStatistics::norm_ratio, "norm / that of the float32 gradient"),
    Field("signal_to_noise", &GradientStatistics::signal_to_noise, "norm of the float32 gradient / of the difference"),
};

}  // namespace bitlaw
