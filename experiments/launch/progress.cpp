#include "experiments/launch/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

namespace bitlaw {
namespace {

constexpr int kBarWidth = 20;
constexpr double kTerminalSeconds = 0.2;  // between two pictures of the bar
constexpr double kLogSeconds = 10;        // between two lines elsewhere

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", std::max(0.0, seconds));
  const std::int64_t s = std::llround(seconds);
  if (s >= 3600) return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
  if (s >= 60) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} s", s);
}

std::string progress_line(const ProgressState& state) {
  const double part = state.flops > 0 ? std::clamp(state.flops_done / state.flops, 0.0, 1.0) : 1.0;
  const auto filled = static_cast<std::size_t>(std::floor(part * kBarWidth));
  std::string line =
      fmt::format("[{}{}] {}/{} runs, {:.0f} %", std::string(filled, '#'), std::string(kBarWidth - filled, '-'),
                  state.runs_done, state.runs, std::floor(100 * part));
  if (state.flops_per_second > 0) {
    line += fmt::format(", {:.3g} GFLOP/s, {} left", state.flops_per_second * 1e-9,
                        duration_text((state.flops - state.flops_done) / state.flops_per_second));
  }
  return line;
}

Progress::Progress(std::FILE* out, bool terminal, std::vector<double> flops)
    : out_(out),
      terminal_(terminal),
      total_(std::move(flops)),
      done_(total_.size(), 0.0),
      first_(total_.size(), -1.0),
      start_(now()) {}

double Progress::seconds() const { return now() - start_; }

ProgressState Progress::state() const {
  ProgressState state{.runs_done = finished_,
                      .runs = total_.size(),
                      .flops_done = std::accumulate(done_.begin(), done_.end(), 0.0),
                      .flops = std::accumulate(total_.begin(), total_.end(), 0.0),
                      .flops_per_second = 0};
  double earlier = 0;
  for (const double flops : first_) earlier += std::max(0.0, flops);
  if (seconds() > 0) state.flops_per_second = std::max(0.0, state.flops_done - earlier) / seconds();
  return state;
}

void Progress::print(const std::string& line) {
  if (line_open_) std::fputs("\r\033[K", out_);
  line_open_ = false;
  fmt::print(out_, "{}\n", line);
  std::fflush(out_);
}

void Progress::show(bool at_once) {
  const double interval = terminal_ ? kTerminalSeconds : kLogSeconds;
  if (!at_once && seconds() - shown_ < interval) return;
  shown_ = seconds();
  if (!terminal_) {
    print(progress_line(state()));
    return;
  }
  fmt::print(out_, "\r{}\033[K", progress_line(state()));
  std::fflush(out_);
  line_open_ = true;
}

void Progress::update(std::size_t i, double flops) {
  done_[i] = flops;
  if (first_[i] < 0) first_[i] = flops;
  show(false);
}

void Progress::finish(std::size_t i, const std::string& line) {
  done_[i] = total_[i];  // a diverged run leaves the rest of its work undone
  ++finished_;
  print(fmt::format("{}/{} {}", finished_, total_.size(), line));
  if (terminal_) show(true);
}

void Progress::note(const std::string& line) {
  print(line);
  if (terminal_) show(true);
}

void Progress::close() {
  if (line_open_) std::fputs("\n", out_);
  line_open_ = false;
  std::fflush(out_);
}

}  // namespace bitlaw
