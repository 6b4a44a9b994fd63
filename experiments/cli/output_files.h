#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitlaw {

/// The files that a verb writes. Asked before its work, so that none of them replaces a file that is read, or another.
class OutputFiles {
 public:
  /// `inputs` are words of the command line that may name files to read: FILE, MODEL=FILE, FILE.h5:/GROUP. Words that
  /// name none are no harm.
  explicit OutputFiles(const std::vector<std::string>& inputs);

  /// Notes `file`, which `flag` gives as `word`. InputError where it is one of the inputs, by whatever name or link,
  /// or what an earlier flag writes; and where it cannot be written, as file_to_replace().
  void add(std::string_view flag, const std::string& word, const std::filesystem::path& file);
  /// The same where the word is the file; an empty one stands for none.
  void add(std::string_view flag, const std::string& word);

 private:
  std::vector<std::filesystem::path> inputs_;
  std::vector<std::pair<std::string, std::filesystem::path>> outputs_;  ///< by flag
};

}  // namespace bitlaw
