#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

/// What a job script is filled with, by name: one text each, none where it was not given, or several.
using JobValues = std::map<std::string, std::vector<std::string>>;

/// The script of `sweep submit` for Slurm, before it is filled.
std::string_view slurm_template();

/// Fills `@name@` with the value of that name. A line that names a value that was not given is left out; one that names
/// a value with several texts is repeated for each. InputError at `place` for a name that `values` lacks.
std::string fill_template(std::string_view text, const JobValues& values, const std::string& place);

/// The words that submit the script of a template: its first line that begins with "# submit: ", parted by spaces and
/// filled word by word. InputError when there is no such line.
std::vector<std::string> submit_words(std::string_view text, const JobValues& values, const std::string& place);

}  // namespace bitlaw
