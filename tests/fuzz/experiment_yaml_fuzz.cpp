// Any text as an experiment: each part of it is refused with one line that begins with the file's name, or its runs
// have configurations of which ids can be made, the same each time. No data are loaded and nothing is planned whole.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/error.h"
#include "experiments/sweep/experiment_file.h"
#include "experiments/sweep/fit_spec.h"
#include "experiments/sweep/run_id.h"
#include "experiments/sweep/run_source.h"
#include "experiments/sweep/yaml_node.h"

using namespace bitlaw;

namespace {

constexpr std::size_t kMostPoints = 32;

/// Of the runs that the text describes, the first ones.
std::string ids_of(const std::string& text) {
  std::string ids;
  YamlNode root = parse_yaml(text, "x.yaml");
  map_in(root, "the file");  // as whoever reads a file asks first
  const RunSource source("x.yaml", std::move(root), "x");
  RunIds run_ids;
  for (std::size_t point = 0; point < std::min(source.points(), kMostPoints); ++point) {
    const auto draft = source.draft(point);
    if (!draft) continue;
    run_ids.read(draft->resolved());
    ids += run_ids.id("data") + "\n";
  }
  if (const YamlNode* fits = source.root().find("fits")) fit_specs_in(*fits);
  return ids;
}

/// What the text is refused with, or its ids.
std::string outcome(const std::string& text) {
  try {
    return ids_of(text);
  } catch (const InputError& error) {
    const std::string_view message = error.what();
    BITLAW_CHECK(message.starts_with("x.yaml"), "without its place: {}", message);
    return std::string(message);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  for (const char* device : {"/dev", "/proc", "/sys"}) {  // files that never end
    if (text.find(device) != std::string::npos) return 0;
  }
  const std::string first = outcome(text), second = outcome(text);
  BITLAW_CHECK(first == second, "two outcomes: {} and {}", first, second);
  return 0;
}
