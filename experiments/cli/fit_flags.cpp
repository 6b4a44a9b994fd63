#include "experiments/cli/fit_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

namespace bitlaw {
namespace {

struct Option {
  std::string key;  ///< in a file's `fits`; the flag has - for _
  std::string help;
};

const std::vector<Option> kOptions{
    {"bootstrap", "Refits to resampled data (default: 400)"},
    {"huber_delta", "Threshold on residuals (default: 0.001); of huber_likelihood in units of its scale"},
    {"objective", "huber (default), least_squares, huber_likelihood or student_t"},
    {"residual", "log (default) or plain: of predicted and observed"},
    {"freedom", "Degrees of freedom of student_t (default: 4)"},
    {"over_factor", "Factor on the cost of predictions above the observation (default: 1)"},
    {"resample", "What the bootstrap draws: runs (default), residuals or parametric"},
    {"seed_noise", "Standard deviation of log loss between seeds, added by the bootstrap (default: 0)"},
    {"seed", "Of the bootstrap (default: 0)"},
    {"compute", "FLOP for which the optimal N and D are wanted"},
    {"search", "Starting points: automatic (default), grid, projection or sobol"},
    {"starts", "Points that are minimized from (default: 24)"},
};
const std::vector<Option> kSwitches{
    {"profile", "Intervals by profile of the objective as well"},
    {"jackknife", "Refit without each run: standard errors, and the runs that the fit rests on"},
    {"halving", "Minimize from all starts a little, go on with the better half"},
};

std::string flag_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

}  // namespace

void add_fit_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request) {
  verb.add_option("file", request->file, "sweep.h5 of an experiment, or a .csv with a header")->required();
  verb.add_option("--formula", request->formula,
                  "Instead of --law: a law as text, 'E + A/N^a + B/D^b'; --map names its inputs, the rest is fitted");
  verb.add_option("--where", request->where, "key=value or key=[a, b]: take these runs only; may be repeated")
      ->allow_extra_args(false);
  verb.add_option("--per", request->per, "One fit for each value of this key");
  verb.add_option("--fixed", request->fixed, "name=value: hold a parameter; may be repeated")->allow_extra_args(false);
  verb.add_option("--map", request->columns, "CSV: N=params,D=tokens,loss=val_loss says which columns to take");
  verb.add_option(
          "--parameter", request->parameters,
          "name={transform: log, lower: 0.1, upper: 9, linear: true, starts: [1]}: of a --formula; may be repeated")
      ->allow_extra_args(false);
  for (const auto& [key, help] : kOptions) {
    verb.add_option_function<std::string>(
        flag_of(key), [request, name = key](const std::string& value) { request->options[name] = value; }, help);
  }
  for (const auto& [key, help] : kSwitches) {
    verb.add_flag_callback(
        flag_of(key), [request, name = key] { request->options[name] = "true"; }, help);
  }
}

}  // namespace bitlaw
