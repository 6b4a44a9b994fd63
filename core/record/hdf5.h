#pragma once

#include <hdf5.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/record/hdf5_session.h"

/// A thin RAII layer over the HDF5 C API that writes only what netCDF-4 tools can read and append to: every dataset
/// carries dimension scales, creation order is tracked and indexed everywhere, no dataspace is null. A failing HDF5
/// call becomes an InputError that names the file and the object.
namespace bitlaw::hdf5 {

/// What describes a variable to people and to CF tools.
struct Meaning {
  std::string long_name;
  std::string units = "1";
};

/// Element types of datasets: stored little-endian; strings as variable-length UTF-8.
template <typename T>
concept Element = std::is_same_v<T, double> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t> ||
    std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int8_t> || std::is_same_v<T, std::string>;

/// The type of a number in the file.
template <typename T>
hid_t stored_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_STD_I8LE;
}

/// A group of a file that is open; usable while that File lives.
class Group {
 public:
  Group create_group(const std::string& name) const;
  Group open_group(const std::string& name) const;
  bool contains(const std::string& name) const;
  /// Names of the subgroups in the order of their creation.
  std::vector<std::string> group_names() const;

  /// Attributes of this group. A list must not be empty: an absent attribute reads as an empty list.
  void set_attribute(const std::string& name, const std::string& value) const;
  void set_attribute(const std::string& name, std::int64_t value) const;
  void set_attribute(const std::string& name, double value) const;
  void set_attribute(const std::string& name, const std::vector<std::string>& values) const;
  bool has_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;
  std::int64_t integer_attribute(const std::string& name) const;
  double real_attribute(const std::string& name) const;
  std::vector<std::string> text_list_attribute(const std::string& name) const;

  /// A dimension of `size` elements without coordinate values, as netCDF-4 stores it.
  void add_dimension(const std::string& name, std::int64_t size) const;
  /// A dimension whose elements are labelled by `values`.
  template <Element T>
  void add_coordinate(const std::string& name, std::span<const T> values, const Meaning& meaning) const;
  /// A variable on dimensions of this group, row-major. A double has the _FillValue NaN.
  template <Element T>
  void write(const std::string& name, std::span<const T> values, const std::vector<std::string>& dimensions,
             const Meaning& meaning) const;
  /// All elements of a variable, row-major.
  template <Element T>
  std::vector<T> read(const std::string& name) const;

  hid_t id() const { return group_.id(); }
  /// For messages: "results/sweep.h5" for the root, "results/sweep.h5:/runs" for a group in it.
  const std::string& place() const { return place_; }
  /// Of a member: "results/sweep.h5:/runs/loss".
  std::string place_of(const std::string& name) const { return place_ + separator_ + name; }

 private:
  friend class File;
  Group(Handle group, std::string place, const char* separator)
      : group_(std::move(group)), place_(std::move(place)), separator_(separator) {}

  Handle group_;
  std::string place_;
  const char* separator_;  ///< between place_ and the name of a subgroup
};

/// An open file and its root group. While it lives, this thread has the HDF5 library for itself.
class File {
 public:
  /// A new file in memory; save() puts it at `path`. HDF5 itself never writes to a disk: version 1.10 may crash when
  /// the process ends after one was full.
  static File create(const std::filesystem::path& path);
  /// Read-only. InputError before HDF5 sees a byte when the file is not as save() left it and no other program has
  /// written to it: see hdf5_seal.h.
  static File open(const std::filesystem::path& path);
  const Group& root() const { return root_; }
  /// Replaces the file at the path of create() in one step; its fingerprint follows behind its end.
  void save() const;

 private:
  File(std::unique_ptr<Session> session, Handle file, Group root)
      : session_(std::move(session)), file_(std::move(file)), root_(std::move(root)) {}
  std::unique_ptr<Session> session_;
  Handle file_;
  Group root_;
};

}  // namespace bitlaw::hdf5
