#include "core/record/hdf5_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

#include "core/base/closest.h"
#include "core/base/error.h"

namespace bitlaw::hdf5 {
namespace {

constexpr hsize_t kSlab = 1 << 20;  ///< numbers that a slab has at most, where one index of its axis has not more

/// A float of 16 bits, which HDF5 has no name for, with `exponent_bits` and the bias of IEEE 754.
Handle half_type(std::size_t exponent_bits, const std::string& place) {
  const std::size_t mantissa_bits = 15 - exponent_bits;
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, place, "making a type");
  require(H5Tset_fields(type.id(), 15, mantissa_bits, exponent_bits, 0, mantissa_bits), place, "making a type");
  require(H5Tset_size(type.id(), 2), place, "making a type");
  require(H5Tset_ebias(type.id(), (std::size_t{1} << (exponent_bits - 1)) - 1), place, "making a type");
  return type;
}

/// The type in the file and, since we run on little-endian machines only, in memory.
Handle type_of(NumberType type, const std::string& place) {
  const auto copy = [&](hid_t id) { return Handle(H5Tcopy(id), H5Tclose, place, "making a type"); };
  switch (type) {
    case NumberType::Float16:
      return half_type(5, place);
    case NumberType::BFloat16:
      return half_type(8, place);
    case NumberType::Float32:
      return copy(H5T_IEEE_F32LE);
    case NumberType::Float64:
      return copy(H5T_IEEE_F64LE);
    case NumberType::UInt8:
      return copy(H5T_STD_U8LE);
    case NumberType::UInt16:
      return copy(H5T_STD_U16LE);
    case NumberType::UInt32:
      return copy(H5T_STD_U32LE);
    case NumberType::UInt64:
      break;
  }
  return copy(H5T_STD_U64LE);
}

std::optional<NumberType> float_type(hid_t stored, const std::string& place) {
  for (const NumberTypeInfo& row : kNumberTypes) {
    if (!is_float(row.type)) continue;
    const Handle type = type_of(row.type, place);
    if (H5Tequal(stored, type.id()) > 0) return row.type;
    require(H5Tset_order(type.id(), H5T_ORDER_BE), place, "making a type");
    if (H5Tequal(stored, type.id()) > 0) return row.type;
  }
  return std::nullopt;
}

herr_t collect_dataset(hid_t root, const char* name, const H5L_info_t*, void* names) {
  const hid_t object = H5Oopen(root, name, H5P_DEFAULT);
  if (object < 0) return 0;  // a link to nowhere
  if (H5Iget_type(object) == H5I_DATASET) {
    static_cast<std::vector<std::string>*>(names)->push_back(fmt::format("/{}", name));
  }
  return H5Oclose(object);
}

/// Every dataset of the file by its path.
std::vector<std::string> datasets_of(hid_t file, const std::string& place) {
  std::vector<std::string> names;
  require(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &names), place, "listing the datasets");
  return names;
}

Handle open_file(const std::string& place) {
  if (H5Fis_hdf5(place.c_str()) == 0) {
    throw InputError(fmt::format("{}: is not an HDF5 file, so it has no datasets; check the path", place));
  }
  return {H5Fopen(place.c_str(), H5F_ACC_RDONLY, unlocked_access(place).id()), H5Fclose, place, "opening the file"};
}

Handle open_named(hid_t file, const std::string& place, const std::string& name) {
  const std::vector<std::string> names = datasets_of(file, place);
  if (names.empty()) throw InputError(fmt::format("{}: holds no dataset, so there is nothing to read", place));
  if (name.empty()) {
    throw InputError(fmt::format("{}: no dataset is named, so there is nothing to read; write {}:/PATH for one of: {}",
                                 place, place, fmt::join(names, ", ")));
  }
  const std::string path = name.starts_with('/') ? name : "/" + name;
  if (std::find(names.begin(), names.end(), path) == names.end()) {
    throw InputError(fmt::format("{}: has no dataset '{}', so there is nothing to read; {}", place, path,
                                 remedy(path, std::span<const std::string>(names))));
  }
  return {H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, place, fmt::format("opening '{}'", path)};
}

NumberType number_type(hid_t dataset, const std::string& place) {
  const Handle type(H5Dget_type(dataset), H5Tclose, place, "reading the type");
  const auto known = float_type(type.id(), place);
  if (!known) {
    throw InputError(
        fmt::format("{}: its elements are not floating-point numbers of 16, 32 or 64 bits, so they cannot be "
                    "rounded; store them as float32 or float64",
                    place));
  }
  return *known;
}

std::vector<hsize_t> extent_of(hid_t space, const std::string& place) {
  const int rank = H5Sget_simple_extent_ndims(space);
  require(rank, place, "reading the shape");
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  require(H5Sget_simple_extent_dims(space, extent.data(), nullptr), place, "reading the shape");
  constexpr hsize_t kMost = std::numeric_limits<std::int64_t>::max();
  const bool fits = std::all_of(extent.begin(), extent.end(), [](hsize_t size) { return size <= kMost; });
  if (!fits || !is_countable({extent.begin(), extent.end()})) {
    throw InputError(
        fmt::format("{}: its shape ({}) has more elements than can be counted, so it cannot be read whole; write the "
                    "part that is meant as a dataset of its own",
                    place, fmt::join(extent, ", ")));
  }
  return extent;
}

}  // namespace

ArrayDataset::ArrayDataset(const std::filesystem::path& file, const std::string& name)
    : place_(file.string() + ":" + name),
      file_(open_file(file.string())),
      dataset_(open_named(file_.id(), file.string(), name)),
      space_(H5Dget_space(dataset_.id()), H5Sclose, place_, "reading the shape"),
      type_(number_type(dataset_.id(), place_)),
      extent_(extent_of(space_.id(), place_)) {
  plan_slabs();
}

void ArrayDataset::plan_slabs() {
  start_.assign(extent_.size(), 0);
  if (extent_.empty()) return;
  hsize_t behind = 1;  // numbers in one index of the axis
  axis_ = extent_.size() - 1;
  while (axis_ > 0 && behind * extent_[axis_] <= kSlab) behind *= extent_[axis_--];
  thickness_ = std::max<hsize_t>(1, kSlab / std::max<hsize_t>(1, behind));
}

void ArrayDataset::read_slab() {
  std::vector<hsize_t> count(extent_.size(), 1);
  for (std::size_t i = axis_ + 1; i < count.size(); ++i) count[i] = extent_[i];
  if (!count.empty()) count[axis_] = std::min(thickness_, extent_[axis_] - start_[axis_]);
  const hsize_t numbers = std::accumulate(count.begin(), count.end(), hsize_t{1}, std::multiplies<>());
  slab_.resize(static_cast<std::size_t>(numbers) * info(type_).bytes);
  used_ = 0;
  if (!count.empty()) {
    require(H5Sselect_hyperslab(space_.id(), H5S_SELECT_SET, start_.data(), nullptr, count.data(), nullptr), place_,
            "choosing a part");
  }
  const Handle memory(H5Screate_simple(1, &numbers, nullptr), H5Sclose, place_, "making a dataspace");
  require(H5Dread(dataset_.id(), type_of(type_, place_).id(), memory.id(), space_.id(), H5P_DEFAULT, slab_.data()),
          place_, "reading");
  if (count.empty()) return;
  start_[axis_] += count[axis_];
  for (std::size_t i = axis_; i > 0 && start_[i] == extent_[i]; --i) {
    start_[i] = 0;
    ++start_[i - 1];
  }
}

void ArrayDataset::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    if (used_ == slab_.size()) read_slab();
    const std::size_t part = std::min(bytes.size(), slab_.size() - used_);
    std::memcpy(bytes.data(), slab_.data() + used_, part);
    used_ += part;
    bytes = bytes.subspan(part);
  }
}

std::uint64_t create_array_file(const std::filesystem::path& path, const std::string& name, NumberType type,
                                const std::vector<std::int64_t>& shape, const TextAttributes& attributes) {
  const Session session;
  const std::string place = path.string();
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  const Handle file(H5Fcreate(place.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, unlocked_access(place).id()), H5Fclose, place,
                    "creating the file");
  const Handle space(extent.empty() ? H5Screate(H5S_SCALAR)
                                    : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                     H5Sclose, place, "making a dataspace");
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, place, "making link properties");
  require(H5Pset_create_intermediate_group(links.id(), 1), place, "making link properties");
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, place, "making dataset properties");
  require(H5Pset_layout(creation.id(), H5D_CONTIGUOUS), place, "making dataset properties");
  require(H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY), place, "making dataset properties");
  require(H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER), place, "making dataset properties");
  const std::string what = fmt::format("creating '{}'", name);
  const Handle dataset(H5Dcreate2(file.id(), name.c_str(), type_of(type, place).id(), space.id(), links.id(),
                                  creation.id(), H5P_DEFAULT),
                       H5Dclose, place, what);
  for (const auto& [key, text] : attributes) {
    require(H5LTset_attribute_string(file.id(), name.c_str(), key.c_str(), text.c_str()), place,
            fmt::format("writing attribute '{}'", key));
  }
  require(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), place, "writing the file");
  const haddr_t offset = H5Dget_offset(dataset.id());
  return offset == HADDR_UNDEF ? 0 : offset;  // no numbers, no place for them
}

}  // namespace bitlaw::hdf5
