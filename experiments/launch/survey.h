#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "core/base/enum_name.h"
#include "experiments/launch/price.h"
#include "experiments/launch/run_store.h"

namespace bitlaw {

/// How far a run is, as far as its folder tells.
enum class Standing {
  New,       ///< nothing there
  Started,   ///< a checkpoint to continue from
  Running,   ///< claimed by a process that lives, or may live on another host
  Stale,     ///< claimed by a process that has ended: free for others
  Failed,    ///< tried as often as it is tried without being asked
  Damaged,   ///< a result that is not as written: the run is due
  Done,      ///< a result
  Diverged,  ///< a result without a finite loss
};
inline constexpr std::array<EnumName<Standing>, 8> kStandingNames{{{"new", Standing::New},
                                                                   {"started", Standing::Started},
                                                                   {"running", Standing::Running},
                                                                   {"stale", Standing::Stale},
                                                                   {"failed", Standing::Failed},
                                                                   {"damaged", Standing::Damaged},
                                                                   {"done", Standing::Done},
                                                                   {"diverged", Standing::Diverged}}};

/// A look at the folders of all runs.
struct Survey {
  std::vector<Standing> standing;  ///< of the experiment's runs, in their order
  PriceModel prices;               ///< from runs that finished on processors like this machine's, one thread each
};

/// How closely a look reads results.
enum class Look {
  Quick,  ///< at most some 200 of them, as many as prices need; the others count as Done whatever is in them
  Thorough
};
Survey survey(const Experiment& experiment, const RunStore& store, Look look);

}  // namespace bitlaw
