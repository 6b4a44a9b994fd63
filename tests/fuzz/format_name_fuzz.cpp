// Any text: parse_format refuses it with a message, or gives a format that has a name, which means the same format.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/format/catalog.h"

using namespace bitlaw;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  FormatSpec spec;
  try {
    spec = parse_format(text);
  } catch (const InputError& error) {
    BITLAW_CHECK(!std::string_view(error.what()).empty(), "no message for '{}'", text);
    return 0;
  }
  BITLAW_CHECK(spec.is_valid(), "'{}' is not valid", text);
  const std::string name = format_name(spec);
  BITLAW_CHECK(parse_format(name) == spec, "'{}' is named '{}', which is another format", text, name);
  BITLAW_CHECK(format_name(parse_format(name)) == name, "'{}' has two names", text);
  return 0;
}
