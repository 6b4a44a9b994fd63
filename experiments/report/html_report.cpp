#include <fmt/format.h>

#include <set>

#include "core/base/build_info.h"
#include "experiments/report/figure.h"
#include "experiments/report/numbers.h"
#include "experiments/report/report.h"
#include "experiments/report/sweep_figures.h"
#include "experiments/report/sweep_tables.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

constexpr const char* kPageStyles =
    R"(:root { --page: #ffffff; --ink: #1b1b1f; --muted: #5f6470; --rule: #d9dbe0; --tint: #f4f5f7; }
@media (prefers-color-scheme: dark) {
:root { --page: #16181d; --ink: #e8e8ea; --muted: #a3a8b4; --rule: #3a3e48; --tint: #1f2229; }
}
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 1160px; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.8rem; margin: 0 0 0.2rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 0.8rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 0 0 0.4rem; }
.muted, .note, figcaption, footer { color: var(--muted); font-size: 0.88rem; }
.note { margin: 0.3rem 0; }
.verdict { background: var(--tint); border-left: 4px solid #0072b2; padding: 0.7rem 1rem 0.7rem 2rem; margin: 1.2rem 0; }
.scroll { overflow-x: auto; margin: 1.2rem 0 0.6rem; }
table { border-collapse: collapse; font-size: 0.92rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.5rem; white-space: nowrap; }
th, td { padding: 0.25rem 0.9rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--muted); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.text { text-align: left; }
figure { margin: 1.8rem 0; }
.row { display: flex; flex-wrap: wrap; gap: 0 1.2rem; }
.row figure { flex: 1 1 320px; max-width: 372px; margin: 1rem 0; }
pre { background: var(--tint); padding: 1rem; overflow-x: auto; font-size: 0.85rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
@media print {
@page { size: A4; margin: 15mm; }
:root { font-size: 11px; }
body { max-width: none; padding: 0; font-size: 1rem; }
th, td { padding: 0.15rem 0.5rem; }
.scroll, pre { overflow: visible; }
pre { white-space: pre-wrap; }
figure, tr { break-inside: avoid; }
h2, h3, caption { break-after: avoid; }
.row figure { flex: 1 1 45%; }
}
)";

std::string row_of(const std::vector<Figure>& figures) {
  std::string html;
  for (const Figure& figure : figures) html += html_of(figure);
  return html.empty() ? "" : fmt::format("<div class=\"row\">\n{}</div>\n", html);
}

std::string verdict_list(const SweepFile& sweep) {
  std::string items;
  for_each_task(sweep, [&](const std::string& task, const SweepFile& part) {
    const std::string of_task = task.empty() ? "" : task + ": ";
    for (const std::string& sentence : verdicts(part)) {
      items += fmt::format("<li>{}</li>\n", escape_html(of_task + sentence));
    }
  });
  return fmt::format("<ul class=\"verdict\">\n{}</ul>\n", items);
}

std::string runs_section(const SweepFile& sweep) {
  std::string html;
  for_each_task(sweep, [&](const std::string& task, const SweepFile& part) {
    const std::string of_task = task.empty() ? "" : ": " + escape_html(task);
    html += fmt::format("<h2>Runs{}</h2>\n", of_task);
    html += html_of(loss_against_params(part)) + html_of(loss_against_tokens(part));
    html += html_of(loss_table(part));
    const Table penalties = penalty_table(part);
    if (penalties.rows.empty()) return;
    html += fmt::format("<h2>What the precisions cost{}</h2>\n", of_task) + html_of(penalties);
    html += row_of({penalty_against_params(part), penalty_against_tokens(part)});
  });
  return html;
}

std::string fits_section(const SweepFile& sweep) {
  if (sweep.fits.empty()) return fmt::format("<h2>Fitted laws</h2>\n<p>{}</p>\n", no_fit_text(sweep));
  std::string html;
  for (const FitRecord& fit : sweep.fits) {
    html += fmt::format("<h2>Fitted law: {}</h2>\n", escape_html(fit.name));
    html += html_of(fit_table(fit));
    html +=
        fmt::format("<p class=\"note\">{}. Objective: {}.</p>\n", escape_html(fit.source), escape_html(fit.objective));
    html += row_of(residual_figures(sweep, fit));
  }
  return html;
}

std::string footer(const SweepFile& sweep) {
  const BuildInfo build = build_info();
  double flops = 0, seconds = 0;
  std::set<std::string> corpora;
  for (const RunRecord& run : sweep.runs) {
    flops += run.flops;
    seconds += run.wall_seconds;
    if (!run.corpus_fingerprint.empty()) corpora.insert(run.corpus_fingerprint);
  }
  std::string html = fmt::format(
      "<footer>\n<p>{} runs, {} floating-point operations, {:.0f} s of training. Command: <code>{}</code></p>\n",
      sweep.runs.size(), format_value(flops, 3), seconds, escape_html(sweep.command));
  for (const std::string& corpus : corpora) html += fmt::format("<p>Corpus {}</p>\n", escape_html(corpus));
  html += fmt::format("<p>Report by bitlaw {} ({}, {}) on {}, {}.</p>\n", escape_html(build.version),
                      escape_html(build.commit), escape_html(build.compiler), escape_html(build.host),
                      escape_html(build.cpu));
  html += fmt::format("<details><summary>Configuration</summary><pre>{}</pre></details>\n</footer>\n",
                      escape_html(sweep.config_yaml));
  return html;
}

}  // namespace

std::string html_report(const SweepFile& sweep) {
  const std::string title = escape_html(sweep.title.empty() ? sweep.experiment : sweep.title);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{0}</title>\n"
      "<style>\n{1}{2}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<p class=\"muted\">{3} · {4}</p>\n{5}{6}{7}{8}"
      "</body>\n</html>\n",
      title, kPageStyles, figure_styles(), escape_html(sweep.experiment), runs_text(sweep), verdict_list(sweep),
      runs_section(sweep), fits_section(sweep), footer(sweep));
}

}  // namespace bitlaw
