#include "experiments/report/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/report/table.h"
#include "experiments/report/ticks.h"

namespace bitlaw {
namespace {

constexpr double kPanelWidth = 250, kPanelHeight = 210;  ///< of the plotting area [px]
constexpr double kLeft = 66, kGap = 22, kTop = 30, kBottom = 56, kLegendLine = 18;
constexpr std::size_t kColumns = 4, kStyles = 8;

/// Maps values of an axis to [0, 1].
class Range {
 public:
  explicit Range(const Axis& axis) : axis_(axis) {}

  bool shows(double value) const { return std::isfinite(value) && (axis_.scale != Axis::Scale::Log || value > 0); }
  void include(double value) {
    if (!shows(value)) return;
    low_ = std::min(low_, coordinate(value));
    high_ = std::max(high_, coordinate(value));
  }
  /// Room around the values; a range where there was none or a single value.
  void widen() {
    if (axis_.scale == Axis::Scale::Category) {
      low_ = -0.5, high_ = static_cast<double>(axis_.categories.size()) - 0.5;
      return;
    }
    if (!(low_ <= high_)) low_ = high_ = 0;
    double margin = 0.06 * (high_ - low_);
    if (margin == 0) margin = axis_.scale == Axis::Scale::Log ? 0.1 : std::max(0.1 * std::abs(high_), 1e-3);
    low_ -= margin, high_ += margin;
  }
  double fraction(double value) const { return (coordinate(value) - low_) / (high_ - low_); }
  std::vector<Tick> ticks(int count) const {
    if (axis_.scale == Axis::Scale::Linear) return linear_ticks(low_, high_, count);
    if (axis_.scale == Axis::Scale::Log) return log_ticks(std::pow(10.0, low_), std::pow(10.0, high_), count);
    std::vector<Tick> ticks;
    for (const std::string& name : axis_.categories) ticks.push_back({static_cast<double>(ticks.size()), name});
    return ticks;
  }

 private:
  double coordinate(double value) const { return axis_.scale == Axis::Scale::Log ? std::log10(value) : value; }
  const Axis& axis_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

constexpr std::array<const char*, kStyles> kLight{"#333333", "#0072b2", "#d55e00", "#009e73",
                                                  "#cc79a7", "#b88600", "#56b4e9", "#7a5195"};
constexpr std::array<const char*, kStyles> kDark{"#e6e6e6", "#56b4e9", "#ff8c42", "#2fcf9f",
                                                 "#e7a0c9", "#f0c040", "#9ad7ff", "#b79ad6"};

struct Look {
  std::string_view kind, attributes;
};
/// Each figure carries its look in light colours, so that it can be taken out of the page; figure_styles() has the
/// dark.
constexpr std::array kLooks{
    Look{"frame", R"(fill="none" stroke="#d9dbe0")"},
    Look{"grid", R"(stroke="#d9dbe0" stroke-width="0.5")"},
    Look{"zero", R"(stroke="#5f6470" stroke-dasharray="4 3")"},
    Look{"curve", R"(fill="none" stroke-width="1.6" stroke-linejoin="round")"},
    Look{"bar", R"(stroke-width="1.6")"},
    Look{"mark", R"(fill-opacity="0.25" stroke-width="1.5")"},
    Look{"title", R"(fill="#1b1b1f" font-weight="600")"},
    Look{"legend", R"(fill="#1b1b1f")"},
    Look{"label", R"(fill="#5f6470")"},
    Look{"tick", R"(fill="#5f6470")"},
};

std::string look_of(std::string_view kind) {
  const auto* const look = std::find_if(kLooks.begin(), kLooks.end(), [&](const Look& l) { return l.kind == kind; });
  return fmt::format(R"(class="{}" {})", kind, look->attributes);
}

/// The look of a curve, an error bar or a mark of a style.
std::string look_of(std::string_view kind, std::size_t style) {
  const char* const colour = kLight[style];
  const std::string fill = kind == "mark" ? fmt::format(R"( fill="{}")", colour) : "";
  std::string look = look_of(kind);
  look.insert(look.find('"', look.find('"') + 1), fmt::format(" s{}", style));
  return fmt::format(R"({} stroke="{}"{})", look, colour, fill);
}

enum class Anchor {
  Start,
  Middle,
  End
};
constexpr std::string_view to_text(Anchor anchor) {
  return anchor == Anchor::Start ? "start" : anchor == Anchor::Middle ? "middle" : "end";
}

std::string text_at(double x, double y, std::string_view kind, std::string_view text, Anchor anchor = Anchor::Start) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {} text-anchor=\"{}\">{}</text>\n", x, y, look_of(kind),
                     to_text(anchor), escape_html(text));
}

std::string line_between(double x1, double y1, double x2, double y2, std::string_view look) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, look);
}

std::string polygon(double x, double y, std::size_t style, std::initializer_list<std::array<double, 2>> corners) {
  std::string points;
  for (const auto& corner : corners) points += fmt::format("{:.1f},{:.1f} ", x + corner[0], y + corner[1]);
  return fmt::format("<polygon points=\"{}\" {}/>\n", points, look_of("mark", style));
}

/// One shape per style: circle, square, triangle, diamond, then the first again with the other colours.
std::string marker(double x, double y, std::size_t style) {
  switch (style % 4) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" {}/>\n", x, y, look_of("mark", style));
    case 1:
      return polygon(x, y, style, {{-3.6, -3.6}, {3.6, -3.6}, {3.6, 3.6}, {-3.6, 3.6}});
    case 2:
      return polygon(x, y, style, {{0, -4.8}, {4.5, 3.4}, {-4.5, 3.4}});
    default:
      return polygon(x, y, style, {{0, -5}, {5, 0}, {0, 5}, {-5, 0}});
  }
}

/// Draws panels into a common pair of axes.
class Drawing {
 public:
  explicit Drawing(const Figure& figure) : figure_(figure), x_(figure.x), y_(figure.y) {
    for (const Panel& panel : figure.panels) {
      for (const Series& series : panel.series) include(series);
    }
    if (figure.zero_line) y_.include(0);
    x_.widen();
    y_.widen();
  }

  std::string svg() const {
    const std::size_t columns = std::min(kColumns, figure_.panels.size());
    const std::size_t rows = (figure_.panels.size() + columns - 1) / columns;
    const double width = kLeft + static_cast<double>(columns) * (kPanelWidth + kGap);
    const auto entries = legend_entries(width);
    const double legend_height = (entries.empty() ? 14 : entries.back().y) + kLegendLine;
    const double height = legend_height + static_cast<double>(rows) * (kTop + kPanelHeight + kBottom);
    std::string text = fmt::format(
        "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" style=\"max-width:{0:.0f}px\" font-family=\"system-ui, sans-serif\" "
        "font-size=\"12\" role=\"img\" aria-label=\"{2}\">\n",
        width, height, escape_html(figure_.title));
    text += legend(entries);
    for (std::size_t i = 0; i < figure_.panels.size(); ++i) {
      const double left = kLeft + static_cast<double>(i % columns) * (kPanelWidth + kGap);
      const double top = legend_height + kTop + static_cast<double>(i / columns) * (kTop + kPanelHeight + kBottom);
      text += panel(figure_.panels[i], left, top, i % columns == 0);
    }
    return text + "</svg>\n";
  }

 private:
  void include(const Series& series) {
    for (const auto* points : {&series.points, &series.line}) {
      for (const Point& point : *points) {
        x_.include(point.x);
        y_.include(point.y);
        if (point.error > 0) y_.include(point.y - point.error), y_.include(point.y + point.error);
      }
    }
    for (const double x : series.diverged) x_.include(x);
  }

  bool shown(std::size_t style) const {
    for (const Panel& panel : figure_.panels) {
      for (const Series& series : panel.series) {
        const bool empty = series.points.empty() && series.line.empty() && series.diverged.empty();
        if (series.style == style && !empty) return true;
      }
    }
    return false;
  }

  struct LegendEntry {
    std::size_t style;
    double x, y;
  };

  /// Entries side by side, in as many lines as the width asks for.
  std::vector<LegendEntry> legend_entries(double width) const {
    std::vector<LegendEntry> entries;
    double x = kLeft, y = 14;
    for (std::size_t style = 0; style < figure_.legend.size(); ++style) {
      if (!shown(style)) continue;
      const double length = 52 + 7.2 * static_cast<double>(figure_.legend[style].size());
      if (x > kLeft && x + length > width) x = kLeft, y += kLegendLine;
      entries.push_back({style, x, y});
      x += length;
    }
    return entries;
  }

  std::string legend(const std::vector<LegendEntry>& entries) const {
    std::string text;
    for (const auto& [style, x, y] : entries) {
      text += line_between(x, y, x + 22, y, look_of("curve", style % kStyles));
      text += marker(x + 11, y, style % kStyles);
      text += text_at(x + 29, y + 4, "legend", figure_.legend[style]);
    }
    return text;
  }

  std::string axes(double left, double top, bool first_column) const {
    const double bottom = top + kPanelHeight, right = left + kPanelWidth;
    std::string text = fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "{}/>\n",
        left, top, kPanelWidth, kPanelHeight, look_of("frame"));
    for (const Tick& tick : x_.ticks(5)) {
      const double x = left + kPanelWidth * x_.fraction(tick.value);
      text += line_between(x, top, x, bottom, look_of("grid")) +
              text_at(x, bottom + 17, "tick", tick.label, Anchor::Middle);
    }
    for (const Tick& tick : y_.ticks(5)) {
      const double y = bottom - kPanelHeight * y_.fraction(tick.value);
      text += line_between(left, y, right, y, look_of("grid"));
      if (first_column) text += text_at(left - 8, y + 4, "tick", tick.label, Anchor::End);
    }
    if (figure_.zero_line) {
      const double y = bottom - kPanelHeight * y_.fraction(0);
      text += line_between(left, y, right, y, look_of("zero"));
    }
    text += text_at((left + right) / 2, bottom + 38, "label", figure_.x.label, Anchor::Middle);
    if (first_column) {
      text +=
          fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" {} text-anchor=\"middle\">{}</text>\n",
                      left - 50, (top + bottom) / 2, look_of("label"), escape_html(figure_.y.label));
    }
    return text;
  }

  std::string panel(const Panel& panel, double left, double top, bool first_column) const {
    std::string text = axes(left, top, first_column) + text_at(left, top - 9, "title", panel.title);
    for (const Series& series : panel.series) text += curve(series, left, top);
    for (const Series& series : panel.series) text += marks(series, left, top);
    return text;
  }

  std::string curve(const Series& series, double left, double top) const {
    std::string points;
    for (const Point& point : series.line) {
      if (!x_.shows(point.x) || !y_.shows(point.y)) continue;
      points += fmt::format("{:.1f},{:.1f} ", left + kPanelWidth * x_.fraction(point.x),
                            top + kPanelHeight * (1 - y_.fraction(point.y)));
    }
    if (points.empty()) return "";
    return fmt::format("<polyline points=\"{}\" {}/>\n", points, look_of("curve", series.style % kStyles));
  }

  std::string marks(const Series& series, double left, double top) const {
    std::string text;
    const std::size_t style = series.style % kStyles;
    for (const Point& point : series.points) {
      if (!x_.shows(point.x) || !y_.shows(point.y)) continue;
      const double x = left + kPanelWidth * x_.fraction(point.x);
      const double y = top + kPanelHeight * (1 - y_.fraction(point.y));
      if (point.error > 0 && y_.shows(point.y - point.error)) {
        const double reach = kPanelHeight * (y_.fraction(point.y) - y_.fraction(point.y - point.error));
        text += line_between(x, y - reach, x, y + reach, look_of("bar", style));
      }
      text += marker(x, y, style);
    }
    for (const double value : series.diverged) {
      const double x = left + kPanelWidth * x_.fraction(value);
      text += line_between(x - 4, top + 4, x + 4, top + 12, look_of("bar", style));
      text += line_between(x - 4, top + 12, x + 4, top + 4, look_of("bar", style));
    }
    return text;
  }

  const Figure& figure_;
  Range x_, y_;
};

}  // namespace

std::string html_of(const Figure& figure) {
  if (figure.panels.empty()) return "";
  return fmt::format("<figure>\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n</figure>\n", escape_html(figure.title),
                     Drawing(figure).svg(), escape_html(figure.caption));
}

std::string figure_styles() {
  std::string dark;
  for (std::size_t i = 0; i < kStyles; ++i) {
    dark += fmt::format("svg .s{0} {{ stroke: {1}; }}\nsvg .mark.s{0} {{ fill: {1}; }}\n", i, kDark[i]);
  }
  return "svg { width: 100%; height: auto; }\n@media (prefers-color-scheme: dark) {\n" + dark +
         R"(svg text { fill: var(--ink); }
svg .label, svg .tick { fill: var(--muted); }
svg .frame, svg .grid { stroke: var(--rule); }
svg .zero { stroke: var(--muted); }
}
)";
}

}  // namespace bitlaw
