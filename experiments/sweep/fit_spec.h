#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/sweep/yaml_node.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// What a run's configuration must be for a fit to take the run.
struct FitCondition {
  std::vector<std::string> values;  ///< one of these
  SourceLocation place;
};

/// One entry of a file's `fits`: a law for some of the runs.
struct FitSpec {
  std::string law;
  std::string name;                           ///< default: the law's
  std::map<std::string, FitCondition> where;  ///< by configuration key; all must hold
  std::string per;                            ///< key: one fit for each of its values; empty: one fit
  std::map<std::string, double> fixed;        ///< parameters held at a value
  int bootstrap = 400;
  double huber_delta = 1e-3;
  FitOptions options;                  ///< everything else; fit_options() adds the fields above
  std::shared_ptr<const Law> written;  ///< the law of `formula` or one made of the data, or null
  SourceLocation place, per_place;
};

/// The runs of one fit.
struct FitGroup {
  std::string name;               ///< "chinchilla", or "chinchilla_mxfp4" with `per`
  std::vector<std::size_t> runs;  ///< indices
};

/// The spec's law: the one that it writes as a formula, or the registered one.
const Law& law_of(const FitSpec& spec);

/// The spec's options as fit_law() takes them.
FitOptions fit_options(const FitSpec& spec, int threads);

/// The entries of `fits`, or one of them. InputError for an unknown law, field or parameter. `law`, unless null, is one
/// that is already made, which the entry then does not name.
FitSpec fit_spec_in(const YamlNode& fit, std::shared_ptr<const Law> law = nullptr);
std::vector<FitSpec> fit_specs_in(const YamlNode& fits);

/// Whether a configuration value is what `text` says: numbers by value, the rest by spelling.
bool equals(const ConfigValue& value, std::string_view text);

/// The groups that a spec makes of runs, in order of their first run. `runs` need only their `config`.
///
/// InputError when a key is in no run's configuration, no run is left, or a group has runs of several tasks. The key
/// `task` is `language_model` where a configuration has none.
std::vector<FitGroup> fit_groups(const FitSpec& spec, std::span<const RunRecord> runs);

/// InputError, at `place`, where two runs of the fit called `fit` are of different tasks, whose losses are different
/// quantities.
void check_same_task(const std::string& fit, const RunRecord& first, const RunRecord& other,
                     const SourceLocation& place);

}  // namespace bitlaw
