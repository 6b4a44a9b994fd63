#pragma once

#include <hdf5.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace bitlaw::hdf5 {

/// One thread at a time in the HDF5 library, whose own error printing is off meanwhile. May be nested.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* print_data_ = nullptr;
};

/// An HDF5 identifier that is released once.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  /// InputError "`place`: `what` failed ..." when `id` says that the call which made it failed.
  Handle(hid_t id, Closer close, const std::string& place, const std::string& what);
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t id() const { return id_; }

 private:
  hid_t id_;
  Closer close_;
};

/// InputError when an HDF5 call returned a negative number.
void require(herr_t status, const std::string& place, const std::string& what);

/// Access to a file without locks, which network file systems often refuse: files are written under a name of their own
/// and renamed.
Handle unlocked_access(const std::string& place);

}  // namespace bitlaw::hdf5
