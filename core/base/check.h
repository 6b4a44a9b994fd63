#pragma once

#include <fmt/format.h>

#include <string_view>

namespace bitlaw {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view message);

}  // namespace bitlaw

/// Stops the program when `condition` is false: a bug of ours, never a user's mistake (that is InputError).
/// BITLAW_CHECK(x.cols == w.cols, "x [{}, {}] against w [{}, {}]", ...)
#define BITLAW_CHECK(condition, ...)                                                                      \
  do {                                                                                                    \
    if (!(condition)) ::bitlaw::check_failed(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
  } while (false)
