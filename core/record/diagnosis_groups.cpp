#include "core/record/diagnosis_groups.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace bitlaw {
namespace {

using hdf5::Group;

/// One value of each test.
template <typename T, typename Member>
std::vector<T> column(const FitDiagnosis& diagnosis, Member member) {
  std::vector<T> values;
  for (const ResidualTest& test : diagnosis.residual_tests) values.push_back(test.*member);
  return values;
}

void check(const Group& group, bool whole) {
  if (!whole)
    throw InputError(
        fmt::format("{}: has a diagnosis of unequal length, so it is corrupt; restore it or fit again", group.place()));
}

}  // namespace

void write_diagnosis(const Group& group, const FitRecord& fit) {
  const FitDiagnosis& diagnosis = fit.diagnosis;
  if (!diagnosis.singular_values.empty()) {
    group.add_dimension("direction", static_cast<std::int64_t>(diagnosis.singular_values.size()));
    group.write<double>("singular_values", diagnosis.singular_values, {"direction"},
                        {"singular value of the scaled Jacobian over the largest"});
    group.write<double>("directions", diagnosis.directions, {"direction", "param"},
                        {"its direction: the last is what the data decide least"});
  }
  if (!diagnosis.leverage.empty()) {
    group.write<double>("leverage", diagnosis.leverage, {"obs"},
                        {"share of its prediction that an observation decides"});
    group.write<double>("cook", diagnosis.cook, {"obs"}, {"Cook's distance"});
  }
  if (!diagnosis.residual_tests.empty()) {
    group.add_dimension("test", static_cast<std::int64_t>(diagnosis.residual_tests.size()));
    group.write<std::string>("residual_test_against", column<std::string>(diagnosis, &ResidualTest::against), {"test"},
                             {"what residuals are tested against"});
    group.write<std::string>("residual_test_pattern", column<std::string>(diagnosis, &ResidualTest::pattern), {"test"},
                             {"trend, bend or groups"});
    group.write<double>("residual_test_statistic", column<double>(diagnosis, &ResidualTest::statistic), {"test"},
                        {"rank correlation; of groups Kruskal and Wallis' H"});
    group.write<double>("residual_test_probability", column<double>(diagnosis, &ResidualTest::probability), {"test"},
                        {"probability of one as strong by chance"});
  }
  if (!diagnosis.left_out.empty()) {
    group.add_coordinate<std::string>("left_out", diagnosis.left_out, {"run left out"});
    group.write<double>("shifts", diagnosis.shifts, {"left_out", "param"},
                        {"change of the estimate without the run, in standard errors"});
  }
}

void read_diagnosis(const Group& group, FitRecord& fit) {
  FitDiagnosis& diagnosis = fit.diagnosis;
  const std::size_t count = fit.parameters.size();
  if (group.contains("singular_values")) {
    diagnosis.singular_values = group.read<double>("singular_values");
    diagnosis.directions = group.read<double>("directions");
    check(group, diagnosis.directions.size() == diagnosis.singular_values.size() * count);
  }
  if (group.contains("leverage")) {
    diagnosis.leverage = group.read<double>("leverage");
    diagnosis.cook = group.read<double>("cook");
    check(group, diagnosis.cook.size() == diagnosis.leverage.size());
  }
  if (group.contains("residual_test_against")) {
    const auto against = group.read<std::string>("residual_test_against"),
               pattern = group.read<std::string>("residual_test_pattern");
    const auto statistic = group.read<double>("residual_test_statistic"),
               probability = group.read<double>("residual_test_probability");
    const std::size_t tests = against.size();
    check(group, pattern.size() == tests && statistic.size() == tests && probability.size() == tests);
    for (std::size_t i = 0; i < tests; ++i) {
      diagnosis.residual_tests.push_back({against[i], pattern[i], statistic[i], probability[i]});
    }
  }
  if (group.contains("left_out")) {
    diagnosis.left_out = group.read<std::string>("left_out");
    diagnosis.shifts = group.read<double>("shifts");
    check(group, diagnosis.shifts.size() == diagnosis.left_out.size() * count);
  }
}

}  // namespace bitlaw
