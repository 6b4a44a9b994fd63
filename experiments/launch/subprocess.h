#pragma once

#include <string>
#include <vector>

namespace bitlaw {

struct ProgramOutput {
  int exit_code = 0;  ///< 127: there is no such program; 128 + signal when killed by one
  std::string out;    ///< what it wrote to its standard output
};

enum class ErrorStream {
  Shown,   ///< the program's error stream is ours
  Dropped  ///< for questions whose failure is an answer
};

/// Runs a program of the search path to its end, without a shell: words reach it as they are.
ProgramOutput run_program(const std::vector<std::string>& words, ErrorStream errors = ErrorStream::Shown);

}  // namespace bitlaw
