#include "experiments/launch/adaptive.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/base/check.h"
#include "core/base/file.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/results_folder.h"
#include "experiments/launch/run_store.h"
#include "experiments/launch/survey.h"

namespace bitlaw {
namespace {

/// What was chosen so far, round by round, for one request.
class Journal {
 public:
  Journal(std::filesystem::path file, const NextRequest& request, int rounds)
      : file_(std::move(file)),
        request_({{"fit", request.fit},
                  {"at", request.at},
                  {"parameters", request.parameters},
                  {"budget", request.budget},
                  {"by_time", request.by_time},
                  {"rounds", rounds}}) {
    if (!file_exists(file_)) return;
    try {
      const nlohmann::json document = nlohmann::json::parse(read_file(file_));
      if (document.at("request") == request_) rounds_ = document.at("chosen");
    } catch (const nlohmann::json::exception& error) {
      throw DamagedFile(
          fmt::format("{}: not what was written there ({}), so it is not known which runs were chosen; "
                      "delete it to choose anew, finished runs are kept",
                      file_.string(), error.what()));
    }
  }

  const std::vector<std::vector<std::string>>& rounds() const { return rounds_; }

  /// On disk when it returns.
  void add(std::vector<std::string> ids) {
    rounds_.push_back(std::move(ids));
    write_file_atomically(file_, nlohmann::json({{"request", request_}, {"chosen", rounds_}}).dump() + "\n");
  }

 private:
  std::filesystem::path file_;
  nlohmann::json request_;
  std::vector<std::vector<std::string>> rounds_;  ///< ids of runs
};

/// One line for people: what a round trains and what it is expected to bring.
std::string round_line(const NextRuns& next, const NextRequest& request, std::size_t round, int rounds) {
  std::string line = fmt::format("round {} of {}: {} runs, {}", round + 1, rounds, next.chosen.size(),
                                 request.by_time ? duration_text(next.cost) : fmt::format("{:.3g} FLOPs", next.cost));
  for (const Expectation& e : next.expectations) {
    line += fmt::format("; standard error of {} {:.2g}, then {:.2g}", e.what, e.now, e.after);
  }
  return line + "\n";
}

}  // namespace

ExperimentOutcome run_adaptively(const Experiment& experiment, const std::filesystem::path& results,
                                 const std::string& command, const LaunchOptions& options, const NextRequest& request,
                                 int rounds) {
  BITLAW_CHECK(rounds >= 1, "{} rounds", rounds);
  open_results_folder(results);
  const RunStore store(results);
  Journal journal(results / "adaptive.json", request, rounds);
  std::unordered_map<std::string, std::size_t> run_of;
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) run_of.emplace(experiment.runs[i].id, i);

  ExperimentOutcome outcome;
  std::vector<bool> wanted(experiment.runs.size());
  std::size_t trained = 0;
  double left = request.budget;
  for (std::size_t round = 0; round < static_cast<std::size_t>(rounds); ++round) {
    const PriceModel prices = survey(experiment, store, Look::Quick).prices;
    const auto done = results_so_far(experiment, store);
    if (round == journal.rounds().size()) {
      NextRequest share = request;
      share.budget = left / static_cast<double>(static_cast<std::size_t>(rounds) - round);
      const NextRuns next = next_runs(experiment, done, prices, share);
      std::vector<std::string> ids;
      for (const std::size_t i : next.chosen) ids.push_back(experiment.runs[i].id);
      journal.add(std::move(ids));
      if (!next.chosen.empty()) fmt::print(options.log, "{}", round_line(next, request, round, rounds));
    }
    for (std::size_t i = 0; i < done.size(); ++i) wanted[i] = wanted[i] || done[i];
    for (const std::string& id : journal.rounds()[round]) {
      const auto found = run_of.find(id);
      if (found == run_of.end()) {
        throw InputError(
            fmt::format("{}: run {} was chosen, which the experiment no longer has; delete the file to "
                        "choose anew, finished runs are kept",
                        (results / "adaptive.json").string(), id.substr(0, 8)));
      }
      wanted[found->second] = true;
      left -= cost_of(experiment.runs[found->second], prices, request.by_time);
    }
    Experiment part = experiment;
    part.runs.clear();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) part.runs.push_back(experiment.runs[i]);
    }
    if (part.runs.empty()) continue;  // a share too small for any run: the next one is larger
    outcome = run_experiment(part, results, command, options);
    trained += outcome.trained;
    if (outcome.stopped || !outcome.failures.empty()) break;
  }
  if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
    throw InputError(
        fmt::format("experiment '{}': the budget is less than any run costs, so nothing was trained; raise "
                    "it, bitlaw sweep plan shows what runs cost",
                    experiment.name));
  }
  outcome.trained = trained;
  return outcome;
}

}  // namespace bitlaw
