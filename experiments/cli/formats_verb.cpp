#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/base/error.h"
#include "core/format/element.h"
#include "experiments/cli/block_facts.h"
#include "experiments/cli/format_codes.h"
#include "experiments/cli/format_comparison.h"
#include "experiments/cli/formats_table.h"
#include "experiments/cli/verbs.h"

namespace bitlaw {
namespace {

struct FormatsArguments {
  std::vector<std::string> names;
  bool json = false, csv = false;
};

/// What a text function returns does not end in a line for JSON.
void print(bool json, const std::string& text) { fmt::print("{}{}", text, json ? "\n" : ""); }

/// What "formats show" prints of a block preset.
std::string block_facts(const BlockPreset& preset, const FormatsArguments& arguments) {
  if (arguments.csv) {
    throw InputError(
        fmt::format("bitlaw formats show {}: is a way to scale blocks, which has no codes to list; drop "
                    "--csv, or list its elements: bitlaw formats show {} --csv",
                    preset.name, format_name(preset.spec.element)));
  }
  return arguments.json ? block_facts_json(preset) : block_facts_text(preset);
}

std::string format_facts(const std::string& name, const FormatsArguments& arguments) {
  for (const BlockPreset& preset : block_presets()) {
    if (preset.name == name) return block_facts(preset, arguments);
  }
  return arguments.csv ? format_codes_csv(name) : arguments.json ? format_codes_json(name) : format_codes_text(name);
}

void add_show(CLI::App& formats) {
  CLI::App* verb = formats.add_subcommand("show", "Show one format, its numbers and all its codes, or blocks of one");
  const auto arguments = std::make_shared<FormatsArguments>();
  verb->add_option("name", arguments->names, "Format, or a block preset such as mxfp4")->required()->expected(1);
  CLI::Option* csv = verb->add_flag("--csv", arguments->csv, "Print every code of a format of at most 16 bits as CSV");
  verb->add_flag("--json", arguments->json, "Print one JSON document")->excludes(csv);
  verb->footer(
      "Codes are shown up to 8 bits. --csv: the line 'code,value', then one per code, the value as C's %a writes it,\n"
      "'nan', 'inf' or '-inf'.\n\n"
      "Examples:\n"
      "  bitlaw formats show e2m1\n"
      "  bitlaw formats show nvfp4\n"
      "  bitlaw formats show 'e3m5:bias=4,ieee' --csv > codes.csv\n"
      "  bitlaw formats show Binary16p1ue --csv");
  verb->callback([arguments] { print(arguments->json, format_facts(arguments->names.front(), *arguments)); });
}

void add_compare(CLI::App& formats) {
  CLI::App* verb = formats.add_subcommand("compare", "Compare two formats: range, precision, values in common");
  const auto arguments = std::make_shared<FormatsArguments>();
  verb->add_option("names", arguments->names, "The two formats")->required()->expected(2);
  verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->footer(
      "Values are counted exactly up to 16 bits; +0 and -0 are one value.\n\n"
      "Examples:\n"
      "  bitlaw formats compare e4m3 e5m2\n"
      "  bitlaw formats compare bfloat16 float16 --json");
  verb->callback([arguments] {
    const std::string &a = arguments->names[0], &b = arguments->names[1];
    print(arguments->json, arguments->json ? format_comparison_json(a, b) : format_comparison_text(a, b));
  });
}

}  // namespace

void add_formats_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("formats", "Show number formats: widths, range, special values, source");
  const auto arguments = std::make_shared<FormatsArguments>();
  verb->add_option("name", arguments->names, "Formats to list (default: the whole catalog)");
  verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->footer(
      fmt::format("A name is one of the table or a pattern,\n  {}, {}.\n\n"
                  "Examples:\n"
                  "  bitlaw formats\n"
                  "  bitlaw formats e2m1 e4m3 'e3m5:bias=4,ieee' --json\n"
                  "  bitlaw formats show e2m1\n"
                  "  bitlaw formats compare e4m3 e5m2",
                  kFormatPattern, kCodebookPattern));
  add_show(*verb);
  add_compare(*verb);
  verb->callback([verb, arguments] {
    if (!verb->get_subcommands().empty()) return;  // which has done its work
    print(arguments->json, arguments->json ? formats_json(arguments->names) : formats_table(arguments->names));
  });
}

}  // namespace bitlaw
