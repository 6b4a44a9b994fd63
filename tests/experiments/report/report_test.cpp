#include "experiments/report/report.h"

#include <doctest/doctest.h>

#include "experiments/report/sweep_figures.h"
#include "experiments/report/table.h"
#include "fitting/laws/law.h"
#include "tests/core/record/planted_sweep.h"
#include "tests/experiments/report/planted_law.h"

using namespace bitlaw;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("text report: losses, penalties, verdict and parameters of a planted law") {
  SweepFile sweep = planted_law();
  sweep.fits.push_back(planted_fit(sweep));
  const std::string text = text_report(sweep);
  CAPTURE(text);
  // 1.5 + 20 * 10240^-0.3 + 30 * 262144^-0.3 = 1.5 + 1.252968 + 0.710492
  CHECK(contains(text, "float32    10.24k  3.4635 ± 0.0000"));
  CHECK(contains(text, "mxfp4      10.24k  3.5135 ± 0.0100"));  // (0.04, 0.06): mean 0.05, standard error 0.01
  CHECK(contains(
      text, "mxfp4      +0.0500          0.0021  +0.0457 to +0.0543      +1.73     24"));  // 0.05 / 2.8904, the mean of
                                                                                           // the twelve losses
  CHECK(contains(text, "mxfp8 is about equal to float32 (within 0.5 % of its loss, though measurably more): +0.0005"));
  CHECK(contains(text, "mxfp4 loses measurably more than float32: +0.0500 ± 0.0021 nat/token"));
  CHECK(contains(text, "mxfp4 loses measurably more than mxfp8: +0.0495"));
  CHECK(contains(text, "chinchilla_float32: L = E + A/N^alpha + B/D^beta"));
  CHECK(contains(text, "  E               1.5           0.011     1.478 to 1.522    1.482 to 1.518   nat\n"));
  CHECK(contains(text, "intervals disagree"));  // A: 20 wide against 4.92
  CHECK(contains(text,
                 "converged (gradient tolerance reached); 24 observations; cost 1.25e-05; largest gradient 3e-13; "
                 "condition number 1.23e+03; 97 of 100 starts agree; at a bound: B.\n"));
  CHECK(contains(text, "Warning: B and beta trade off: <D> spans a factor of four only"));
  CHECK_FALSE(contains(text, "nan"));
  CHECK_FALSE(contains(text, "inf"));
}

TEST_CASE("text report: a diverged run shows as diverged") {
  const std::string text = text_report(planted_law(true));
  CHECK(contains(text, "2.4636 (1 of 2 diverged)"));
  CHECK(contains(text, "1 of 72 runs diverged; they are in no mean."));
  CHECK(contains(text, "No law was fitted."));
}

TEST_CASE("text report: nothing to report, one precision, no baseline, a refused fit") {
  CHECK(contains(text_report(SweepFile{}), "There are no runs to compare."));
  SweepFile one = planted_law();
  std::erase_if(one.runs, [](const RunRecord& run) { return run.precision != "float32"; });
  CHECK(contains(text_report(one), "There is one precision only, so there is nothing to compare."));
  SweepFile quantized = planted_law();
  std::erase_if(quantized.runs, [](const RunRecord& run) { return run.precision == "float32"; });
  CHECK(contains(text_report(quantized), "No run is unquantized, so there is no baseline to compare with."));
  const std::string strange = text_report(planted_sweep());
  CHECK(contains(strange, "NOT converged (refused); 0 observations; cost –"));
  CHECK(contains(strange, "Warning: fewer observations than parameters"));
}

TEST_CASE("report: intervals disagree where the fit says so, whatever their natural widths") {
  SweepFile sweep = planted_law();
  sweep.fits.push_back(planted_fit(sweep));
  for (FittedParameter& p : sweep.fits[0].parameters) p.intervals_disagree = p.name == "alpha";
  const std::string text = text_report(sweep);
  const auto row = [&](const std::string& name) {
    const auto at = text.find("\n  " + name + " ");
    return text.substr(at, text.find('\n', at + 1) - at);
  };
  CAPTURE(text);
  CHECK(contains(row("alpha"), "intervals disagree"));
  CHECK_FALSE(contains(row("A"), "intervals disagree"));  // 20 wide against 4.92, but not where it was fitted
}

TEST_CASE("report: means over more than seeds say over what") {
  SweepFile sweep = planted_law();
  CHECK_FALSE(contains(text_report(sweep), "Means and their errors"));
  for (RunRecord& run : sweep.runs) run.config["training.optimizer.learning_rate"] = run.seed == 0 ? 1e-3 : 8e-3;
  CHECK(contains(text_report(sweep),
                 "\n  Means and their errors are over runs that differ in training.optimizer.learning_rate, too.\n"));
}

TEST_CASE("report: each task of a merged sweep has losses, units and verdicts of its own") {
  SweepFile sweep = planted_law();
  const std::string alone = text_report(sweep);
  for (RunRecord run : planted_law().runs) {
    run.run_id += "-regression";
    run.config["task"] = std::string("regression");
    run.loss *= 100;
    sweep.runs.push_back(run);
  }
  const std::string text = text_report(sweep), html = html_report(sweep);
  CAPTURE(text);
  const std::string of_language = alone.substr(alone.find("Held-out"), alone.find("\nNo law") - alone.find("Held-out"));
  CHECK(contains(
      text, "\nTask language_model, 72 runs\n\n" + of_language + "\nTask regression, 72 runs\n\nHeld-out loss by"));
  CHECK(contains(text,
                 "mxfp4 loses measurably more than float32: +5.0000 ± 0.2085 (+1.73 %"));  // 100 times 0.05, no unit
  CHECK_FALSE(contains(text, "that differ in task"));
  CHECK(contains(html, "<li>language_model: mxfp4 loses"));
  CHECK(contains(html, "<li>regression: mxfp4 loses"));
  CHECK(contains(html, "<h2>Runs: regression</h2>"));
  CHECK(contains(html, "<h2>What the precisions cost: regression</h2>"));
}

TEST_CASE("report: runs of several corpora are told of") {
  SweepFile sweep = planted_law();
  CHECK_FALSE(contains(text_report(sweep), "corpora"));
  for (RunRecord& run : sweep.runs) run.corpus_fingerprint = run.params > 100'000 ? "0123456789ab" : "fedcba987654";
  CHECK(contains(text_report(sweep),
                 "\n  The runs are of 2 corpora (fedcba98, 01234567), whose least possible losses differ.\n"));
}

TEST_CASE("report: the entropy rate of a synthetic source stands under the losses") {
  SweepFile sweep = planted_law();
  const std::string line = "Entropy rate of the source, the least possible loss: ";
  CHECK_FALSE(contains(text_report(sweep), line));
  CHECK_FALSE(contains(html_report(sweep), line));
  for (RunRecord& run : sweep.runs) run.entropy_rate = 1.25;
  CHECK(contains(text_report(sweep), "\n  " + line + "1.2500 nat/token\n"));
  CHECK(contains(html_report(sweep), line + "1.2500 nat/token<"));
  sweep.runs.front().entropy_rate = 0.5;
  CHECK(contains(text_report(sweep), "\n  " + line + "0.5000, 1.2500 nat/token (by source)\n"));
}

TEST_CASE("figure: the curve of a fit is the law at its estimates, matched by name") {
  SweepFile sweep = planted_law();
  sweep.fits.push_back(planted_fit(sweep));
  const Figure figure = loss_against_params(sweep);
  REQUIRE(figure.panels.size() == 3);
  const Series& float32 = figure.panels[0].series[0];
  REQUIRE(float32.line.size() > 10);
  for (const Point& point : float32.line) {
    // The curve is drawn at the whole number of parameters nearest x: 1e-4 of the N-term at most.
    const double expected = 1.5 + 20 * std::pow(point.x, -0.3) + 30 * std::pow(262144.0, -0.3);
    CHECK(point.y == doctest::Approx(expected).epsilon(1e-4));
  }
  CHECK(figure.panels[0].series[1].line.empty());  // no fit includes mxfp8
  CHECK(contains(figure.caption, "Curves: fitted laws (float32 by chinchilla_float32)."));
}

TEST_CASE("figure: of several fits, the curve is that of the fit to the fewest precisions") {
  SweepFile sweep = planted_law();
  FitRecord joint = planted_fit(sweep), own = joint;
  joint.name = "joint";
  for (const RunRecord& run : sweep.runs) {
    if (run.precision == "float32") continue;
    joint.run_ids.push_back(run.run_id);
    joint.observed.push_back(run.loss);
    joint.predicted.push_back(run.loss);
  }
  sweep.fits = {joint, own};
  CHECK(contains(loss_against_tokens(sweep).caption, "float32 by chinchilla_float32, mxfp8 by joint, mxfp4 by joint"));
}

TEST_CASE("figure: a law of another version leaves the points without a curve") {
  SweepFile sweep = planted_law();
  sweep.fits.push_back(planted_fit(sweep));
  sweep.fits[0].law = "no such law";
  CHECK(loss_against_params(sweep).panels[0].series[0].line.empty());
  sweep.fits[0].law = "chinchilla";
  sweep.fits[0].parameters.pop_back();
  CHECK(loss_against_params(sweep).panels[0].series[0].line.empty());
}

TEST_CASE("figure: residuals are percent of the prediction") {
  const SweepFile sweep = planted_law();
  for (const Figure& figure : residual_figures(sweep, planted_fit(sweep))) {
    REQUIRE(figure.panels.size() == 1);
    CHECK(figure.panels[0].series[0].points.size() == 24);
    for (const Point& point : figure.panels[0].series[0].points) CHECK(point.y == doctest::Approx(1.0).epsilon(1e-9));
  }
  CHECK(residual_figures(sweep, FitRecord{}).empty());
}

TEST_CASE("figure: the penalty at each N averages over D and seeds") {
  const Figure figure = penalty_against_params(planted_law());
  REQUIRE(figure.panels.size() == 1);
  REQUIRE(figure.panels[0].series[1].points.size() == 4);
  for (const Point& point : figure.panels[0].series[1].points) {
    CHECK(point.y == doctest::Approx(0.05).epsilon(1e-9));
    CHECK(point.error == doctest::Approx(0.01 / std::sqrt(5.0)).epsilon(1e-9));  // six pairs, half 0.04, half 0.06
  }
}

TEST_CASE("html: markup in names stays text") {
  CHECK(escape_html("a<b> & \"c\" 'd'\x01") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; ");
  const std::string html = html_report(planted_sweep());
  CHECK(contains(html, "mxfp4 &quot;µ&quot; &lt;größer&gt;"));
  CHECK_FALSE(contains(html, "<größer>"));
}
