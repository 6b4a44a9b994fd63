#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/enum_name.h"
#include "core/base/error.h"

namespace bitlaw {

/// All of standard input, in the machine's byte order.
template <typename T>
std::vector<T> read_input() {
  std::vector<T> x;
  T buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, sizeof(T), std::size(buffer), stdin)) > 0;) {
    x.insert(x.end(), buffer, buffer + n);
  }
  return x;
}

template <typename T>
void write_output(std::span<const T> values) {
  if (std::fwrite(values.data(), sizeof(T), values.size(), stdout) != values.size()) {
    throw InputError("standard output: cannot write");
  }
}
template <typename T>
void write_output(const std::vector<T>& values) {
  write_output(std::span<const T>(values));
}

/// The value of a word of a table.
template <typename Names>
auto named(const Names& names, std::string_view word) {
  const auto value = value_of(word, names);
  if (!value) throw InputError(fmt::format("unknown word '{}'", word));
  return *value;
}

}  // namespace bitlaw
