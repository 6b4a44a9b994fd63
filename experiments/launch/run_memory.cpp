#include "experiments/launch/run_memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace bitlaw {
namespace {

/// Resident memory of this process [bytes].
std::int64_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t all = 0, pages = 0;
  return statm >> all >> pages ? pages * ::sysconf(_SC_PAGESIZE) : 0;
}

bool needs_no_memory(const std::string& key) {
  return key == "training.tokens" || key == "training.seed" || key == "training.optimizer.learning_rate" ||
         key == "training.optimizer.weight_decay" || key.starts_with("training.schedule.");
}

}  // namespace

std::map<std::string, ConfigValue> what_needs_memory(const PlannedRun& run) {
  std::map<std::string, ConfigValue> config = run.resolved();
  std::erase_if(config, [](const auto& entry) { return needs_no_memory(entry.first); });
  return config;
}

void predict_memory(std::vector<DueRun>& due, const LaunchOptions& options) {
  constexpr double kMargin = 1.1;
  std::map<std::map<std::string, ConfigValue>, std::vector<DueRun*>> alike;
  for (DueRun& one : due) alike[what_needs_memory(*one.run)].push_back(&one);
  const std::int64_t shared = resident();
  std::size_t done = 0, too_large = 0;
  for (auto& [config, runs] : alike) {
    if (options.should_stop()) return;
    const auto peak = options.peak_memory(*runs.front()->run, options.threads);
    const double own = kMargin * static_cast<double>(std::max<std::int64_t>(0, peak.value_or(0) - shared));
    const bool fits = peak && own <= static_cast<double>(options.memory);
    for (DueRun* const one : runs) one->memory = fits ? static_cast<std::int64_t>(own) : options.memory;
    too_large += fits ? 0 : runs.size();
    ++done;
    if (options.terminal)
      fmt::print(options.log, "\rlooking how much memory runs need: {}/{}\033[K", done, alike.size());
  }
  if (options.terminal) fmt::print(options.log, "\r\033[K");
  if (too_large == 0) return;
  fmt::print(options.log,
             "{} runs may need more than the {:.1f} GB of memory there are; each is trained with no other\n", too_large,
             static_cast<double>(options.memory) / 1e9);
}

}  // namespace bitlaw
