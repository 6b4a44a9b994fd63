#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/record/fit_record.h"
#include "experiments/sweep/fit_spec.h"

namespace bitlaw {

/// What `bitlaw fit` and its relatives were asked, as typed.
struct FitRequest {
  std::vector<std::string> words;  ///< the law, unless there is a formula, then data files
  std::string formula, per, tail, seeds, outliers;
  std::vector<std::string> columns;            ///< of --map, "N=params,D=tokens"
  std::vector<std::string> where, fixed, set;  ///< "key=value", `where` also conditions
  std::vector<std::string> parameters;         ///< "name={...}": what is said of a formula's parameter
  std::vector<std::string> schedules;          ///< of curve laws: one for all files, or one a file
  std::vector<std::string> test;               ///< files that are predicted, not fitted
  /// What a fit's entry in a file calls these, typed as there: "objective" -> "student_t". Absent: the default.
  std::map<std::string, std::string> options;

  std::string law() const { return formula.empty() && !words.empty() ? words.front() : ""; }
  /// The data files; InputError when there is none, and for a .json, which says what it is instead.
  std::vector<std::string> files() const;
};

/// The flags as an entry of a file's `fits`, so that both say and refuse the same. Conditions of --where that are no
/// key=value are not among them. `law`, unless null, stands for one that only the data describe.
FitSpec fit_spec_of(const FitRequest& request, std::shared_ptr<const Law> law = nullptr);

/// "--tail-average" of "tail_average".
std::string flag_of(std::string key);

/// "key=value" in two. InputError that names the flag when it is not.
std::pair<std::string, std::string> key_and_value(const std::string& flag, const std::string& text);

/// Whether what --where says is a condition, as "step < 24000", and not key=value or key=[a, b].
bool is_condition(const std::string& where);

/// The items of every --map, in order. InputError for a name that comes twice.
std::vector<std::pair<std::string, std::string>> items_of_map(const FitRequest& request);

/// The items of --set.
std::map<std::string, std::string> settings_of(const FitRequest& request);

/// Whether --map's name is loss, run or weight, which are no inputs of a law.
bool is_role(const std::string& name);

}  // namespace bitlaw
