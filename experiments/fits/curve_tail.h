#pragma once

#include <cstddef>
#include <string>

namespace bitlaw {

struct FitRows;

/// The end of a run's rows that --tail asks for.
class CurveTail {
 public:
  /// "20" or "10%" of the rows; InputError for another text.
  explicit CurveTail(const std::string& text);

  /// In words: "20 rows" or "10%".
  std::string description() const { return percent_ ? text_ : text_ + " rows"; }

  /// How many of a run's `rows` rows, at least one.
  std::size_t length(std::size_t rows) const;

  /// Leaves out the rows that lie before the tail of their run by the rows read so far, and counts them in
  /// FitRows::earlier: with more rows a tail begins later, never earlier. Until the rest has doubled there is room.
  void drop_earlier(FitRows& rows) const;

  /// Each run becomes its last row, with the mean loss and weight of its tail; a note says so.
  void average(FitRows& rows) const;

 private:
  std::string text_;
  bool percent_ = false;
  double amount_ = 0;
};

}  // namespace bitlaw
