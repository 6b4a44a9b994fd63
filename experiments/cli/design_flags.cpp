#include "experiments/cli/design_flags.h"

#include <CLI/CLI.hpp>

#include "core/base/error.h"
#include "experiments/cli/number_checks.h"

namespace bitlaw {

NextRequest DesignArguments::next_request() const {
  if (flops.has_value() == seconds.has_value()) {
    throw InputError("no budget is given, or two are, so no runs can be chosen; give --budget in FLOPs or --seconds");
  }
  NextRequest complete = request;
  complete.by_time = seconds.has_value();
  complete.budget = complete.by_time ? *seconds : *flops;
  return complete;
}

void add_design_flags(CLI::App& verb, DesignArguments& arguments) {
  verb.add_option("--budget", arguments.flops, "What the chosen runs may cost together [FLOP]")
      ->check(positive_number());
  verb.add_option("--seconds", arguments.seconds, "The same in predicted seconds of one worker")
      ->check(positive_number());
  verb.add_option("--at", arguments.request.at, "Where the loss is to be known, as N=1e9,D=2e10; may be repeated");
  verb.add_option("--parameter", arguments.request.parameters, "A parameter to be known; may be repeated");
  verb.add_option("--fit", arguments.request.fit, "The fit that they are chosen for, where the file has several");
}

}  // namespace bitlaw
