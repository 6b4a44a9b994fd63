#include <fmt/format.h>

#include "experiments/report/report.h"
#include "experiments/report/sweep_tables.h"
#include "experiments/report/table.h"

namespace bitlaw {

std::string text_report(const SweepFile& sweep) {
  std::string text = sweep.title.empty() ? sweep.experiment : sweep.title;
  text += fmt::format(" ({})\n", runs_text(sweep));
  for_each_task(sweep, [&](const std::string& task, const SweepFile& part) {
    if (!task.empty()) text += fmt::format("\nTask {}, {} runs\n", task, part.runs.size());
    text += fmt::format("\n{}\n", text_of(loss_table(part)));
    const Table penalties = penalty_table(part);
    if (!penalties.rows.empty()) text += text_of(penalties) + "\n";
    for (const std::string& sentence : verdicts(part)) text += sentence + "\n";
  });
  for (const FitRecord& fit : sweep.fits) text += "\n" + text_of(fit_table(fit));
  if (sweep.fits.empty()) text += "\n" + no_fit_text(sweep) + "\n";
  return text;
}

}  // namespace bitlaw
