#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace bitlaw {

/// How far a set of runs has come. Work is counted in floating-point operations, since runs differ in size.
struct ProgressState {
  std::size_t runs_done = 0, runs = 0;
  double flops_done = 0, flops = 0;
  double flops_per_second = 0;  ///< 0 while unknown
};

/// "2 h 5 min", "3 min 20 s", "12 s", "0.3 s".
std::string duration_text(double seconds);

/// "[#####---------------] 12/48 runs, 27 %, 3.1 GFLOP/s, 2 min 10 s left"
std::string progress_line(const ProgressState& state);

/// Shows progress: one line that is rewritten on a terminal; elsewhere a line per finished run and now and then one of
/// progress.
class Progress {
 public:
  /// `flops`: of each run that will be trained.
  Progress(std::FILE* out, bool terminal, std::vector<double> flops);

  /// Run `i` has `flops` behind it, counted from its own beginning, also when it was resumed.
  void update(std::size_t i, double flops);
  /// Run `i` has ended; `line` says how.
  void finish(std::size_t i, const std::string& line);
  /// Something happened on the way.
  void note(const std::string& line);
  /// Ends the rewritten line.
  void close();

 private:
  double seconds() const;
  ProgressState state() const;
  void show(bool now);
  void print(const std::string& line);

  std::FILE* out_;
  bool terminal_;
  std::vector<double> total_, done_, first_;  // first_: flops at the first report, which may lie in an earlier process
  std::size_t finished_ = 0;
  double shown_ = 0;  // when [s]
  bool line_open_ = false;
  double start_ = 0;  // [s]
};

}  // namespace bitlaw
