#include "core/base/error.h"

#include <fmt/format.h>

namespace bitlaw {

std::string SourceLocation::to_string() const { return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column); }

InputError::InputError(const SourceLocation& place, const std::string& message)
    : std::runtime_error(fmt::format("{}: {}", place.to_string(), message)) {}

void refuse_given_twice(const std::string& place, std::string_view name) {
  throw InputError(fmt::format("{}: gives {} twice, so it is not clear which is meant; write it once", place, name));
}

}  // namespace bitlaw
