#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bitlaw {

/// What the worker processes of one launch know of each other: memory that all of them share from fork(2) on.
///
/// A worker may be killed at any moment, so nothing here is left half-done by that: its lock is one that the kernel
/// takes back, and the parent frees what it had reserved.
class WorkerBoard {
 public:
  /// `memory` [bytes] for all workers together. std::runtime_error when the system refuses.
  WorkerBoard(std::size_t workers, std::size_t runs, std::int64_t memory);
  ~WorkerBoard();
  WorkerBoard(const WorkerBoard&) = delete;
  WorkerBoard& operator=(const WorkerBoard&) = delete;

  void ask_to_stop();
  bool stop_asked() const;

  /// Whether a worker of this launch has failed with the run, which none of them tries again.
  bool has_failed(std::size_t run) const;
  void set_failed(std::size_t run);

  /// Whether a worker of this launch publishes the run's result, or has done so: set before the result is there to be
  /// found, so that whoever finds it knows that the other tells of it.
  bool is_published_here(std::size_t run) const;
  void set_publisher(std::size_t run, std::size_t worker);
  /// If it is this worker: it found a result there, or ended before it told.
  void forget_publisher(std::size_t run, std::size_t worker);

  /// Reserves `bytes` for a worker that has none, if they fit beside what the others have, or if no other
  /// has any: then nothing that this launch could wait for would make more room.
  bool reserve(std::size_t worker, std::int64_t bytes);
  void release(std::size_t worker);

 private:
  struct Shared;
  struct RunMarks;

  std::int64_t& reserved(std::size_t worker) const;
  RunMarks& marks(std::size_t run) const;

  std::size_t workers_, bytes_;
  std::int64_t memory_;
  Shared* shared_;
  int lock_;
};

}  // namespace bitlaw
