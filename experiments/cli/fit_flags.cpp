#include "experiments/cli/fit_flags.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace bitlaw {
namespace {

struct Option {
  std::string key;  ///< in a file's `fits`; the flag has - for _
  std::string help;
};

const std::vector<Option> kObjective{
    {"objective", "huber (default), least_squares, huber_likelihood or student_t"},
    {"huber_delta", "Threshold on residuals (default: 0.001); of huber_likelihood in units of its scale"},
    {"residual", "log (default) or plain: of predicted and observed"},
    {"freedom", "Degrees of freedom of student_t (default: 4)"},
    {"over_factor", "Factor on the cost of predictions above the observation (default: 1)"},
};
const std::vector<Option> kOptions{
    {"bootstrap", "Refits to resampled data (default: 400)"},
    {"resample", "What the bootstrap draws: runs (default), residuals or parametric"},
    {"level", "Of all intervals: the share of samples in which they hold the truth (default: 0.95)"},
    {"seed_noise", "Standard deviation of log loss between seeds, added by the bootstrap (default: 0)"},
    {"seed", "Of the bootstrap (default: 0)"},
    {"compute", "FLOP for which the optimal N and D are wanted"},
    {"search", "Starting points: automatic (default), grid, projection or sobol"},
    {"starts", "Points that are minimized from (default: as the law says, at most 24)"},
};
const std::vector<Option> kSwitches{
    {"profile", "Intervals by profile of the objective as well"},
    {"jackknife", "Refit without each run: standard errors, and the runs that the fit rests on"},
    {"halving", "Minimize from all starts a little, go on with the better half"},
};

/// Sets one of the request's options; InputError where another flag has.
void set_option(FitRequest& request, const std::string& place, const std::string& key, const std::string& value) {
  if (!request.options.emplace(key, value).second) refuse_given_twice(place, key);
}

void add_value(CLI::App& verb, const std::shared_ptr<FitRequest>& request, const std::string& key,
               const std::string& help) {
  verb.add_option_function<std::string>(
      flag_of(key),
      [request, key](const std::string& value) { set_option(*request, flag_of(key) + " " + value, key, value); }, help);
}

void add_repeated(CLI::App& verb, const std::string& flag, std::vector<std::string>& values, const std::string& help) {
  verb.add_option(flag, values, help)->allow_extra_args(false);
}

}  // namespace

void add_data_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request, const std::string& words) {
  verb.add_option("words", request->words, words)->required()->option_text("WORD...");
  verb.add_option("--formula", request->formula,
                  "Instead of a law's name: a law as text, 'E + A/N^a + B/D^b'; --map names its inputs, the rest is "
                  "fitted");
  add_repeated(
      verb, "--parameter", request->parameters,
      "name={transform: log, lower: 0.1, upper: 9, linear: true, starts: [1]}: of a --formula; may be repeated");
  add_repeated(verb, "--map", request->columns,
               "N=params,D=tokens,loss=val_loss: which columns to take; run= names what is resampled as one, weight= "
               "weights of the rows; may be repeated");
  add_repeated(verb, "--where", request->where,
               "'step < 24000 and split == \"train\"': take these rows only; also key=value or key=[a, b]; may be "
               "repeated");
  add_repeated(verb, "--set", request->set, "input=value: the same for every row; may be repeated");
  add_repeated(
      verb, "--schedule", request->schedules,
      "Of curve laws: SHAPE:peak=3e-4,end=3e-5,warmup=2160,decay_from=8000,steps=24000, the shape constant, "
      "cosine, linear, exponential or two_stage; or a table of every step; once, or once a file, those of --test "
      "last");
  verb.add_option("--per", request->per, "One fit for each value of this column");
  verb.add_option("--tail", request->tail, "20 or 10%: of each run its last rows become one, with their mean loss");
  verb.add_option("--seeds", request->seeds, "mean or median: rows with equal inputs become one");
  verb.add_option("--test", request->test, "Files that are predicted and scored, not fitted");
  for (const auto& [key, help] : kObjective) add_value(verb, request, key, help);
  verb.add_option_function<std::string>(
      "--huber",
      [request](const std::string& delta) {
        set_option(*request, "--huber " + delta, "objective", "huber");
        set_option(*request, "--huber " + delta, "huber_delta", delta);
      },
      "--objective huber with this --huber-delta");
}

void add_fit_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request) {
  add_repeated(verb, "--fix", request->fixed, "name=value: hold a parameter; may be repeated");
  verb.add_option(
      "--outliers", request->outliers,
      "largest=5: leave out the largest losses; mad=4: fit, leave out residuals so many deviations from the "
      "others, fit again");
  for (const auto& [key, help] : kOptions) add_value(verb, request, key, help);
  for (const auto& [key, help] : kSwitches) {
    verb.add_flag_callback(
        flag_of(key), [request, name = key] { request->options[name] = "true"; }, help);
  }
}

std::vector<std::string> words_read(const FitRequest& request, std::vector<std::string> others) {
  for (const auto* words : {&request.words, &request.test, &request.schedules}) {
    others.insert(others.end(), words->begin(), words->end());
  }
  return others;
}

}  // namespace bitlaw
