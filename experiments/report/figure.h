#pragma once

#include <limits>
#include <string>
#include <vector>

namespace bitlaw {

/// Figures as data and their drawing as SVG: panels of one size that share both axes.

struct Axis {
  enum class Scale {
    Linear,
    Log,
    Category
  };
  std::string label;
  Scale scale = Scale::Linear;
  std::vector<std::string> categories;  ///< of Scale::Category: the names at 0, 1, 2, ...
};

struct Point {
  double x = 0, y = 0;
  double error = 0;  ///< half the length of an error bar; 0: none
};

/// What one precision shows in one panel.
struct Series {
  std::size_t style = 0;         ///< row of Figure::legend: its colour and marker
  std::vector<Point> points;     ///< markers
  std::vector<Point> line;       ///< joined by a line
  std::vector<double> diverged;  ///< x of runs without a loss: crosses at the panel's upper edge
};

struct Panel {
  std::string title;
  std::vector<Series> series;
};

struct Figure {
  std::string title;
  std::string caption;
  Axis x, y;
  std::vector<std::string> legend;  ///< name of each style; one that no panel shows is left out
  std::vector<Panel> panels;
  bool zero_line = false;  ///< a line at y = 0
};

/// A `<figure>` with inline SVG and its caption. Colours are the classes s0, s1, ... of figure_styles(). Points that an
/// axis cannot show (not finite, or not positive on a log axis) are left out.
std::string html_of(const Figure& figure);

/// CSS of the figures: a palette that colour-blind readers can tell apart (Okabe and Ito 2008, "Color universal
/// design"), in light and in dark; markers differ in shape, too.
std::string figure_styles();

}  // namespace bitlaw
