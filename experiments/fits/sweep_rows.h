#pragma once

#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "core/record/table_rows.h"

namespace bitlaw {

/// The runs of a sweep file as the rows of a table: the scalars of a run under the names they have in /runs, then its
/// configuration keys. A run without a key has an empty cell there; `task` is language_model.
class SweepRows final : public TableRows {
 public:
  /// `runs` must outlive the table.
  SweepRows(const std::vector<RunRecord>& runs, std::string file);

  bool next() override;

 private:
  const std::vector<RunRecord>* runs_;
  std::size_t fields_ = 0;  ///< of the names, those that are scalars of a run
  std::size_t next_ = 0;
};

}  // namespace bitlaw
