#include "core/record/hdf5.h"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <limits>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/hdf5_seal.h"

namespace bitlaw::hdf5 {
namespace {

constexpr unsigned kCreationOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
constexpr hsize_t kChunk = 16384;  ///< elements; longer one-dimensional variables are chunked and compressed

Handle string_type(const std::string& place) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, place, "making a string type");
  require(H5Tset_size(type.id(), H5T_VARIABLE), place, "making a string type");
  require(H5Tset_cset(type.id(), H5T_CSET_UTF8), place, "making a string type");
  return type;
}

template <typename T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_NATIVE_INT8;
}

std::vector<const char*> pointers(std::span<const std::string> texts) {
  std::vector<const char*> result;
  for (const std::string& text : texts) result.push_back(text.c_str());
  return result;
}

/// Copies strings that HDF5 allocated and gives them back. A text that was never written reads as a null pointer.
std::vector<std::string> take_strings(std::vector<char*>& raw, hid_t type, hid_t space) {
  std::vector<std::string> texts;
  for (const char* text : raw) texts.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw.data());
  return texts;
}

std::size_t element_count(hid_t space) {
  return static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
}

void attach_attribute(hid_t object, const std::string& name, hid_t stored, hid_t memory, hid_t space, const void* data,
                      const std::string& place) {
  const Handle attribute(H5Acreate2(object, name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, place,
                         fmt::format("creating attribute '{}'", name));
  require(H5Awrite(attribute.id(), memory, data), place, fmt::format("writing attribute '{}'", name));
}

template <typename T>
void attach_number(hid_t object, const std::string& name, T value, const std::string& place) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, place, "making a dataspace");
  attach_attribute(object, name, stored_type<T>(), memory_type<T>(), space.id(), &value, place);
}

void attach_text(hid_t object, const std::string& name, const std::string& text, const std::string& place) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, place, "making a dataspace");
  const Handle type = string_type(place);
  const char* pointer = text.c_str();
  attach_attribute(object, name, type.id(), type.id(), space.id(), &pointer, place);
}

void attach_meaning(hid_t dataset, const Meaning& meaning, const std::string& place) {
  attach_text(dataset, "long_name", meaning.long_name, place);
  attach_text(dataset, "units", meaning.units, place);
}

Handle open_attribute(hid_t object, const std::string& name, const std::string& place) {
  if (H5Aexists(object, name.c_str()) == 0) {
    throw InputError(fmt::format(
        "{}: has no attribute '{}', so the file is not whole; restore it or run the experiment again", place, name));
  }
  return {H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, place, fmt::format("opening attribute '{}'", name)};
}

template <typename T>
T number_attribute(hid_t object, const std::string& name, const std::string& place) {
  const Handle attribute = open_attribute(object, name, place);
  const Handle space(H5Aget_space(attribute.id()), H5Sclose, place, "reading a dataspace");
  if (element_count(space.id()) != 1)
    throw InputError(fmt::format(
        "{}: attribute '{}' is not one number, so the file is corrupt; restore it or run the experiment again", place,
        name));
  T value{};
  require(H5Aread(attribute.id(), memory_type<T>(), &value), place, fmt::format("reading attribute '{}'", name));
  return value;
}

Handle create_dataset(hid_t group, const std::string& name, hid_t type, std::span<const hsize_t> extent,
                      const std::string& place) {
  const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose, place,
                     "making a dataspace");
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, place, "making dataset properties");
  H5Pset_attr_creation_order(creation.id(), kCreationOrder);
  H5Pset_obj_track_times(creation.id(), false);  // equal content, equal bytes
  if (extent.size() == 1 && extent[0] > kChunk) {
    H5Pset_chunk(creation.id(), 1, &kChunk);
    H5Pset_shuffle(creation.id());
    H5Pset_deflate(creation.id(), 4);
  }
  return {H5Dcreate2(group, name.c_str(), type, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT), H5Dclose, place,
          fmt::format("creating '{}'", name)};
}

template <typename T>
Handle write_dataset(hid_t group, const std::string& name, std::span<const T> values, std::span<const hsize_t> extent,
                     const std::string& place) {
  const std::string what = fmt::format("writing '{}'", name);
  if constexpr (std::is_same_v<T, std::string>) {
    const Handle type = string_type(place);
    Handle dataset = create_dataset(group, name, type.id(), extent, place);
    const auto texts = pointers(values);
    require(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), place, what);
    return dataset;
  } else {
    Handle dataset = create_dataset(group, name, stored_type<T>(), extent, place);
    require(H5Dwrite(dataset.id(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), place, what);
    return dataset;
  }
}

void require_link(hid_t group, const std::string& name, const std::string& place) {
  if (H5Lexists(group, name.c_str(), H5P_DEFAULT) != 0) return;
  throw InputError(
      fmt::format("{}: has no '{}', so the file is not whole; restore it or run the experiment again", place, name));
}

Handle open_dataset(hid_t group, const std::string& name, const std::string& place) {
  require_link(group, name, place);
  return {H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose, place, fmt::format("opening '{}'", name)};
}

hsize_t dimension_size(hid_t scale, const std::string& place) {
  const Handle space(H5Dget_space(scale), H5Sclose, place, "reading a dataspace");
  return static_cast<hsize_t>(element_count(space.id()));
}

herr_t collect_group(hid_t parent, const char* name, const H5L_info_t*, void* names) {
  const hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
  if (object < 0) return -1;
  if (H5Iget_type(object) == H5I_GROUP) static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return H5Oclose(object);
}

}  // namespace

Group Group::create_group(const std::string& name) const {
  const Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, place_, "making group properties");
  H5Pset_link_creation_order(creation.id(), kCreationOrder);
  H5Pset_attr_creation_order(creation.id(), kCreationOrder);
  H5Pset_obj_track_times(creation.id(), false);
  return {Handle(H5Gcreate2(id(), name.c_str(), H5P_DEFAULT, creation.id(), H5P_DEFAULT), H5Gclose, place_,
                 fmt::format("creating group '{}'", name)),
          place_of(name), "/"};
}

Group Group::open_group(const std::string& name) const {
  require_link(id(), name, place_);
  return {Handle(H5Gopen2(id(), name.c_str(), H5P_DEFAULT), H5Gclose, place_, fmt::format("opening group '{}'", name)),
          place_of(name), "/"};
}

bool Group::contains(const std::string& name) const { return H5Lexists(id(), name.c_str(), H5P_DEFAULT) > 0; }

std::vector<std::string> Group::group_names() const {
  std::vector<std::string> names;
  require(H5Literate(id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, collect_group, &names), place_,
          "listing the groups");
  return names;
}

void Group::set_attribute(const std::string& name, const std::string& value) const {
  attach_text(id(), name, value, place_);
}
void Group::set_attribute(const std::string& name, std::int64_t value) const {
  attach_number(id(), name, value, place_);
}
void Group::set_attribute(const std::string& name, double value) const { attach_number(id(), name, value, place_); }

void Group::set_attribute(const std::string& name, const std::vector<std::string>& values) const {
  BITLAW_CHECK(!values.empty(), "attribute '{}' of {} would be an empty list", name, place_);
  const auto count = static_cast<hsize_t>(values.size());
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose, place_, "making a dataspace");
  const Handle type = string_type(place_);
  attach_attribute(id(), name, type.id(), type.id(), space.id(), pointers(values).data(), place_);
}

bool Group::has_attribute(const std::string& name) const { return H5Aexists(id(), name.c_str()) > 0; }

std::string Group::text_attribute(const std::string& name) const {
  const auto texts = text_list_attribute(name);
  if (texts.size() != 1)
    throw InputError(
        fmt::format("{}: attribute '{}' is missing or not one text, so the file is not whole; restore it or run the "
                    "experiment again",
                    place_, name));
  return texts.front();
}

std::int64_t Group::integer_attribute(const std::string& name) const {
  return number_attribute<std::int64_t>(id(), name, place_);
}
double Group::real_attribute(const std::string& name) const { return number_attribute<double>(id(), name, place_); }

std::vector<std::string> Group::text_list_attribute(const std::string& name) const {
  if (!has_attribute(name)) return {};
  const Handle attribute = open_attribute(id(), name, place_);
  const Handle space(H5Aget_space(attribute.id()), H5Sclose, place_, "reading a dataspace");
  const Handle type = string_type(place_);
  std::vector<char*> raw(element_count(space.id()), nullptr);
  require(H5Aread(attribute.id(), type.id(), raw.data()), place_, fmt::format("reading attribute '{}'", name));
  return take_strings(raw, type.id(), space.id());
}

void Group::add_dimension(const std::string& name, std::int64_t size) const {
  const auto extent = static_cast<hsize_t>(size);
  const Handle dataset = create_dataset(id(), name, H5T_IEEE_F32BE, std::span(&extent, 1), place_);
  // This very text is how netCDF-4 files tell a dimension without coordinate values (netCDF File Format Specs).
  const std::string label = fmt::format("This is a netCDF dimension but not a netCDF variable.{:10d}", size);
  require(H5DSset_scale(dataset.id(), label.c_str()), place_, fmt::format("making dimension '{}'", name));
}

template <Element T>
void Group::add_coordinate(const std::string& name, std::span<const T> values, const Meaning& meaning) const {
  const auto extent = static_cast<hsize_t>(values.size());
  const Handle dataset = write_dataset<T>(id(), name, values, std::span(&extent, 1), place_);
  require(H5DSset_scale(dataset.id(), name.c_str()), place_, fmt::format("making dimension '{}'", name));
  attach_meaning(dataset.id(), meaning, place_);
}

template <Element T>
void Group::write(const std::string& name, std::span<const T> values, const std::vector<std::string>& dimensions,
                  const Meaning& meaning) const {
  std::vector<Handle> scales;
  std::vector<hsize_t> extent;
  std::size_t count = 1;
  for (const std::string& dimension : dimensions) {
    scales.push_back(open_dataset(id(), dimension, place_));
    extent.push_back(dimension_size(scales.back().id(), place_));
    count *= static_cast<std::size_t>(extent.back());
  }
  BITLAW_CHECK(count == values.size(), "variable '{}' has {} values, its dimensions {}", name, values.size(), count);
  const Handle dataset = write_dataset<T>(id(), name, values, extent, place_);
  if constexpr (std::is_same_v<T, double>) {
    attach_number(dataset.id(), "_FillValue", std::numeric_limits<double>::quiet_NaN(), place_);
  }
  attach_meaning(dataset.id(), meaning, place_);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    require(H5DSattach_scale(dataset.id(), scales[i].id(), static_cast<unsigned>(i)), place_,
            fmt::format("attaching dimension '{}' to '{}'", dimensions[i], name));
  }
}

template <Element T>
std::vector<T> Group::read(const std::string& name) const {
  const Handle dataset = open_dataset(id(), name, place_);
  const Handle space(H5Dget_space(dataset.id()), H5Sclose, place_, "reading a dataspace");
  const std::string what = fmt::format("reading '{}'", name);
  if constexpr (std::is_same_v<T, std::string>) {
    const Handle type = string_type(place_);
    std::vector<char*> raw(element_count(space.id()), nullptr);
    require(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()), place_, what);
    return take_strings(raw, type.id(), space.id());
  } else {
    std::vector<T> values(element_count(space.id()));
    require(H5Dread(dataset.id(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), place_, what);
    return values;
  }
}

#define BITLAW_HDF5_ELEMENT(T)                                                                           \
  template void Group::add_coordinate<T>(const std::string&, std::span<const T>, const Meaning&) const;  \
  template void Group::write<T>(const std::string&, std::span<const T>, const std::vector<std::string>&, \
                                const Meaning&) const;                                                   \
  template std::vector<T> Group::read<T>(const std::string&) const;
BITLAW_HDF5_ELEMENT(double)
BITLAW_HDF5_ELEMENT(std::int64_t)
BITLAW_HDF5_ELEMENT(std::uint64_t)
BITLAW_HDF5_ELEMENT(std::int32_t)
BITLAW_HDF5_ELEMENT(std::int8_t)
BITLAW_HDF5_ELEMENT(std::string)
#undef BITLAW_HDF5_ELEMENT

File File::create(const std::filesystem::path& path) {
  auto session = std::make_unique<Session>();
  const std::string place = path.string();
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, place, "making file properties");
  H5Pset_link_creation_order(creation.id(), kCreationOrder);
  H5Pset_attr_creation_order(creation.id(), kCreationOrder);
  H5Pset_obj_track_times(creation.id(), false);
  const Handle access = unlocked_access(place);
  require(H5Pset_fapl_core(access.id(), /*increment=*/1 << 20, /*backing_store=*/false), place,
          "making file properties");
  Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose, place, "creating the file");
  Group root =
      Group(Handle(H5Gopen2(file.id(), "/", H5P_DEFAULT), H5Gclose, place, "opening the root group"), place, ":/");
  return {std::move(session), std::move(file), std::move(root)};
}

File File::open(const std::filesystem::path& path) {
  auto session = std::make_unique<Session>();
  const std::string place = path.string();
  require_intact(path);
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, unlocked_access(place).id()), H5Fclose, place, "opening the file");
  Group root =
      Group(Handle(H5Gopen2(file.id(), "/", H5P_DEFAULT), H5Gclose, place, "opening the root group"), place, ":/");
  return {std::move(session), std::move(file), std::move(root)};
}

void File::save() const {
  require(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), root_.place(), "building the file");
  const ssize_t size = H5Fget_file_image(file_.id(), nullptr, 0);
  require(size < 0 ? -1 : 0, root_.place(), "building the file");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  require(H5Fget_file_image(file_.id(), bytes.data(), bytes.size()) < 0 ? -1 : 0, root_.place(), "building the file");
  write_file_atomically(root_.place(), bytes + seal_of(bytes));
}

}  // namespace bitlaw::hdf5
