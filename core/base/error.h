#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace bitlaw {

/// A place in a user's file; line and column count from 1. Line 0 means the file as a whole.
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;

  /// "sweep.yaml:7:3", or "sweep.yaml" for a whole file.
  std::string to_string() const;
};

/// Someone's input (YAML, flag, file) is wrong. what() is one line: "place: what, why; remedy".
///
/// Thrown at the boundary only; behind it, values are valid. The program prints it and exits with code 2.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  InputError(const SourceLocation& place, const std::string& message);
};

/// InputError for a name that a flag gives a second time. `place` is the flag with its text, "--set N=2".
[[noreturn]] void refuse_given_twice(const std::string& place, std::string_view name);

}  // namespace bitlaw
