#include "core/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace bitlaw {

void check_failed(const char* file, int line, const char* condition, std::string_view message) {
  fmt::print(stderr, "{}:{}: broken invariant `{}`: {}\nThis is a bug in bitlaw; please report it.\n", file, line,
             condition, message);
  std::abort();
}

}  // namespace bitlaw
