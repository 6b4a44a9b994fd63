#include "experiments/report/figure.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>

using namespace bitlaw;

namespace {

Figure one_panel(Axis::Scale scale, std::vector<Point> points) {
  Series series;
  series.points = series.line = std::move(points);
  Figure figure;
  figure.x.scale = figure.y.scale = scale;
  figure.legend = {"float32"};
  figure.panels = {{"panel", {series}}};
  return figure;
}

}  // namespace

TEST_CASE("figure: points that an axis cannot show change nothing") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const std::vector<Point> plain{{1, 2}, {3, 5}};
  const std::vector<Point> hostile{{1, 2}, {nan, 3}, {2, nan}, {2, inf}, {-inf, 3}, {3, 5}};
  CHECK(html_of(one_panel(Axis::Scale::Linear, hostile)) == html_of(one_panel(Axis::Scale::Linear, plain)));
  CHECK(html_of(one_panel(Axis::Scale::Log, hostile)) == html_of(one_panel(Axis::Scale::Log, plain)));
  const std::vector<Point> not_positive{{1, 2}, {0, 3}, {2, -1}, {3, 5}};
  CHECK(html_of(one_panel(Axis::Scale::Log, not_positive)) == html_of(one_panel(Axis::Scale::Log, plain)));
}

TEST_CASE("figure: no point, one point and equal points still make axes") {
  for (const auto scale : {Axis::Scale::Linear, Axis::Scale::Log}) {
    for (const auto& points : {std::vector<Point>{}, {{7, 3}}, {{7, 3}, {7, 3}}}) {
      const std::string html = html_of(one_panel(scale, points));
      CHECK(html.find("nan") == std::string::npos);
      CHECK(html.find("inf") == std::string::npos);
      CHECK(html.find("<svg") != std::string::npos);
    }
  }
  CHECK(html_of(Figure{}).empty());
}

TEST_CASE("figure: a legend wider than its figure continues on further lines") {
  Figure figure = one_panel(Axis::Scale::Linear, {{1, 2}, {3, 5}});
  for (std::size_t style = 1; style < 6; ++style) {
    figure.legend.push_back("precision" + std::to_string(style));
    Series series = figure.panels[0].series[0];
    series.style = style;
    figure.panels[0].series.push_back(series);
  }
  const std::string html = html_of(figure);
  const auto number_after = [&](std::string_view mark, std::size_t from) {
    const std::size_t at = html.find(mark, from);
    REQUIRE(at != std::string::npos);
    return std::stod(html.substr(at + mark.size()));
  };
  const double width = number_after("viewBox=\"0 0 ", 0);
  int labels = 0;
  for (std::size_t at = html.find("<text "); at != std::string::npos; at = html.find("<text ", at + 1)) {
    const std::string element = html.substr(at, html.find("</text>", at) - at);
    if (element.find("class=\"legend\"") == std::string::npos) continue;
    const auto letters = static_cast<double>(element.size() - element.find('>') - 1);
    // 7 units are the width of a letter in the 12-unit font of the page.
    CHECK(number_after("x=\"", at) + 7.0 * letters <= width);
    ++labels;
  }
  CHECK(labels == 6);
}
