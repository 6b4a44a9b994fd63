#include "core/record/hdf5_session.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace bitlaw::hdf5 {
namespace {

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

/// The innermost message of HDF5's error stack, e.g. "truncated file: eof = 96, ...".
std::string innermost_error() {
  std::string text;
  const auto keep_last = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_last, &text);
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text.empty() ? "no reason given" : text;
}

[[noreturn]] void fail(const std::string& place, const std::string& what) {
  throw InputError(fmt::format("{}: {} failed in the HDF5 library ({}); is the file complete, the disk not full?",
                               place, what, innermost_error()));
}

}  // namespace

Session::Session() : lock_(library_mutex()) {
  H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Session::~Session() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }

Handle::Handle(hid_t id, Closer close, const std::string& place, const std::string& what) : id_(id), close_(close) {
  if (id < 0) fail(place, what);
}

void require(herr_t status, const std::string& place, const std::string& what) {
  if (status < 0) fail(place, what);
}

Handle unlocked_access(const std::string& place) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, place, "making file properties");
  require(H5Pset_file_locking(access.id(), false, true), place, "making file properties");
  return access;
}

}  // namespace bitlaw::hdf5
