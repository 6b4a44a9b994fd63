#include "experiments/fits/curve_tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "experiments/fits/fit_rows.h"
#include "experiments/fits/merged_rows.h"
#include "experiments/sweep/yaml_node.h"

namespace bitlaw {
namespace {

/// Runs in the order in which they were met.
std::vector<std::vector<std::size_t>> rows_by_run(const FitRows& rows) {
  std::map<std::int32_t, std::vector<std::size_t>> runs;
  for (std::size_t i = 0; i < rows.size(); ++i) runs[rows.run[i]].push_back(i);
  std::vector<std::vector<std::size_t>> lists;
  for (auto& [run, list] : runs) lists.push_back(std::move(list));
  return lists;
}

/// Rows of the run of row i that are left out already.
std::size_t& earlier_than(FitRows& rows, std::size_t i) {
  const auto run = static_cast<std::size_t>(rows.run[i]);
  if (rows.earlier.size() <= run) rows.earlier.resize(run + 1);
  return rows.earlier[run];
}

}  // namespace

CurveTail::CurveTail(const std::string& text) : text_(text), percent_(text.ends_with('%')) {
  if (!parses_as_number(percent_ ? text.substr(0, text.size() - 1) : text, amount_) || !(amount_ > 0) ||
      (percent_ && amount_ > 100)) {
    throw InputError(
        fmt::format("--tail {}: is neither a number of rows nor a share of them, so no mean can be taken; "
                    "write for example --tail 20 or --tail 10%",
                    text));
  }
}

std::size_t CurveTail::length(std::size_t rows) const {
  const auto size = static_cast<double>(rows);
  return static_cast<std::size_t>(std::clamp(percent_ ? std::ceil(size * amount_ / 100) : amount_, 1.0, size));
}

void CurveTail::drop_earlier(FitRows& rows) const {
  std::vector<std::size_t> kept;
  for (const std::vector<std::size_t>& list : rows_by_run(rows)) {
    std::size_t& earlier = earlier_than(rows, list.front());
    const std::size_t count = std::min(length(list.size() + earlier), list.size());
    earlier += list.size() - count;
    kept.insert(kept.end(), list.end() - static_cast<std::ptrdiff_t>(count), list.end());
  }
  std::sort(kept.begin(), kept.end());  // the order of the files
  rows.keep(kept);
  rows.room = std::max(rows.room, 2 * kept.size());
}

void CurveTail::average(FitRows& rows) const {
  drop_earlier(rows);
  const auto lists = rows_by_run(rows);
  std::size_t count = rows.size();
  for (const std::size_t earlier : rows.earlier) count += earlier;
  rows.notes.push_back(fmt::format("{} rows of {} runs: the mean loss over the last {} of each was taken", count,
                                   lists.size(), description()));
  merge_rows(rows, lists, [&](const auto& list) { return mean_of(rows.loss, list); });
}

}  // namespace bitlaw
