#include "experiments/cli/given_flags.h"

#include <CLI/CLI.hpp>

namespace bitlaw {

void add_published_flag(CLI::App& verb, GivenCoefficients& given) {
  verb.add_option_function<std::vector<std::string>>(
          "--published",
          [&given](const std::vector<std::string>& words) {
            given.published = words.empty() || words.front().empty() ? kFirstPublished : words.front();
          },
          "[NAME], of a LAW: the printed set of that name, or the first one")
      ->expected(0, 1);
}

}  // namespace bitlaw
