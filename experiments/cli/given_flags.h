#pragma once

#include "experiments/fits/given_law.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// Adds --published [NAME] for coefficients that are printed: without a name, the law's first set.
void add_published_flag(CLI::App& verb, GivenCoefficients& given);

}  // namespace bitlaw
