#include "experiments/launch/doctor.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/file.h"
#include "core/base/process.h"
#include "core/record/run_json.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/claims.h"
#include "experiments/launch/experiment_runner.h"
#include "experiments/launch/plan_file.h"
#include "simulators/train/checkpoint.h"
#include "tests/experiments/launch/toy_runs.h"
#include "tests/support/message_of.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

/// Four finished runs with their sweep file.
class FinishedSweep {
 public:
  FinishedSweep() : runs_(four_runs()) { run_experiment(runs_, folder_.path(), "bitlaw run x.yaml", quiet(trainer_)); }

  const TemporaryFolder& folder() const { return folder_; }
  const std::string& id(std::size_t i) const { return runs_.runs[i].id; }
  fs::path of(std::size_t i, const std::string& file) const { return folder_.path() / "runs" / id(i) / file; }

  Diagnosis look(DoctorOptions options = {}) const {
    options.pause = [this](double seconds) {
      waited_ = seconds;
      while_waiting();
    };
    return examine(folder_.path(), options);
  }

  /// "kind PATH" of each finding, paths from the folder on.
  std::vector<std::string> found(const DoctorOptions& options = {}) const {
    std::vector<std::string> found;
    for (const Finding& finding : look(options).findings) {
      const bool inside = finding.trouble == Trouble::DamagedSweepFile;
      CHECK(finding.message.starts_with(finding.path.string() + (inside ? ":" : ": ")));
      found.push_back(fmt::format("{} {}", name_of(finding.trouble, kTroubleNames),
                                  finding.path.lexically_relative(folder_.path()).string()));
    }
    return found;
  }
  std::string in(std::size_t i, const std::string& file) const { return fmt::format("runs/{}/{}", id(i), file); }

  std::function<void()> while_waiting = [] {};
  double waited() const { return waited_; }

 private:
  TemporaryFolder folder_;
  Experiment runs_;
  ToyTrainer trainer_;
  mutable double waited_ = 0;
};

using Found = std::vector<std::string>;

void flip_bit(const fs::path& file, std::size_t byte) {
  std::string content = read_file(file);
  content.at(byte) = static_cast<char>(content.at(byte) ^ 1);
  write_file_atomically(file, content);
}

TrainState some_state() {
  TrainState state;
  state.step = 7;
  state.parameters = {1, 2, 3};
  state.layout = {{"w", 1, 3}};
  return state;
}

/// A process of this machine that has ended.
ProcessName dead_process() {
  ProcessName process = this_process();
  ++process.start;  // one that had this number at another time
  return process;
}

std::string claim_text(const ProcessName& owner, const std::string& beat = "1") {
  return nlohmann::json{{"beat", beat},       {"part", "0.5"},    {"beat_seconds", 2},    {"from", ""},
                        {"host", owner.host}, {"pid", owner.pid}, {"space", owner.space}, {"start", owner.start}}
      .dump();
}

const ProcessName kFar{.host = "far", .space = "0123456789abcdef", .pid = 1, .start = 7};

TEST_CASE("doctor: a finished sweep has nothing wrong, nor has one whose runs are due or in work") {
  const FinishedSweep sweep;
  CHECK(sweep.found() == Found{});
  CHECK(sweep.look().runs == 4);
  save_checkpoint(sweep.of(0, "checkpoint.step7"), sweep.id(0), some_state());
  CHECK(sweep.found() == Found{});
  const TemporaryFolder due;
  due.write(".bitlaw", "");
  fs::create_directories(due.path() / "runs" / sweep.id(1));
  save_checkpoint(due.path() / "runs" / sweep.id(1) / "checkpoint", sweep.id(1), some_state());
  write_file_atomically(due.path() / "runs" / sweep.id(1) / "claim", claim_text(this_process()));
  CHECK(examine(due.path(), {}).findings.empty());
}

TEST_CASE("doctor: results cut short, changed in one bit, or of another run") {
  const FinishedSweep sweep;
  fs::resize_file(sweep.of(0, "result.json"), 100);
  flip_bit(sweep.of(1, "result.json"), fs::file_size(sweep.of(1, "result.json")) / 2);
  fs::copy_file(sweep.of(2, "result.json"), sweep.of(3, "result.json"), fs::copy_options::overwrite_existing);
  Found expected;
  for (const std::size_t i : {0, 1, 3}) expected.push_back("damaged result " + sweep.in(i, "result.json"));
  std::sort(expected.begin(), expected.end());
  expected.emplace_back("outdated sweep file sweep.h5");
  CHECK(sweep.found() == expected);
}

TEST_CASE("doctor: checkpoints cut short, changed in one bit or of another run, also those that were kept") {
  const FinishedSweep sweep;
  for (const std::string file : {"checkpoint", "checkpoint.step7"}) {
    CAPTURE(file);
    const fs::path path = sweep.of(0, file);
    fs::remove(sweep.of(0, "result.json"));  // a checkpoint beside a result is another finding
    const Found only{"damaged checkpoint " + sweep.in(0, file), "outdated sweep file sweep.h5"};
    save_checkpoint(path, sweep.id(0), some_state());
    CHECK(sweep.found() == Found{"outdated sweep file sweep.h5"});
    flip_bit(path, fs::file_size(path) - 1);
    CHECK(sweep.found() == only);
    save_checkpoint(path, sweep.id(0), some_state());
    fs::resize_file(path, fs::file_size(path) - 4);
    CHECK(sweep.found() == only);
    save_checkpoint(path, sweep.id(1), some_state());
    CHECK(sweep.found() == only);
    fs::remove(path);
  }
}

TEST_CASE("doctor: a claim whose process has ended, and one of another host by its beat alone") {
  FinishedSweep sweep;
  fs::remove(sweep.of(0, "result.json"));
  const fs::path claim = sweep.of(0, "claim");
  const Found stale{"stale claim " + sweep.in(0, "claim"), "outdated sweep file sweep.h5"};
  write_file_atomically(claim, claim_text(dead_process()));
  CHECK(sweep.found() == stale);
  CHECK(sweep.waited() == 0);
  write_file_atomically(claim, claim_text(kFar));
  CHECK(sweep.found() == stale);
  CHECK(sweep.waited() == 6);  // three beats
  sweep.while_waiting = [&] { write_file_atomically(claim, claim_text(kFar, "2")); };
  CHECK(sweep.found() == Found{"outdated sweep file sweep.h5"});
  sweep.while_waiting = [&] { fs::remove(claim); };
  CHECK(sweep.found() == Found{"outdated sweep file sweep.h5"});
  sweep.while_waiting = [] {};
  write_file_atomically(claim, "torn");
  CHECK(sweep.found() == stale);
}

TEST_CASE("doctor: what killed processes left half-written, but nothing that a living one writes just now") {
  const FinishedSweep sweep;
  const std::string mark = ".bitlaw-tmp-";
  const std::string dead = mark + word_of(dead_process()) + "-0", far = mark + word_of(kFar) + "-0",
                    alive = mark + word_of(this_process()) + "-0";
  for (const std::string& end : {dead, far, alive}) {
    sweep.folder().write("sweep.h5" + end, "half");
    sweep.folder().write(sweep.in(2, "result.json" + end), "half");
  }
  save_checkpoint(sweep.of(3, "checkpoint"), sweep.id(3), some_state());
  Found found = sweep.found();
  std::sort(found.begin(), found.end());
  Found expected{"leftover " + sweep.in(2, "result.json" + dead), "leftover " + sweep.in(2, "result.json" + far),
                 "leftover " + sweep.in(3, "checkpoint"), "leftover sweep.h5" + dead, "leftover sweep.h5" + far};
  std::sort(expected.begin(), expected.end());
  CHECK(found == expected);
}

TEST_CASE("doctor: a folder where a checkpoint should be is told, and the other files are read all the same") {
  const FinishedSweep sweep;
  fs::create_directory(sweep.of(0, "checkpoint.step7"));  // where a file should be
  fs::resize_file(sweep.of(1, "config.json"), 20);
  Found found = sweep.found();
  std::sort(found.begin(), found.end());
  CHECK(found == Found{"damaged checkpoint " + sweep.in(0, "checkpoint.step7"),
                       "damaged configuration " + sweep.in(1, "config.json")});
}

TEST_CASE("doctor: a failed run is told with how often and why") {
  const FinishedSweep sweep;
  fs::remove(sweep.of(0, "result.json"));
  fs::remove(sweep.folder() / "sweep.h5");
  record_attempt(sweep.of(0, ""), {.kind = FailureKind::OutOfMemory, .message = "too large"});
  const std::string folder = sweep.of(0, "").parent_path().string();
  REQUIRE(sweep.look().findings.size() == 1);
  CHECK(sweep.look().findings[0].message ==
        folder +
            ": 1 attempt in a row ended without a result (out of memory: too large), so it is tried again; remove "
            "the reason first");
  record_attempt(sweep.of(0, ""), {.kind = FailureKind::Killed, .message = "gone"});
  record_attempt(sweep.of(0, ""), {.kind = FailureKind::Killed, .message = "gone"});
  CHECK(sweep.look().findings[0].message ==
        folder +
            ": 3 attempts in a row ended without a result (2 times killed: gone; out of memory: too large), so it "
            "is not tried again by itself; remove the reason, then bitlaw run or bitlaw sweep work --retry-failed "
            "tries it");
  CHECK(sweep.found() == Found{fmt::format("failed run runs/{}", sweep.id(0))});
}

TEST_CASE("doctor: damaged files are told as such, those that were set aside too") {
  const FinishedSweep sweep;
  fs::resize_file(sweep.folder() / "sweep.h5", 3000);
  fs::resize_file(sweep.folder() / "plan.json", 30);
  fs::resize_file(sweep.of(1, "config.json"), 20);
  sweep.folder().write(sweep.in(1, "result.json.damaged"), "half");
  CHECK(sweep.found() == Found{"damaged configuration " + sweep.in(1, "config.json"),
                               "set aside " + sweep.in(1, "result.json.damaged"), "damaged plan plan.json",
                               "damaged sweep file sweep.h5"});
}

TEST_CASE("doctor: a sweep file that lacks a result, has one too many, or other bits") {
  const FinishedSweep sweep;
  const fs::path result = sweep.of(0, "result.json"), aside = sweep.folder() / "aside";
  fs::rename(result, aside);
  REQUIRE(sweep.look().findings.size() == 1);
  CHECK(sweep.look().findings[0].message ==
        sweep.folder() / "sweep.h5" +
            ": lacks 0 finished runs and holds 1 without a sound result and 0 with other bits, so it is not of these "
            "results; bitlaw run writes it anew");
  RunRecord other = planned_record(four_runs().runs[0]);
  other.state_hash = "other";
  write_file_atomically(result, run_to_json(other));
  CHECK(sweep.look().findings[0].message.find("lacks 0 finished runs and holds 0 without a sound result and 1 with") !=
        std::string::npos);
  fs::rename(aside, result);
  CHECK(sweep.found() == Found{});
  const FinishedSweep less;
  fs::rename(less.of(3, "result.json"), aside);
  ToyTrainer never;
  never.fails_at = 4096;
  run_experiment(four_runs(), less.folder().path(), "c", quiet(never));
  forget_attempts(less.of(3, ""));
  CHECK(less.found() == Found{});
  fs::rename(aside, less.of(3, "result.json"));
  CHECK(less.look().findings.at(0).message.find("lacks 1 finished runs and holds 0 without") != std::string::npos);
}

TEST_CASE("doctor: a sweep file that lacks what its schema demands is told in its folder, too") {
  const FinishedSweep sweep;
  const hid_t file = H5Fopen((sweep.folder() / "sweep.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  REQUIRE(H5Ldelete(file, "tables", H5P_DEFAULT) >= 0);
  H5Fclose(file);
  CHECK(sweep.found() == Found{"damaged sweep file sweep.h5"});
}

TEST_CASE("doctor: runs of a program with other numerics, by its plan or by their configuration") {
  const FinishedSweep sweep;
  const fs::path old = sweep.folder().path() / "runs" / "0123456789abcdef";
  fs::create_directories(old);
  fs::copy_file(sweep.of(1, "config.json"), old / "config.json");
  const fs::path foreign = sweep.folder().path() / "runs" / "1123456789abcdef";  // of another plan
  fs::create_directories(foreign);
  write_file_atomically(foreign / "config.json", "{\"training.tokens\": 3}\n");
  CHECK(sweep.found() == Found{"other numerics runs/0123456789abcdef"});
  SavedPlan plan = *read_plan(sweep.folder() / "plan.json");
  plan.numerical_epoch = 1;
  write_plan(sweep.folder() / "plan.json", plan);
  CHECK(sweep.found() == Found{"other numerics plan.json", "other numerics runs/0123456789abcdef"});
}

TEST_CASE("doctor: files from the future are told once") {
  const FinishedSweep sweep;
  DoctorOptions options;
  options.now += std::chrono::seconds(30);  // clocks may differ a little
  CHECK(sweep.found(options) == Found{});
  options.now -= std::chrono::hours(24);
  const auto findings = sweep.look(options).findings;
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].trouble == Trouble::FutureTime);
  CHECK(findings[0].message.find("was written 23 h 59 min from now, and so were ") != std::string::npos);
}

/// Of a results folder on a disk of its own.
struct SmallDisk {
  std::string options;         ///< of tmpfs, "size=256k,nr_inodes=8"
  std::size_t file_bytes = 0;  ///< of the one file in it beside .bitlaw
  bool read_only = false;
};

constexpr int kRefused = 77;

/// Mounts the disk at `results` for this process alone; ends the process where the system does not allow that.
void mount_disk(const SmallDisk& disk, const std::string& results) {
  const auto must = [](bool done) {
    if (!done) ::_exit(kRefused);
  };
  const std::string user = fmt::format("0 {} 1", ::getuid()), group = fmt::format("0 {} 1", ::getgid());
  must(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << user;
  std::ofstream("/proc/self/gid_map") << group;
  must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  must(::mount("bitlaw", results.c_str(), "tmpfs", 0, disk.options.c_str()) == 0);
  std::ofstream(results + "/.bitlaw") << "";
  std::ofstream(results + "/file") << std::string(disk.file_bytes, 'x');
  if (disk.read_only) must(::mount("bitlaw", results.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0);
}

/// What a child process finds in `results` after `prepare`, "kind: message" without the path; nothing where the system
/// refused what it prepares.
std::optional<Found> found_by_child(const std::string& results, const std::function<void()>& prepare) {
  const TemporaryFolder words;
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open((words / "found").c_str(), O_CREAT | O_WRONLY, 0644);
    prepare();
    std::string text;
    for (const Finding& finding : examine(results, {}).findings) {
      text += fmt::format("{}{}\n", name_of(finding.trouble, kTroubleNames), finding.message.substr(results.size()));
    }
    ::_exit(::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) {
    MESSAGE("skipped: this system lets no test mount a disk or change its user");
    return std::nullopt;
  }
  REQUIRE(status == 0);
  Found found;
  std::ifstream lines(words / "found");
  for (std::string line; std::getline(lines, line);) found.push_back(line);
  return found;
}

TEST_CASE("doctor: a disk with less room than the largest file takes, or with room for no file, is full") {
  struct Case {
    SmallDisk disk;
    Found expected;
  };
  const std::string rest = ", so runs may not be saved; make room";
  // Of 256 KiB the file takes what it is long; of the files that tmpfs was told, the folder, .bitlaw and the file
  // count.
  for (const Case& c :
       {Case{{"size=256k,nr_inodes=8", 64 << 10}, {}},
        Case{{"size=256k,nr_inodes=8", 128 << 10}, {}},  // as much again fits
        Case{{"size=256k,nr_inodes=8", 192 << 10},
             {"full disk: its disk has room for 65536 bytes and 5 files, and the largest file here has 196608 bytes" +
              rest}},
        Case{{"size=256k,nr_inodes=3", 64 << 10},
             {"full disk: its disk has room for 196608 bytes and 0 files, and the largest file here has 65536 bytes" +
              rest}},
        Case{{"size=256k,nr_inodes=3", 256 << 10},
             {"full disk: its disk has room for 0 bytes and 0 files, and the largest file here has 262144 bytes" +
              rest}},
        Case{{"size=256k", 64 << 10, true}, {"read-only: cannot be written, so no run can be saved; make it writable"}},
        Case{{"size=256k,nr_inodes=8", 192 << 10, true},
             {"read-only: cannot be written, so no run can be saved; make it writable",
              "full disk: its disk has room for 65536 bytes and 5 files, and the largest file here has 196608 bytes" +
                  rest}}}) {
    CAPTURE(c.disk.options);
    CAPTURE(c.disk.file_bytes);
    const TemporaryFolder results;
    const auto found = found_by_child(results.path(), [&] { mount_disk(c.disk, results.path()); });
    if (!found) return;
    CHECK(*found == c.expected);
  }
}

TEST_CASE("doctor: a folder that its user may not write is told") {
  for (const mode_t mode : {0555U, 0777U}) {
    CAPTURE(mode);
    const TemporaryFolder results;
    results.write(".bitlaw", "");
    REQUIRE(::chmod(results.path().c_str(), mode) == 0);
    const auto found = found_by_child(results.path(), [] {
      if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(kRefused);  // root may write anything
    });
    ::chmod(results.path().c_str(), 0755);
    if (!found) return;
    CHECK(*found ==
          (mode == 0555U ? Found{"read-only: cannot be written, so no run can be saved; make it writable"} : Found{}));
  }
}

TEST_CASE("doctor: a folder that is none of ours is refused") {
  const TemporaryFolder folder;
  CHECK(message_of([&] { examine(folder.path(), {}); }) ==
        folder.path().string() +
            ": is no results folder of bitlaw, so there is nothing to look at; give the folder that "
            "bitlaw run or bitlaw sweep work wrote, or the experiment's YAML file");
}

TEST_CASE("doctor: text and JSON say the same") {
  const Diagnosis diagnosis{.runs = 3, .findings = {{Trouble::Leftover, "x/a", "x/a: half; remove it"}}};
  CHECK(diagnosis_text("x", diagnosis) == "leftover: x/a: half; remove it\nx: 3 runs looked at, 1 findings\n");
  CHECK(nlohmann::json::parse(diagnosis_json("x", diagnosis)) ==
        nlohmann::json::parse(R"({"folder": "x", "runs": 3, "findings": [
          {"kind": "leftover", "path": "x/a", "message": "x/a: half; remove it"}]})"));
}

}  // namespace
}  // namespace bitlaw
