#include "experiments/launch/worker_board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <stdexcept>

#include "core/base/file.h"

namespace bitlaw {
namespace {

/// A lock of this process on a file, which ends with the process at the latest.
class FileLock {
 public:
  explicit FileLock(int file) : file_(file) { set(F_WRLCK); }
  ~FileLock() { set(F_UNLCK); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  void set(short kind) const {
    struct flock range {};
    range.l_type = kind;
    range.l_whence = SEEK_SET;
    while (::fcntl(file_, F_SETLKW, &range) != 0 && errno == EINTR) {
    }
  }
  int file_;
};

}  // namespace

/// Behind it: reserved bytes of each worker, then the marks of each run.
struct WorkerBoard::Shared {
  std::atomic<bool> stop;
};
struct WorkerBoard::RunMarks {
  std::atomic<std::uint32_t> publisher;  // the worker's number and one; 0: none
  std::atomic<bool> failed;
};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free,
              "processes share them");

WorkerBoard::WorkerBoard(std::size_t workers, std::size_t runs, std::int64_t memory)
    : workers_(workers), bytes_((1 + workers) * sizeof(std::int64_t) + runs * sizeof(RunMarks)), memory_(memory) {
  void* const shared = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  lock_ = ::memfd_create("bitlaw-workers", MFD_CLOEXEC);
  if (shared == MAP_FAILED || lock_ < 0) {
    throw std::runtime_error("workers cannot share memory: " + system_reason());
  }
  shared_ = static_cast<Shared*>(shared);  // zeros
}

WorkerBoard::~WorkerBoard() {
  ::munmap(shared_, bytes_);
  ::close(lock_);
}

void WorkerBoard::ask_to_stop() { shared_->stop = true; }
bool WorkerBoard::stop_asked() const { return shared_->stop; }

std::int64_t& WorkerBoard::reserved(std::size_t worker) const {
  return reinterpret_cast<std::int64_t*>(shared_)[1 + worker];
}

WorkerBoard::RunMarks& WorkerBoard::marks(std::size_t run) const {
  return reinterpret_cast<RunMarks*>(&reserved(workers_))[run];
}

bool WorkerBoard::has_failed(std::size_t run) const { return marks(run).failed; }
void WorkerBoard::set_failed(std::size_t run) { marks(run).failed = true; }

bool WorkerBoard::is_published_here(std::size_t run) const { return marks(run).publisher != 0; }
void WorkerBoard::set_publisher(std::size_t run, std::size_t worker) {
  marks(run).publisher = static_cast<std::uint32_t>(worker + 1);
}
void WorkerBoard::forget_publisher(std::size_t run, std::size_t worker) {
  auto publisher = static_cast<std::uint32_t>(worker + 1);
  marks(run).publisher.compare_exchange_strong(publisher, 0);
}

bool WorkerBoard::reserve(std::size_t worker, std::int64_t bytes) {
  if (bytes == 0) return true;
  const FileLock lock(lock_);
  std::int64_t others = 0;
  for (std::size_t i = 0; i < workers_; ++i) others += i == worker ? 0 : reserved(i);
  const bool fits = others == 0 || bytes <= memory_ - others;
  reserved(worker) = fits ? bytes : 0;
  return fits;
}

void WorkerBoard::release(std::size_t worker) {
  const FileLock lock(lock_);
  reserved(worker) = 0;
}

}  // namespace bitlaw
