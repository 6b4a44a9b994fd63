#include "simulators/task/text.h"

#include "simulators/task/unpacked_file.h"

namespace bitlaw {

std::vector<std::uint16_t> read_text(const std::vector<std::string>& files) {
  std::vector<std::uint16_t> tokens;
  for (const std::string& file : files) {
    const std::vector<std::uint8_t> bytes = read_unpacked(file, "text");
    tokens.insert(tokens.end(), bytes.begin(), bytes.end());
  }
  return tokens;
}

}  // namespace bitlaw
