#pragma once

#include <string>

namespace bitlaw {

/// `word` as a POSIX shell reads it back.
std::string shell_word(const std::string& word);

}  // namespace bitlaw
