#include "core/base/error.h"

#include <doctest/doctest.h>

#include "core/base/fingerprint.h"

using namespace bitlaw;

TEST_CASE("InputError: begins with the place, a whole file without a line") {
  CHECK(std::string(InputError({.file = "a.yaml", .line = 7, .column = 3}, "x; y").what()) == "a.yaml:7:3: x; y");
  CHECK(std::string(InputError({.file = "a.yaml"}, "x; y").what()) == "a.yaml: x; y");
}

TEST_CASE("fingerprint: the name-based UUID of Python's uuid.uuid5(uuid.NAMESPACE_OID, text).hex") {
  CHECK(fingerprint("") == "0a68eb57c88a5f349e9d27f85e68af4f");
  CHECK(fingerprint("bitlaw") == "52fbf909cb615c58a19f5e81c57db849");
  CHECK(fingerprint(std::string(1000, 'x')) == "0ee7e31fa49b55bfa8962c72533f360c");
}
