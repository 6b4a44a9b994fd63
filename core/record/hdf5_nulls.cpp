#include <fmt/format.h>

#include <utility>

#include "core/record/hdf5_compare.h"

namespace bitlaw::hdf5 {
namespace {

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

bool is_null(hid_t space_id, const std::string& place) {
  const Handle space(space_id, H5Sclose, place, "reading the shape");
  return H5Sget_simple_extent_type(space.id()) == H5S_NULL;
}

void look_for_null(hid_t object, const std::string& place, std::vector<std::string>& messages) {
  constexpr std::string_view kFollows = "has a null dataspace, so netCDF4 cannot open the file";
  if (H5Iget_type(object) == H5I_DATASET && is_null(H5Dget_space(object), place))
    messages.push_back(fmt::format("{}: {}; {}", place, kFollows, kRemedy));
  for (const std::string& name : attributes_of(object)) {
    const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, place, "opening an attribute");
    if (is_null(H5Aget_space(attribute.id()), place))
      messages.push_back(fmt::format("{}: attribute '{}' {}; {}", place, name, kFollows, kRemedy));
  }
}

herr_t collect_object(hid_t, const char* name, const H5O_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

std::vector<std::string> attributes_of(hid_t object) {
  std::vector<std::string> names;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_attribute, &names);
  return names;
}

std::vector<std::string> null_dataspaces(const Group& root) {
  std::vector<std::string> names, messages;
  require(H5Ovisit2(root.id(), H5_INDEX_NAME, H5_ITER_INC, collect_object, &names, H5O_INFO_BASIC), root.place(),
          "visiting all of it");
  for (const std::string& name : names) {
    const std::string place = name == "." ? root.place() : root.place_of(name);
    const Handle object(H5Oopen(root.id(), name.c_str(), H5P_DEFAULT), H5Oclose, place, "opening it");
    look_for_null(object.id(), place, messages);
  }
  return messages;
}

}  // namespace bitlaw::hdf5
