#pragma once

#include <filesystem>
#include <string>

#include "core/record/table_rows.h"
#include "core/record/text_chunks.h"

namespace bitlaw {

/// The lines of a text, one at a time, counted from 1.
class TextLines {
 public:
  explicit TextLines(TextChunks chunks) : chunks_(std::move(chunks)) {}
  /// False at the end.
  bool next();
  const std::string& line() const { return line_; }
  int number() const { return number_; }

 private:
  TextChunks chunks_;
  std::string_view chunk_;
  std::string line_;
  int number_ = 0;
};

/// A table with one JSON object a line; blank lines are skipped. The file is read twice: first for the names of all
/// members, in the order in which they come.
class JsonLines final : public TableRows {
 public:
  explicit JsonLines(const std::filesystem::path& path);

  /// InputError with line and column where a line is no object.
  bool next() override;

 private:
  TextLines lines_;
};

}  // namespace bitlaw
