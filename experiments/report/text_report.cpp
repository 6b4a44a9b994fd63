#include <fmt/format.h>

#include "experiments/report/report.h"
#include "experiments/report/sweep_tables.h"
#include "experiments/report/table.h"

namespace bitlaw {

std::string text_report(const SweepFile& sweep) {
  std::string text = sweep.title.empty() ? sweep.experiment : sweep.title;
  text += fmt::format(" ({})\n\n{}\n", runs_text(sweep), text_of(loss_table(sweep)));
  const Table penalties = penalty_table(sweep);
  if (!penalties.rows.empty()) text += text_of(penalties) + "\n";
  for (const std::string& sentence : verdicts(sweep)) text += sentence + "\n";
  for (const FitRecord& fit : sweep.fits) text += "\n" + text_of(fit_table(fit));
  if (sweep.fits.empty()) text += "\n" + no_fit_text(sweep) + "\n";
  return text;
}

}  // namespace bitlaw
