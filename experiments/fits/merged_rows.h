#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "experiments/fits/fit_rows.h"

namespace bitlaw {

/// Over some rows of a column.
inline double mean_of(const std::vector<double>& column, const std::vector<std::size_t>& rows) {
  double sum = 0;
  for (const std::size_t row : rows) sum += column[row];
  return sum / static_cast<double>(rows.size());
}

/// Each list of rows becomes its last one, with the loss that `loss_of` makes and the mean weight. Where a list has
/// several formats, no row's is known any more.
template <typename LossOf>
void merge_rows(FitRows& rows, const std::vector<std::vector<std::size_t>>& lists, const LossOf& loss_of) {
  std::vector<std::size_t> last;
  std::vector<double> loss, weight;
  for (const auto& list : lists) {
    last.push_back(list.back());
    loss.push_back(loss_of(list));
    if (!rows.weight.empty()) weight.push_back(mean_of(rows.weight, list));
    if (std::any_of(list.begin(), list.end(), [&](std::size_t row) {
          return !rows.format.empty() && rows.format[row] != rows.format[list.back()];
        })) {
      rows.format.clear();
    }
  }
  rows.keep(last);
  rows.loss = std::move(loss);
  rows.weight = std::move(weight);
}

}  // namespace bitlaw
