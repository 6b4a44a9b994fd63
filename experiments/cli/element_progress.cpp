#include "experiments/cli/element_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "experiments/launch/progress.h"

namespace bitlaw {
namespace {

constexpr int kBarWidth = 20;
constexpr double kQuietSeconds = 1;      // short work shows nothing
constexpr double kRefreshSeconds = 0.2;  // between two pictures

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::string element_progress_line(std::int64_t done, std::int64_t all, double seconds) {
  const double part = all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 1.0;
  const double rate = static_cast<double>(done) / std::max(seconds, 1e-9);
  const auto filled = static_cast<std::size_t>(std::floor(part * kBarWidth));
  return fmt::format("[{}{}] {:.0f} %, {:.3g} M elements/s, {} left", std::string(filled, '#'),
                     std::string(kBarWidth - filled, '-'), std::floor(100 * part), rate * 1e-6,
                     duration_text(static_cast<double>(all - done) / std::max(rate, 1e-9)));
}

ElementProgress::ElementProgress(std::FILE* out, bool terminal)
    : out_(out), terminal_(terminal), start_(now()), shown_(start_ + kQuietSeconds - kRefreshSeconds) {}

ElementProgress::~ElementProgress() {
  if (!line_open_) return;
  std::fputs("\r\033[K", out_);
  std::fflush(out_);
}

void ElementProgress::update(std::int64_t done, std::int64_t all) {
  if (!terminal_ || now() - shown_ < kRefreshSeconds) return;
  shown_ = now();
  fmt::print(out_, "\r{}\033[K", element_progress_line(done, all, shown_ - start_));
  std::fflush(out_);
  line_open_ = true;
}

}  // namespace bitlaw
