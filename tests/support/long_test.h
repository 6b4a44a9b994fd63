#pragma once

#include <doctest/doctest.h>

/// Of a test that takes minutes under sanitizers, which there is left out: it trains or counts much with code that
/// shorter tests go through too: `TEST_CASE("..." * BITLAW_LONG_TEST)`.
#define BITLAW_LONG_TEST doctest::test_suite("long")
