#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

/// A table that both reports show. Every row has as many cells as the header.
struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> notes;  ///< sentences under the table
};

/// Columns padded to equal width; the first `text_columns` to the left, the others to the right.
std::string text_of(const Table& table, std::size_t text_columns = 1);

/// A `<table>` with its title as caption.
std::string html_of(const Table& table, std::size_t text_columns = 1);

/// & < > " ' as entities, control characters as spaces: safe in HTML text and attributes.
std::string escape_html(std::string_view text);

}  // namespace bitlaw
