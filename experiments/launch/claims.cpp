#include "experiments/launch/claims.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBeforeBeat = "{\"beat\": \"";

fs::path claim_path(const fs::path& run_folder) { return run_folder / "claim"; }

/// Has one width, so that it is replaced where it stands.
std::string beat_text(std::uint64_t beat, double part) {
  return fmt::format(R"({:020}","part":"{:.3f})", beat, std::clamp(part, 0.0, 1.0));
}

/// What is replaced with each beat comes first.
std::string claim_text(const ProcessName& owner, double beat_seconds, const std::string& from) {
  const nlohmann::json json{{"beat_seconds", beat_seconds}, {"host", owner.host},
                            {"space", owner.space},         {"pid", owner.pid},
                            {"start", owner.start},         {"from", from}};
  std::string rest = json.dump();
  rest.front() = ',';  // the brace
  return fmt::format("{}{}\"{}\n", kBeforeBeat, beat_text(0, 0), rest);
}

ClaimFile claim_from(const std::string& text) {
  ClaimFile claim;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    claim.owner = {
        .host = json.at("host"), .space = json.at("space"), .pid = json.at("pid"), .start = json.at("start")};
    claim.beat = json.at("beat");
    claim.beat_seconds = json.at("beat_seconds");
    claim.part = std::stod(json.at("part").get<std::string>());
    claim.from = json.at("from");
    return claim;
  } catch (const std::exception&) {  // not ours or damaged: judged by whether it changes
    claim = {};
    claim.beat = text;
    return claim;
  }
}

std::string text_or_nothing(const fs::path& path) {
  try {
    return read_file(path);
  } catch (const InputError&) {
    return "";
  }
}

std::string owner_and_beat(const ClaimFile& claim) { return word_of(claim.owner) + " " + claim.beat; }

/// What became of a claim.
enum class Hold {
  Ours,
  Replaced,
  Unknown  ///< the file system gives no answer just now
};

/// Of the claim that is open as `file`.
Hold hold_of(int file, const fs::path& run_folder) {
  struct stat opened {
  }, named{};
  if (::fstat(file, &opened) != 0) return errno == ESTALE ? Hold::Replaced : Hold::Unknown;
  if (::stat(claim_path(run_folder).c_str(), &named) != 0) {
    return errno == ENOENT ? Hold::Replaced : Hold::Unknown;
  }
  return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino ? Hold::Ours : Hold::Replaced;
}

/// A new claim file, open for its beat; -1 where there is one already.
int make_claim(const fs::path& run_folder, double beat_seconds) {
  const fs::path path = claim_path(run_folder), temporary = temporary_name(path);
  const std::string text = claim_text(this_process(), beat_seconds, checkpoint_mark(run_folder));
  const int file = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0) refuse_writing(path, system_reason());
  const auto give_up = [&, file] {
    ::close(file);
    ::unlink(temporary.c_str());
  };
  bool ours = false;
  try {
    if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file) != 0) {
      refuse_writing(path, system_reason());
    }
    ours = link_new(temporary, path);
  } catch (...) {
    give_up();
    throw;
  }
  if (!ours) {
    give_up();
    return -1;
  }
  ::unlink(temporary.c_str());
  return file;
}

/// Takes `claim` out of the way if it is still the one in the folder; of several processes, one does. Where it has been
/// replaced meanwhile, the new one is put back: should a third have come in between, its owner sees that at its next
/// beat and stops.
bool clear_away(const fs::path& run_folder, const ProcessName& owner) {
  const fs::path path = claim_path(run_folder), aside = temporary_name(path);
  std::error_code error;
  fs::rename(path, aside, error);
  if (error) return false;  // another did
  const bool right = claim_from(text_or_nothing(aside)).owner == owner;
  if (!right) fs::create_hard_link(aside, path, error);
  fs::remove(aside, error);
  return right;
}

void record_loss(const fs::path& run_folder, const ClaimFile& claim) {
  if (claim.from != checkpoint_mark(run_folder)) {
    forget_attempts(run_folder);  // it came further
    return;
  }
  const bool here = life_of(claim.owner) == Life::Dead;
  record_attempt(
      run_folder,
      {.kind = here ? FailureKind::Killed : FailureKind::HostLost,
       .message = here ? fmt::format("process {} on {} ended before it had saved anything new: killed, "
                                     "perhaps for lack of memory, or crashed",
                                     claim.owner.pid, claim.owner.host)
                       : fmt::format("process {} on {} gave no sign any more before it had saved anything new",
                                     claim.owner.pid, claim.owner.host)});
}

}  // namespace

struct Claims::Held {
  explicit Held(int opened) : file(opened) {}
  ~Held() { ::close(file); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  void raise_beat(const fs::path& run_folder) {
    const std::string text = beat_text(++beat, part);
    // One that cannot be written is one that others miss; the next may arrive.
    if (::pwrite(file, text.data(), text.size(), static_cast<off_t>(kBeforeBeat.size())) > 0) ::fsync(file);
    if (hold_of(file, run_folder) == Hold::Replaced) lost = true;
  }

  int file;
  std::uint64_t beat = 0;
  std::atomic<double> part = 0;
  std::atomic<bool> lost = false;
};

std::optional<ClaimFile> read_claim(const fs::path& run_folder) {
  const std::string text = text_or_nothing(claim_path(run_folder));
  if (text.empty() && !file_exists(claim_path(run_folder))) return std::nullopt;
  return claim_from(text);
}

std::string checkpoint_mark(const fs::path& run_folder) {
  struct stat status {};
  if (::stat((run_folder / "checkpoint").c_str(), &status) != 0) return "";
  return fmt::format("{}.{}.{:09}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

Claims::Claims(double beat_seconds, int missed_beats)
    : beat_(beat_seconds),
      missed_beats_(missed_beats),
      heart_([this](const std::stop_token& stop) { beat_until(stop); }) {}

Claims::~Claims() {
  heart_.request_stop();
  heart_.join();
  while (!held_.empty()) release(fs::path(held_.begin()->first));
}

bool Claims::take(const fs::path& run_folder) {
  if (const auto claim = read_claim(run_folder)) {
    if (!is_gone(run_folder, *claim) || !clear_away(run_folder, claim->owner)) return false;
    record_loss(run_folder, *claim);
  }
  const int file = make_claim(run_folder, beat_.count());
  if (file < 0) return false;
  remove_temporary_files(run_folder);
  const std::lock_guard lock(mutex_);
  held_[run_folder] = std::make_shared<Held>(file);
  watched_.erase(run_folder);
  return true;
}

bool Claims::holds(const fs::path& run_folder) const {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(run_folder);
  return held != held_.end() && !held->second->lost;
}

void Claims::tell_part(const fs::path& run_folder, double part) {
  const std::lock_guard lock(mutex_);
  if (const auto held = held_.find(run_folder); held != held_.end()) held->second->part = part;
}

void Claims::release(const fs::path& run_folder) {
  std::shared_ptr<Held> held;
  {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(run_folder);
    if (found == held_.end()) return;
    held = std::move(found->second);
    held_.erase(found);
  }
  const bool ours = hold_of(held->file, run_folder) == Hold::Ours;
  held.reset();  // first: NFS keeps a removed file that is open under another name
  if (ours) clear_away(run_folder, this_process());
}

bool Claims::seen_alive(const fs::path& run_folder) const {
  const auto claim = read_claim(run_folder);
  if (!claim) return false;
  if (life_of(claim->owner) == Life::Alive) return true;
  const std::lock_guard lock(mutex_);
  const auto watched = watched_.find(run_folder);
  return watched != watched_.end() && watched->second.changed;
}

bool Claims::is_gone(const fs::path& run_folder, const ClaimFile& claim) {
  const Life life = life_of(claim.owner);
  if (life != Life::Unknown) return life == Life::Dead;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const auto [entry, first] = watched_.try_emplace(run_folder, Watched{.claim = owner_and_beat(claim), .since = now});
  Watched& watched = entry->second;
  if (watched.claim != owner_and_beat(claim)) watched = {.claim = owner_and_beat(claim), .since = now, .changed = true};
  return now - watched.since >
         missed_beats_ * std::chrono::duration<double>(std::max(claim.beat_seconds, beat_.count()));
}

void Claims::beat_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, stop, beat_, [&] { return stop.stop_requested(); })) {
    const auto held = held_;  // runs ask holds() after each step and shall not wait for a disk
    lock.unlock();
    for (const auto& [run_folder, claim] : held) claim->raise_beat(run_folder);
    lock.lock();
  }
}

}  // namespace bitlaw
