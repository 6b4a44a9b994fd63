#include "core/record/table_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "core/record/array_file.h"
#include "core/record/csv.h"
#include "core/record/hdf5_rows.h"
#include "core/record/json_lines.h"

namespace bitlaw {
namespace {

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// ".csv" of "runs.CSV.gz": the extension in lower case, without a .gz behind it.
std::string kind_of(std::filesystem::path path) {
  const auto lower_extension = [&path] {
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return extension;
  };
  if (lower_extension() == ".gz") path = path.stem();
  return lower_extension();
}

/// Of "runs.h5:/group"; no dataset is named for other files.
ArrayPlace place_in_hdf5(const std::filesystem::path& path) {
  ArrayPlace place = parse_array_place(path.string());
  if (place.kind != ArrayPlace::Kind::Hdf5) place.dataset.clear();
  return place;
}

}  // namespace

bool TableRows::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::size_t TableRows::index_of(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    throw InputError(fmt::format("{}: has no column '{}', so that input is unknown; its columns are {}", file_, name,
                                 fmt::join(names_, ", ")));
  }
  return static_cast<std::size_t>(found - names_.begin());
}

double TableRows::number(std::size_t column) const {
  const std::string& cell = cells_[column].text;
  std::string_view text = without_spaces(cell);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = std::numeric_limits<double>::quiet_NaN();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size())) {
    throw InputError(place(column),
                     fmt::format("'{}' in column '{}' is not a number a double can hold; correct or empty the cell",
                                 cell, names_[column]));
  }
  return value;
}

bool is_table(const std::filesystem::path& path) {
  if (!place_in_hdf5(path).dataset.empty()) return true;
  const std::string kind = kind_of(path);
  return kind == ".csv" || kind == ".tsv" || kind == ".jsonl" || kind == ".ndjson";
}

std::unique_ptr<TableRows> open_table(const std::filesystem::path& path) {
  if (!is_table(path)) {
    throw InputError(
        fmt::format("{}: is not named as a table, so it is not read as one; name it .csv, .tsv, .jsonl or "
                    ".ndjson, each also .gz, or write FILE.h5:/GROUP",
                    path.string()));
  }
  if (const ArrayPlace place = place_in_hdf5(path); !place.dataset.empty()) {
    return std::make_unique<Hdf5Rows>(place.file, place.dataset);
  }
  const std::string kind = kind_of(path);
  if (kind == ".jsonl" || kind == ".ndjson") return std::make_unique<JsonLines>(path);
  return std::make_unique<CsvRows>(chunks_of_file(path), path.string(), kind == ".tsv" ? '\t' : ',');
}

std::vector<std::vector<double>> read_numbers(const std::filesystem::path& path,
                                              const std::vector<std::string>& names) {
  const auto rows = open_table(path);
  std::vector<std::size_t> columns;
  for (const std::string& name : names) columns.push_back(rows->index_of(name));
  std::vector<std::vector<double>> numbers(names.size());
  while (rows->next()) {
    for (std::size_t k = 0; k < columns.size(); ++k) numbers[k].push_back(rows->number(columns[k]));
  }
  return numbers;
}

}  // namespace bitlaw
