#include "core/record/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace bitlaw {
namespace {

using nlohmann::ordered_json;

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

ordered_json object_in(const TextLines& lines, const std::string& file) {
  try {
    ordered_json object = ordered_json::parse(lines.line());
    if (object.is_object()) return object;
  } catch (const nlohmann::json::parse_error& error) {
    throw InputError({file, lines.number(), static_cast<int>(error.byte)},
                     "the line is no JSON here, so its row is lost; write one object a line (null for a missing "
                     "number, not NaN)");
  }
  throw InputError({file, lines.number(), 1},
                   "the line is no JSON object, so it has no columns; write {\"name\": value, ...}");
}

/// Calls visit(name, value) for each member, those of objects inside with the outer name and a dot before theirs.
template <typename Visit>
void for_each_member(const ordered_json& object, const std::string& prefix, const Visit& visit) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      for_each_member(value, prefix + name + ".", visit);
    } else {
      visit(prefix + name, value);
    }
  }
}

std::string text_of(const ordered_json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

bool TextLines::next() {
  line_.clear();
  ++number_;
  while (true) {
    if (chunk_.empty()) chunk_ = chunks_();
    if (chunk_.empty()) return !line_.empty();
    const auto end = chunk_.find('\n');
    line_.append(chunk_.substr(0, end));
    if (end != std::string_view::npos) {
      chunk_.remove_prefix(end + 1);
      return true;
    }
    chunk_ = {};
  }
}

JsonLines::JsonLines(const std::filesystem::path& path) : TableRows(path.string()), lines_(chunks_of_file(path)) {
  TextLines first_pass(chunks_of_file(path));
  while (first_pass.next()) {
    if (is_blank(first_pass.line())) continue;
    for_each_member(object_in(first_pass, file_), "", [this](const std::string& name, const ordered_json&) {
      if (!contains(name)) names_.push_back(name);
    });
  }
  if (names_.empty()) {
    throw InputError(fmt::format("{}: has no objects, so there is nothing to read; write one a line", file_));
  }
  cells_.resize(names_.size());
}

bool JsonLines::next() {
  do {
    if (!lines_.next()) return false;
  } while (is_blank(lines_.line()));
  for (Cell& cell : cells_) cell = {"", lines_.number(), 1};
  for_each_member(object_in(lines_, file_), "", [this](const std::string& name, const ordered_json& value) {
    cells_[index_of(name)].text = text_of(value);
  });
  return true;
}

}  // namespace bitlaw
