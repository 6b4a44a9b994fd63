#include "experiments/cli/output_files.h"

#include <fmt/format.h>

#include <system_error>

#include "core/base/error.h"
#include "core/base/file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

/// Whether both exist and are one file.
bool are_same(const fs::path& a, const fs::path& b) {
  std::error_code error;  // of one that does not exist
  return fs::equivalent(a, b, error);
}

}  // namespace

OutputFiles::OutputFiles(const std::vector<std::string>& inputs) {
  for (const std::string& word : inputs) {
    inputs_.emplace_back(word);
    if (const auto group = word.find(":/"); group != std::string::npos) inputs_.emplace_back(word.substr(0, group));
    if (const auto equals = word.find('='); equals != std::string::npos) inputs_.emplace_back(word.substr(equals + 1));
  }
}

void OutputFiles::add(std::string_view flag, const std::string& word, const fs::path& file) {
  const fs::path replaced = file_to_replace(file);
  for (const fs::path& input : inputs_) {
    if (!are_same(input, replaced)) continue;
    throw InputError(fmt::format("{} {}: is the input {}, so what it holds would be lost; choose another file", flag,
                                 word, input.string()));
  }
  for (const auto& [other, taken] : outputs_) {
    if (replaced != taken && !are_same(replaced, taken)) continue;
    throw InputError(
        fmt::format("{} {}: is what {} writes, so one of them would be lost; choose another file", flag, word, other));
  }
  outputs_.emplace_back(flag, replaced);
}

void OutputFiles::add(std::string_view flag, const std::string& word) {
  if (!word.empty()) add(flag, word, word);
}

}  // namespace bitlaw
