#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/support/reference_data.h"

/// 0: all passed; 77: all passed but for tests whose reference data are missing; anything else: failures.
int main(int argc, char** argv) {
  const int failed = doctest::Context(argc, argv).run();
  return failed == 0 && bitlaw::reference_data_missing ? 77 : failed;
}
