#pragma once

#include <string>

#include "core/record/sweep_file.h"

namespace bitlaw {

/// What a sweep found, for a terminal: losses, penalties with a verdict, fitted parameters with intervals.
std::string text_report(const SweepFile& sweep);

/// The same with figures as one HTML file that needs nothing else: styles inside, figures as inline SVG, light and dark
/// by the reader's setting.
std::string html_report(const SweepFile& sweep);

}  // namespace bitlaw
