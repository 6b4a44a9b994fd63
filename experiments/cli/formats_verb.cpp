#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/format/catalog.h"
#include "experiments/cli/formats_table.h"
#include "experiments/cli/verbs.h"

namespace bitlaw {

void add_formats_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("formats", "Show number formats: widths, range, special values, source");
  const auto names = std::make_shared<std::vector<std::string>>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option("name", *names, "Formats to show (default: the whole catalog)");
  verb->add_flag("--json", *json, "Print one JSON document");
  verb->footer(
      fmt::format("A name is one of the catalog or a pattern, {}.\n\n"
                  "Examples:\n"
                  "  bitlaw formats\n"
                  "  bitlaw formats e2m1 e4m3 'e3m5:bias=4,ieee' --json",
                  kFormatPattern));
  verb->callback([names, json] { fmt::print("{}", *json ? formats_json(*names) + "\n" : formats_table(*names)); });
}

}  // namespace bitlaw
