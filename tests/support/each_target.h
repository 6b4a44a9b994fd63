#pragma once

#include <hwy/highway.h>
#include <hwy/targets.h>

namespace bitlaw {

/// Runs `check(name)` once with each instruction set that this processor and this build offer.
template <typename Check>
void for_each_target(Check check) {
  hwy::SetSupportedTargetsForTest(0);
  const auto offered = hwy::SupportedTargets() & HWY_TARGETS;
  for (auto rest = offered; rest != 0; rest &= rest - 1) {
    const auto target = rest & ~(rest - 1);
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    check(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace bitlaw
