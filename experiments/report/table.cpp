#include "experiments/report/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/check.h"

namespace bitlaw {
namespace {

/// Code points of a UTF-8 text: its width on a terminal for the letters that reports use.
std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (const std::string& name : table.header) widths.push_back(display_width(name));
  for (const auto& row : table.rows) {
    BITLAW_CHECK(row.size() == widths.size(), "a row of {} cells under {} names", row.size(), widths.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  return widths;
}

std::string text_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                     std::size_t text_columns) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - display_width(cells[i]), ' ');
    line += "  ";
    line += i < text_columns ? cells[i] + padding : padding + cells[i];
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string html_row(const std::vector<std::string>& cells, const char* tag, std::size_t text_columns) {
  std::string row = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row +=
        fmt::format("<{0} class=\"{1}\">{2}</{0}>", tag, i < text_columns ? "text" : "number", escape_html(cells[i]));
  }
  return row + "</tr>\n";
}

}  // namespace

std::string text_of(const Table& table, std::size_t text_columns) {
  const auto widths = column_widths(table);
  std::string text = table.title + "\n" + text_row(table.header, widths, text_columns);
  for (const auto& row : table.rows) text += text_row(row, widths, text_columns);
  for (const std::string& note : table.notes) text += "  " + note + "\n";
  return text;
}

std::string html_of(const Table& table, std::size_t text_columns) {
  std::string html = fmt::format("<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead>{}</thead>\n<tbody>\n",
                                 escape_html(table.title), html_row(table.header, "th", text_columns));
  for (const auto& row : table.rows) html += html_row(row, "td", text_columns);
  html += "</tbody></table></div>\n";
  for (const std::string& note : table.notes) html += fmt::format("<p class=\"note\">{}</p>\n", escape_html(note));
  return html;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < ' ' && c != '\n' ? ' ' : c;
    }
  }
  return escaped;
}

}  // namespace bitlaw
