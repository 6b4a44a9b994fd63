#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <vector>

#include "core/base/build_info.h"
#include "core/base/closest.h"
#include "core/base/error.h"
#include "experiments/cli/verbs.h"

namespace bitlaw {
namespace {

constexpr int kWrongInput = 2;

std::string version() {
  const BuildInfo build = build_info();
  return fmt::format("bitlaw {} ({}, {})", build.version, build.commit, build.compiler);
}

/// A first word that is no verb gets the nearest one; anything else that CLI11 refuses gets its own words.
std::string complaint(const CLI::App& app, const std::vector<std::string>& words, const std::string& reason) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  const std::string first = words.empty() ? "" : words.front();
  const bool is_verb = std::find(verbs.begin(), verbs.end(), first) != verbs.end();
  if (!first.empty() && first.front() != '-' && !is_verb) {
    const std::string nearest = closest_match(first, verbs);
    return fmt::format("bitlaw: unknown verb '{}', so nothing was done; {}", first,
                       nearest.empty() ? fmt::format("use one of: {}", fmt::join(verbs, ", "))
                                       : fmt::format("did you mean '{}'?", nearest));
  }
  std::string line = reason.substr(0, reason.find('\n'));
  const std::string program = is_verb ? "bitlaw " + first : "bitlaw";
  return fmt::format("{}: {}, so nothing was done; see {} --help", program, line, program);
}

int run_program(const std::vector<std::string>& words) {
  Session session;
  session.command = fmt::format("bitlaw {}", fmt::join(words, " "));
  CLI::App app("Train small models in few bits, fit scaling laws to their losses.", "bitlaw");
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  app.footer("Start with: bitlaw run experiments/configs/quickstart.yaml");
  add_run_verb(app, session);
  add_sweep_verb(app, session);
  add_fit_verb(app, session);
  add_formats_verb(app, session);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes the words from the back
  } catch (const CLI::Success& success) {                               // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}\n", complaint(app, words, error.what()));
    return kWrongInput;
  } catch (const InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kWrongInput;
  }
  return session.exit_code;
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  try {
    return bitlaw::run_program(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "bitlaw: {}\n", error.what());
    return 1;
  }
}
