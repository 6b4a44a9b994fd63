#include "experiments/cli/element_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "experiments/launch/progress.h"

namespace bitlaw {
namespace {

constexpr int kElementBar = 20;
constexpr double kQuietSeconds = 1;      // short work shows nothing
constexpr double kRefreshSeconds = 0.2;  // between two pictures

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

namespace {

double share(std::int64_t done, std::int64_t all) {
  return all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 1.0;
}

/// "[#####---------------]"
std::string bar(double part) {
  const auto filled = static_cast<std::size_t>(std::floor(part * kElementBar));
  return fmt::format("[{}{}]", std::string(filled, '#'), std::string(kElementBar - filled, '-'));
}

double rate_of(std::int64_t done, double seconds) { return static_cast<double>(done) / std::max(seconds, 1e-9); }

/// "12 s left"
std::string left(std::int64_t done, std::int64_t all, double seconds) {
  return duration_text(static_cast<double>(all - done) / std::max(rate_of(done, seconds), 1e-9)) + " left";
}

}  // namespace

std::string element_progress_line(std::int64_t done, std::int64_t all, double seconds) {
  const double part = share(done, all);
  return fmt::format("{} {:.0f} %, {:.3g} M elements/s, {}", bar(part), std::floor(100 * part),
                     rate_of(done, seconds) * 1e-6, left(done, all, seconds));
}

std::string item_progress_line(std::int64_t done, std::int64_t all, double seconds) {
  return fmt::format("{} {}/{}, {}", bar(share(done, all)), done, all, left(done, all, seconds));
}

ElementProgress::ElementProgress(std::FILE* out, bool terminal, Line line)
    : out_(out),
      line_(line),
      terminal_(terminal),
      start_(seconds_now()),
      shown_(start_ + kQuietSeconds - kRefreshSeconds) {}

ElementProgress::~ElementProgress() {
  if (!line_open_) return;
  std::fputs("\r\033[K", out_);
  std::fflush(out_);
}

void ElementProgress::update(std::int64_t done, std::int64_t all) {
  if (!terminal_ || seconds_now() - shown_ < kRefreshSeconds) return;
  shown_ = seconds_now();
  fmt::print(out_, "\r{}\033[K", line_(done, all, shown_ - start_));
  std::fflush(out_);
  line_open_ = true;
}

}  // namespace bitlaw
