#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/build_info.h"
#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/shell_word.h"

namespace bitlaw {
namespace {

constexpr int kNotWritten = 1;
constexpr int kWrongInput = 2;

std::string version() {
  const BuildInfo build = build_info();
  return fmt::format("bitlaw {} ({}, {})", build.version, build.commit, build.compiler);
}

/// Whether a word that is no verb may be an argument of `app` itself.
bool takes_words(const CLI::App& app) {
  const auto options = app.get_options();
  return std::any_of(options.begin(), options.end(), [](const CLI::Option* o) { return o->get_positional(); });
}

/// What is wrong with the words, and the remedy, in one line. `reason` is CLI11's, where there is no better one.
std::string complaint(const CLI::App& app, std::span<const std::string> words, const std::string& reason) {
  std::vector<std::string> verbs, flags;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  std::string program = app.get_name();
  for (const CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent()) {
    program = parent->get_name() + " " + program;
  }
  if (!verbs.empty()) {
    if (words.empty()) {
      return fmt::format("{}: no verb was given, so nothing was done; use one of: {}", program, fmt::join(verbs, ", "));
    }
    const auto verb = std::find(verbs.begin(), verbs.end(), words.front());
    if (verb != verbs.end()) return complaint(*app.get_subcommand(*verb), words.subspan(1), reason);
    if (!words.front().starts_with('-') && !takes_words(app)) {
      return fmt::format("{}: unknown verb '{}', so nothing was done; {}", program, words.front(),
                         remedy(words.front(), verbs));
    }
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  for (const std::string& word : words) {
    const std::string flag = word.substr(0, word.find('='));
    if (!flag.starts_with("--") || std::find(flags.begin(), flags.end(), flag) != flags.end()) continue;
    return fmt::format("{}: unknown flag '{}', so nothing was done; {}", program, flag, remedy(flag, flags));
  }
  return fmt::format("{}: {}, so nothing was done; see {} --help", program, reason.substr(0, reason.find('\n')),
                     program);
}

int run_program(const std::string& program, const std::vector<std::string>& words) {
  Invocation invocation;
  invocation.command = shell_word(program);
  for (const std::string& word : words) invocation.command += " " + shell_word(word);
  CLI::App app("Train small models in few bits, fit scaling laws to their losses.", "bitlaw");
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  app.footer("Start with: bitlaw run experiments/configs/quickstart.yaml");
  add_run_verb(app, invocation);
  add_train_verb(app, invocation);
  add_sweep_verb(app, invocation);
  add_report_verb(app, invocation);
  add_doctor_verb(app, invocation);
  add_fit_verb(app, invocation);
  add_evaluate_verb(app, invocation);
  add_predict_verb(app, invocation);
  add_compare_verb(app, invocation);
  add_next_verb(app, invocation);
  add_conventions_verb(app, invocation);
  add_isoflop_verb(app, invocation);
  add_collapse_verb(app, invocation);
  add_coverage_verb(app, invocation);
  add_formats_verb(app, invocation);
  add_laws_verb(app, invocation);
  add_quantize_verb(app, invocation);
  add_gemm_verb(app, invocation);
  add_kinetics_verb(app, invocation);
  add_optimum_verb(app, invocation);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes the words from the back
  } catch (const CLI::Success& success) {                               // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}\n", complaint(app, words, error.what()));
    return kWrongInput;
  } catch (const WriteError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kNotWritten;
  } catch (const InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kWrongInput;
  }
  return invocation.exit_code;
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  try {
    const int exit_code = bitlaw::run_program(argv[0], std::vector<std::string>(argv + 1, argv + argc));
    if (std::fflush(stdout) == 0 && std::cout.flush()) return exit_code;  // CLI11 prints help through the latter
    throw std::runtime_error("what was printed could not be written to its file or pipe; is the disk full?");
  } catch (const std::exception& error) {
    fmt::print(stderr, "bitlaw: {}\n", error.what());
    return 1;
  }
}
